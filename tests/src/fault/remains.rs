//! What is salvaged of a damaged store, held against the store as it was before.
//!
//! A frame whose stored bytes are still there somewhere in the damaged log has to be salvaged with every
//! event as it was. Of the others whole blocks may be; what is not has to be named as lost, the same by whoever
//! examines the store and by whoever salvages it.

use crate::stores::{identity, try_open};
use ledger::event::Event;
use ledger::id::{Name, Position};
use ledger::log::Frame;
use ledger::store::{NewIncarnation, Store, StoreError, examine, salvage};
use ledger::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How much of a frame is in one piece of the sled engine, and how long the part of a piece before it is; see
/// `FORMAT.md`.
const PIECE_CONTENT_BYTES: usize = (6 << 10) - PIECE_HEADER_BYTES;
const PIECE_HEADER_BYTES: usize = 36;
const PIECE_MARK: &[u8] = b"ALpc";
const FRAME_MARK: &[u8] = b"ALfr";

/// What a salvage is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Before {
    /// A copy of the store from before the damage.
    pub store: PathBuf,
    /// Where the damaged one is salvaged to.
    pub salvaged: PathBuf,
}

/// A store as it was before it was damaged, and what of it the damage has left.
pub struct Remains {
    events: BTreeMap<u64, Event>,
    /// First and last position of the frames whose bytes are not whole any more.
    damaged: Vec<(u64, u64)>,
}

impl Remains {
    /// Looks at the files of the damaged store, which nobody has opened since.
    pub fn of(before: &Before, damaged: &Path, engine: &str) -> Result<Self, StoreError> {
        let (was, is) = (
            Files::of(&before.store.join("log")),
            Files::of(&damaged.join("log")),
        );
        let store = try_open(&before.store)?;
        let frames = store.frames(Position(0), store.end());
        let mut damaged = Vec::new();
        for frame in frames {
            let frame = frame?;
            let is_whole = match engine {
                "sled" => is.holds_pieces(&frame, &was),
                _ => is.holds(FRAME_MARK, frame.bytes()),
            };
            if !is_whole {
                damaged.push((frame.first().0, frame.last().0));
            }
        }
        let events = events(&store)?;
        Ok(Self { events, damaged })
    }

    /// Salvages the damaged store. Returns how many events were lost, or what is not as it must be.
    pub fn judge(&self, before: &Before, damaged: &Path) -> Result<u64, String> {
        let said = |error: StoreError| error.to_string();
        let new = NewIncarnation {
            engine: None,
            by: Name::new("trial").map_err(|error| error.to_string())?,
            now: Timestamp::from_micros(0),
            note: None,
            identity: Some(identity()),
        };
        let missing = examine(damaged, &mut |_, _| ()).map_err(said)?.missing;
        let salvaged = salvage(damaged, &before.salvaged, &new, &|_| None, &mut |_, _| ());
        let lost = salvaged.map_err(said)?.incarnation.lost;
        if missing != lost {
            return Err(format!("{missing:?} are missing, but {lost:?} were lost"));
        }
        let found = events(&try_open(&before.salvaged).map_err(said)?).map_err(said)?;
        let is_in =
            |ranges: &[(u64, u64)], n: u64| ranges.iter().any(|(a, b)| (*a..=*b).contains(&n));
        let lost: Vec<_> = lost.iter().map(|(first, last)| (first.0, last.0)).collect();
        for (number, event) in &self.events {
            match found.get(number) {
                Some(found) if found == event && !is_in(&lost, *number) => {}
                None if is_in(&lost, *number) && is_in(&self.damaged, *number) => {}
                None if is_in(&lost, *number) => {
                    return Err(format!("event {number} was lost, and its frame is whole"));
                }
                _ => {
                    return Err(format!(
                        "event {number} is neither as it was nor named as lost"
                    ));
                }
            }
        }
        // The only other one is the event that the incarnation begins with.
        let others = found.len() + count(&lost) - self.events.len();
        match others {
            1 => Ok(count(&lost) as u64),
            _ => Err(format!("{others} events are there that nobody appended")),
        }
    }
}

fn count(ranges: &[(u64, u64)]) -> usize {
    let lengths = ranges
        .iter()
        .map(|(first, last)| (last + 1 - first) as usize);
    lengths.sum()
}

fn events(store: &Store) -> Result<BTreeMap<u64, Event>, StoreError> {
    let events = store.read(Position(0));
    events
        .map(|event| event.map(|event| (event.position.0, event)))
        .collect()
}

/// The files of a log.
struct Files(Vec<Vec<u8>>);

impl Files {
    fn of(log: &Path) -> Self {
        let entries = fs::read_dir(log).into_iter().flatten().flatten();
        Self(
            entries
                .filter_map(|entry| fs::read(entry.path()).ok())
                .collect(),
        )
    }

    /// Whether some bytes, which begin with a mark, stand somewhere.
    fn holds(&self, mark: &[u8], wanted: &[u8]) -> bool {
        self.find(mark, |bytes| bytes.starts_with(wanted)).is_some()
    }

    /// The first bytes after a mark that are what is wanted.
    fn find(&self, mark: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
        self.0.iter().find_map(|file| {
            let mut starts = file.windows(mark.len()).enumerate();
            let found = starts.find(|(at, start)| *start == mark && is_wanted(&file[*at..]));
            found.map(|(at, _)| &file[at..])
        })
    }

    /// Whether every piece of a frame stands somewhere with the header that it had.
    fn holds_pieces(&self, frame: &Frame, was: &Self) -> bool {
        frame.bytes().chunks(PIECE_CONTENT_BYTES).all(|content| {
            let is_piece = |bytes: &[u8]| {
                let after = bytes.get(PIECE_HEADER_BYTES..);
                after.is_some_and(|after| after.starts_with(content))
            };
            let piece = was.find(PIECE_MARK, is_piece);
            let length = PIECE_HEADER_BYTES + content.len();
            piece.is_some_and(|piece| self.holds(PIECE_MARK, &piece[..length]))
        })
    }
}
