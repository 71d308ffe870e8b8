//! fjall as the same event store: three keyspaces, one batch a commit.

use super::admit::{Lookup, admit, listed};
use super::committer::{Committer, Engine, Request};
use super::{Contender, Verdict};
use crate::fault::Outcome;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::path::Path;

struct Fjall {
    database: Database,
    events: Keyspace,
    ids: Keyspace,
    subjects: Keyspace,
}

/// Opens the database with its own defaults.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    let database = Database::builder(path).open()?;
    let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default);
    let (events, ids, subjects) = (keyspace("events")?, keyspace("ids")?, keyspace("subjects")?);
    Committer::start(Fjall {
        database,
        events,
        ids,
        subjects,
    })
}

impl Lookup for Fjall {
    fn has_id(&self, id: &[u8; 16]) -> Outcome<bool> {
        Ok(self.ids.contains_key(id)?)
    }

    fn named_after(&self, subject: &[u8], after: u64) -> Outcome<bool> {
        let range = listed(subject, after + 1)..=listed(subject, u64::MAX);
        let first = self.subjects.range(range).next();
        Ok(first.map(|entry| entry.key()).transpose()?.is_some())
    }
}

impl Engine for Fjall {
    const INDEXED: bool = true;

    fn end(&mut self) -> Outcome<u64> {
        let last = self.events.last_key_value();
        let key = last.map(|entry| entry.key()).transpose()?;
        let key = key.and_then(|key| key.first_chunk().copied());
        Ok(u64::from_be_bytes(key.unwrap_or_default()))
    }

    fn commit(&mut self, end: u64, batch: &[Request]) -> Outcome<Vec<Verdict>> {
        let admitted = admit(end, batch, self)?;
        let mut write = self.database.batch();
        write = write.durability(Some(PersistMode::SyncData));
        for (position, record) in &admitted.records {
            let key = position.to_be_bytes();
            write.insert(&self.events, key, record.stored.as_slice());
            write.insert(&self.ids, record.id, key);
            for subject in &record.subjects {
                write.insert(&self.subjects, listed(subject, *position), []);
            }
        }
        write.commit()?;
        Ok(admitted.verdicts)
    }
}
