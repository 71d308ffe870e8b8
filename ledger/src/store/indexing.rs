//! The index of an open store. The log can be read at once; the index is opened and brought up to the
//! end of the log meanwhile, by the thread that writes, before it writes anything.

use super::error::StoreError;
use crate::event::walk::Outline;
use crate::id::Position;
use crate::index::entry::Entries;
use crate::index::{Index, Rebuilt, RunSize, disk};
use crate::log::{CommitLog, LogError, Place};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};

/// Where the index comes from.
pub(crate) enum Source {
    /// It is in memory and empty.
    Memory(Index),
    /// It is in a directory, as far as it is there and can be trusted.
    Disk {
        directory: PathBuf,
        store_id: [u8; 16],
        runs: RunSize,
    },
}

/// An index that is ready, or is going to be.
#[derive(Default)]
pub(crate) struct Indexing {
    ready: OnceLock<Result<Ready, NotReady>>,
    done: AtomicU64,
}

struct Ready {
    index: Index,
    rebuilt: Option<Rebuilt>,
}

struct NotReady {
    reason: String,
    is_damage: bool,
}

impl Indexing {
    /// The index; blocks until it is ready.
    pub(crate) fn get(&self) -> Result<&Index, StoreError> {
        self.ready().map(|ready| &ready.index)
    }

    /// Why it had to be built again, if it had to; blocks until it is ready.
    pub(crate) fn rebuilt(&self) -> Result<Option<&Rebuilt>, StoreError> {
        self.ready().map(|ready| ready.rebuilt.as_ref())
    }

    /// Up to where it is ready, or `None` once it is, or failed.
    pub(crate) fn progress(&self) -> Option<Position> {
        match self.ready.get() {
            Some(_) => None,
            None => Some(Position(self.done.load(Ordering::Relaxed))),
        }
    }

    fn ready(&self) -> Result<&Ready, StoreError> {
        let ready = self.ready.wait().as_ref();
        ready.map_err(|NotReady { reason, is_damage }| StoreError::NotIndexed {
            reason: reason.clone(),
            is_damage: *is_damage,
        })
    }

    /// Makes it ready, unless `stop` says that nobody will need it.
    pub(crate) fn make_ready(&self, log: &dyn CommitLog, source: Source, stop: &dyn Fn() -> bool) {
        self.ready.get_or_init(|| {
            let made = self.make(log, source, stop);
            made.map_err(|error| NotReady {
                reason: error.to_string(),
                is_damage: error.is_damage(),
            })
        });
    }

    /// Lets nobody wait for an index that nobody is making.
    pub(crate) fn give_up(&self) {
        let reason = "the thread that makes it ended before its time".to_owned();
        let is_damage = false;
        // If it is ready, it stays.
        drop(self.ready.set(Err(NotReady { reason, is_damage })));
    }

    fn make(
        &self,
        log: &dyn CommitLog,
        source: Source,
        stop: &dyn Fn() -> bool,
    ) -> Result<Ready, StoreError> {
        let (index, rebuilt) = match source {
            Source::Memory(index) => (index, None),
            Source::Disk {
                directory,
                store_id,
                runs,
            } => disk::open(&directory, store_id, runs)?,
        };
        // An empty log has no index that could be missing.
        let rebuilt = rebuilt.filter(|_| log.end() > Position(0));
        self.catch_up(log, &index, stop)?;
        Ok(Ready { index, rebuilt })
    }

    /// Adds to the index what the log holds after its watermark. Costs a walk over each event's stored bytes,
    /// which another thread reads while this one adds.
    fn catch_up(
        &self,
        log: &dyn CommitLog,
        index: &Index,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        let (first, end) = (index.watermark().next(), log.end());
        if first > end {
            return Ok(());
        }
        let (sender, portions) = mpsc::sync_channel(PORTIONS_READ_MAX);
        std::thread::scope(|scope| {
            // It goes before the scope waits for the thread, which else would wait for it.
            let portions = portions;
            let thread = std::thread::Builder::new().name("ledger-reading".to_owned());
            let started =
                thread.spawn_scoped(scope, move || read_portions(log, first, end, &sender));
            started.map_err(|_| StoreError::Thread {
                what: "that reads the log for the index could not be started",
            })?;
            let mut next = first;
            while next <= end {
                if stop() {
                    return Err(StoreError::Thread {
                        what: "was stopped before the index was ready",
                    });
                }
                let portion = portions.recv().map_err(|_| StoreError::Thread {
                    what: "that reads the log for the index ended before its time",
                });
                let Portion { last, entries } = portion??;
                match &entries {
                    Some(entries) => index.add(next, entries.iter()),
                    None => index.pass(last),
                }
                index.make_room()?;
                self.done.store(last.0, Ordering::Relaxed);
                next = last.next();
            }
            Ok(())
        })
    }
}

/// How many portions are read ahead.
const PORTIONS_READ_MAX: usize = 4;

/// What the index keeps of the events up to a position; `None` if they are lost.
struct Portion {
    last: Position,
    entries: Option<Entries>,
}

/// Reads the log from one position to another, a frame a portion, until it is through, something
/// fails, or nobody takes the portions any more.
fn read_portions(
    log: &dyn CommitLog,
    first: Position,
    end: Position,
    to: &SyncSender<Result<Portion, StoreError>>,
) {
    let mut place = Place::default();
    let mut outline = Outline::default();
    let mut next = first;
    while next <= end {
        let portion = read_portion(log, next, &mut place, &mut outline);
        let last = portion.as_ref().map_or(end, |portion| portion.last);
        if to.send(portion).is_err() {
            return;
        }
        next = last.next();
    }
}

fn read_portion(
    log: &dyn CommitLog,
    first: Position,
    place: &mut Place,
    outline: &mut Outline,
) -> Result<Portion, StoreError> {
    let frame = log.next_frame(first, place)?;
    let frame = frame.ok_or_else(|| LogError::Damaged {
        position: first,
        reason: "no frame holds it".to_owned(),
    })?;
    let last = frame.last();
    if frame.is_lost() {
        let entries = None;
        return Ok(Portion { last, entries });
    }
    let mut entries = Entries::with_room(usize::try_from(last.0 + 1 - first.0).unwrap_or(0));
    let mut next = first;
    while next <= last {
        let stored = frame.event(next).ok_or_else(|| LogError::Damaged {
            position: next,
            reason: "the frame does not reach it".to_owned(),
        })?;
        let read = outline.read(stored);
        read.map_err(|error| StoreError::Event {
            position: next,
            error,
        })?;
        if outline.position() != next {
            let found = outline.position();
            let reason = format!("the event there says that it is at position {found}");
            return Err(LogError::Damaged {
                position: next,
                reason,
            }
            .into());
        }
        entries.push_outline(outline);
        next = next.next();
    }
    let entries = Some(entries);
    Ok(Portion { last, entries })
}
