//! What this disk and these codecs give: the figures that the journal's layout is chosen by.

use crate::data::read::Feed;
use crate::fault::{About, Outcome};
use crate::report::{part_of, table};
use comfy_table::Table;
use rustix::fs::{Advice, FallocateFlags};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The lengths of the frames that are written, in bytes.
const FRAMES_BYTES: [usize; 3] = [300, 16 << 10, 64 << 10];

/// The lengths of the cold reads, in bytes.
const READS_BYTES: [usize; 4] = [4 << 10, 16 << 10, 64 << 10, 256 << 10];

/// How many reads are made of each length.
const READS: usize = 400;

/// How much is preallocated; a writer that reaches the end begins again at the beginning.
const FILE_BYTES: u64 = 256 << 20;

/// Measure writes with one fdatasync each, by preallocation; cold reads; and codecs, with the events of
/// a file.
#[derive(clap::Args)]
pub struct Medium {
    /// The directory whose disk is measured.
    directory: PathBuf,
    /// The file of events; without it cold reads and codecs are left out.
    #[arg(long)]
    data: Option<PathBuf>,
    /// How long each round of writes lasts.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many rounds there are; the cases take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many blocks the codecs work on.
    #[arg(long, default_value_t = 400)]
    blocks: usize,
}

#[derive(Clone, Copy)]
enum Preallocation {
    /// The file grows with each write.
    None,
    /// Blocks are reserved, but marked as unwritten.
    Fallocate,
    /// Every block was written with zeros and synced.
    Zeroed,
}

const PREALLOCATIONS: [(&str, Preallocation); 3] = [
    ("growing", Preallocation::None),
    ("fallocate", Preallocation::Fallocate),
    ("zero-written", Preallocation::Zeroed),
];

impl Medium {
    /// Prints the tables.
    pub fn run(self) -> Outcome<()> {
        println!("{}", self.writes()?);
        if let Some(data) = &self.data {
            println!("{}", reads(data)?);
            println!("{}", codecs(data, self.blocks)?);
        }
        Ok(())
    }

    fn writes(&self) -> Outcome<Table> {
        let mut table = table(&["file", "frame bytes", "writes/s", "MB/s", "worst ms"]);
        let mut totals = vec![Round::default(); PREALLOCATIONS.len() * FRAMES_BYTES.len()];
        let time = Duration::from_secs_f64(self.seconds);
        for _ in 0..self.rounds {
            let mut total = totals.iter_mut();
            for frame in FRAMES_BYTES {
                for (_, preallocation) in PREALLOCATIONS {
                    let round = round(&self.directory, preallocation, frame, time)?;
                    if let Some(total) = total.next() {
                        total.add(&round);
                    }
                }
            }
        }
        let mut total = totals.iter();
        for frame in FRAMES_BYTES {
            for (name, _) in PREALLOCATIONS {
                let Some(total) = total.next() else { continue };
                let rate = total.writes as f64 / total.time.as_secs_f64();
                table.add_row([
                    name.to_owned(),
                    frame.to_string(),
                    format!("{rate:.0}"),
                    format!("{:.2}", rate * frame as f64 / 1e6),
                    format!("{:.1}", total.worst.as_secs_f64() * 1e3),
                ]);
            }
        }
        Ok(table)
    }
}

#[derive(Clone, Default)]
struct Round {
    writes: u64,
    time: Duration,
    worst: Duration,
}

impl Round {
    fn add(&mut self, other: &Self) {
        self.writes += other.writes;
        self.time += other.time;
        self.worst = self.worst.max(other.worst);
    }
}

/// Writes frames one after the other, each made durable before the next.
fn round(
    directory: &Path,
    preallocation: Preallocation,
    frame: usize,
    time: Duration,
) -> Outcome<Round> {
    let path = directory.join("medium.tmp");
    let file = File::create(&path).about(&path)?;
    match preallocation {
        Preallocation::None => {}
        Preallocation::Fallocate => {
            rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, FILE_BYTES)?;
        }
        Preallocation::Zeroed => {
            let zeros = vec![0; 1 << 20];
            for at in (0..FILE_BYTES).step_by(zeros.len()) {
                file.write_all_at(&zeros, at)?;
            }
        }
    }
    file.sync_all()?;
    File::open(directory)?.sync_all()?;
    let bytes: Vec<u8> = (0..frame).map(|at| (at % 251) as u8).collect();
    let mut done = Round::default();
    let mut at = 0;
    let start = Instant::now();
    while done.time < time {
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        let now = start.elapsed();
        done.worst = done.worst.max(now - done.time);
        done.time = now;
        done.writes += 1;
        at += frame as u64;
        if at + frame as u64 > FILE_BYTES {
            at = 0;
        }
    }
    drop(file);
    fs::remove_file(&path).about(&path)?;
    Ok(done)
}

