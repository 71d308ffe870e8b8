//! The store itself, through its public interface.

use super::{Append, Contender, Verdict};
use crate::fault::Outcome;
use ledger::log::Engine;
use ledger::secret::Pepper;
use ledger::store::{AppendError, Condition, Known, NewStore, Store};
use ledger::time::{Clock, Timestamp};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock of this computer.
pub struct WallClock;

impl Clock for WallClock {
    fn now(&mut self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::from_micros(since.unwrap_or_default().as_micros() as i64)
    }
}

struct Ours(Store);

/// Opens the store with an engine, making it if it is not there.
pub fn open(engine: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    Ok(Box::new(Ours(open_store(engine, path)?)))
}

/// Opens a store with an engine, making it if it is not there.
pub fn open_store(engine: &str, path: &Path) -> Outcome<Store> {
    let clock = Box::new(WallClock);
    if path.exists() {
        return Ok(Store::open(path, clock)?);
    }
    let engine = Engine::named(engine).ok_or("there is no such engine")?;
    let new = NewStore {
        engine: engine.name,
        pepper: Pepper::public().id(),
        store_id: [7; 16],
        created_at: WallClock.now(),
    };
    Ok(Store::create(path, new, clock)?)
}

impl Contender for Ours {
    fn end(&self) -> u64 {
        self.0.end().0
    }

    fn append(&self, append: Append<'_>) -> Outcome<Verdict> {
        let guard = append.guard;
        let conditions = [
            Condition::SubjectUnchangedSince {
                subject: guard.unchanged,
                position: ledger::id::Position(guard.since),
            },
            Condition::SubjectAbsent {
                subject: guard.absent,
            },
        ];
        match self.0.append(append.facts, &conditions, Known::Refuse) {
            Ok(receipt) if receipt.known == 0 => Ok(Verdict::Appended),
            Ok(_) => Err("the store knows an event that it was never given".into()),
            Err(AppendError::Changed { .. }) => Ok(Verdict::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.0.close()?)
    }
}
