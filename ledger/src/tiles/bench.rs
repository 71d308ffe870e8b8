//! What tiles cost. Every test run makes one block; what it prints means something only of many, by hand:
//! `TILES_BENCH_EVENTS=2097152 cargo test --release -p ledger --lib tiles::bench -- --nocapture`
//!
//! The log is made while it is read, in frames of 4,096 events of 180 bytes.

#![expect(clippy::print_stdout, reason = "its output is the measurement")]

use super::{BlockSize, TileKeeper};
use crate::id::Position;
use crate::log::{CommitLog, Epoch, Frame, LogError, StoredFrame};
use crate::proof::{TreeSize, inclusion, tile};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FRAME_EVENTS: u64 = 4_096;
const EVENT_LENGTH_BYTES: usize = 180;

/// A log of which nothing is kept but one frame, whose events come again in every other one.
struct Made {
    end: Position,
    events: Vec<Vec<u8>>,
}

impl CommitLog for Made {
    fn end(&self) -> Position {
        self.end
    }

    fn append(&self, _: &Frame) -> Result<(), LogError> {
        let reason = "nothing is kept".to_owned();
        Err(LogError::NotWritten { reason })
    }

    fn sync(&self) -> Result<(), LogError> {
        Ok(())
    }

    fn frame(&self, position: Position) -> Result<Option<StoredFrame>, LogError> {
        let first = (position.0 - 1) / FRAME_EVENTS * FRAME_EVENTS + 1;
        let frame = Frame::new(Epoch(1), Position(first), &self.events).unwrap();
        Ok(Some(Arc::new(frame)))
    }
}

/// What this thread has taken of a processor: other work on the machine does not count.
fn busy() -> Duration {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = times.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn length(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let lengths = entries.map(|entry| match entry.path().is_dir() {
        true => length(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    lengths.sum()
}

#[test]
fn bench() {
    let asked = std::env::var("TILES_BENCH_EVENTS").ok();
    let events: u64 = asked.and_then(|text| text.parse().ok()).unwrap_or(1 << 18);
    let event = |number: u64| {
        let mut bytes = vec![0; EVENT_LENGTH_BYTES];
        let mut reader = blake3::Hasher::new()
            .update(&number.to_le_bytes())
            .finalize_xof();
        reader.fill(&mut bytes);
        bytes
    };
    let log = Arc::new(Made {
        end: Position(events),
        events: (0..FRAME_EVENTS).map(event).collect(),
    });
    let before = busy();
    for first in (1..=events).step_by(FRAME_EVENTS as usize) {
        assert!(log.frame(Position(first)).unwrap().is_some());
    }
    let making = busy() - before;
    let place = tempfile::tempdir().unwrap();
    let size = BlockSize::default();
    let keeper = TileKeeper::open(place.path(), [1; 16], size, log);
    let (before, begun) = (busy(), Instant::now());
    keeper.write_missing(Position(events), |_| {}).unwrap();
    let (writing, elapsed) = (busy() - before, begun.elapsed());
    let kept = keeper.state().kept;
    let each = |time: Duration| time.as_nanos() as f64 / events as f64;
    let bytes = length(place.path()) as f64 / kept.0 as f64;
    println!("{events} events, {kept} kept: {bytes:.2} bytes an event");
    println!(
        "{:.0} ns of processor an event, without {:.0} for making frames; {:.0} ns in all",
        each(writing) - each(making),
        each(making),
        each(elapsed),
    );
    let kept = keeper.kept();
    for (name, size) in [
        ("root", kept.tree_size().0 - 100_001),
        ("root again", kept.tree_size().0 - 1),
    ] {
        let begun = Instant::now();
        tile::root(&kept, TreeSize(size)).unwrap();
        println!("{name}: {:?}", begun.elapsed());
    }
    for position in [1, events / 3, events / 2] {
        let begun = Instant::now();
        inclusion::prove(&kept, Position(position), kept.tree_size()).unwrap();
        println!("inclusion of {position}: {:?}", begun.elapsed());
    }
}