/// Reads at places spread over a file in no order, none of them in the kernel's cache. Once with what
/// the kernel reads ahead by itself, once with the advice that the order is random.
fn reads(data: &Path) -> Outcome<Table> {
    let mut table = table(&["cold read bytes", "advice", "p50 ms", "p99 ms"]);
    let file = File::open(data).about(data)?;
    let length = file.metadata().about(data)?.len();
    for bytes in READS_BYTES {
        for (name, advice) in [("none", Advice::Normal), ("random", Advice::Random)] {
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
            rustix::fs::fadvise(&file, 0, None, advice)?;
            let mut buffer = vec![0; bytes];
            let mut waits = Vec::new();
            for number in 0..READS as u64 {
                // A step that is prime to the number of reads visits every place once.
                let place = number * 149 % READS as u64;
                let at = place * ((length - bytes as u64) / READS as u64);
                let start = Instant::now();
                file.read_exact_at(&mut buffer, at).about(data)?;
                waits.push(start.elapsed().as_secs_f64() * 1e3);
            }
            waits.sort_by(f64::total_cmp);
            table.add_row([
                bytes.to_string(),
                name.to_owned(),
                format!("{:.3}", part_of(&waits, 0.50)),
                format!("{:.3}", part_of(&waits, 0.99)),
            ]);
        }
    }
    Ok(table)
}

type Pack = fn(&[u8]) -> Vec<u8>;
type Unpack = fn(&[u8], usize) -> Vec<u8>;

const CODECS: [(&str, Pack, Unpack); 3] = [
    ("lz4_flex", lz4_flex::block::compress, |packed, plain| {
        lz4_flex::block::decompress(packed, plain).unwrap_or_default()
    }),
    (
        "zstd 1",
        |plain| zstd::bulk::compress(plain, 1).unwrap_or_default(),
        |packed, plain| zstd::bulk::decompress(packed, plain).unwrap_or_default(),
    ),
    (
        "zstd 3",
        |plain| zstd::bulk::compress(plain, 3).unwrap_or_default(),
        |packed, plain| zstd::bulk::decompress(packed, plain).unwrap_or_default(),
    ),
];

fn codecs(data: &Path, blocks: usize) -> Outcome<Table> {
    let mut table = table(&[
        "codec",
        "events a block",
        "plain B/event",
        "packed B/event",
        "ratio",
        "pack ns/event",
        "unpack ns/event",
    ]);
    for events in [16, 64, 256] {
        let plain = plain_blocks(data, blocks, events)?;
        let count = (plain.len() * events) as f64;
        let length: usize = plain.iter().map(Vec::len).sum();
        for (name, pack, unpack) in CODECS {
            let start = Instant::now();
            let packed: Vec<Vec<u8>> = plain.iter().map(|block| pack(block)).collect();
            let packing = start.elapsed();
            let start = Instant::now();
            let back: Vec<Vec<u8>> = (packed.iter().zip(&plain))
                .map(|(packed, plain)| unpack(packed, plain.len()))
                .collect();
            let unpacking = start.elapsed();
            if back != plain {
                return Err(format!("{name} does not give back what it packed").into());
            }
            let packed: usize = packed.iter().map(Vec::len).sum();
            table.add_row([
                name.to_owned(),
                events.to_string(),
                format!("{:.1}", length as f64 / count),
                format!("{:.1}", packed as f64 / count),
                format!("{:.3}", packed as f64 / length as f64),
                format!("{:.0}", packing.as_nanos() as f64 / count),
                format!("{:.0}", unpacking.as_nanos() as f64 / count),
            ]);
        }
    }
    Ok(table)
}

/// Blocks of stored events, one after the other without their lengths, as a frame has them.
/// They are drawn from every tenth block of the file, because its beginning is not typical.
fn plain_blocks(data: &Path, blocks: usize, events: usize) -> Outcome<Vec<Vec<u8>>> {
    let feed = Feed::once(data)?;
    let mut plain = Vec::new();
    let mut number = 0;
    while plain.len() < blocks {
        let Some(block) = feed.block()? else { break };
        number += 1;
        if number % 10 != 0 {
            continue;
        }
        let stored: Vec<&[u8]> = block.stored().collect();
        plain.extend(stored.chunks_exact(events).map(<[&[u8]]>::concat));
    }
    plain.truncate(blocks);
    Ok(plain)
}
