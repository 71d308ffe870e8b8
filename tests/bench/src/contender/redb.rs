//! redb as the same event store: three tables, one transaction a commit.

use super::admit::{Lookup, admit, listed};
use super::committer::{Committer, Engine, Request};
use super::{Contender, Verdict};
use crate::fault::Outcome;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use std::path::Path;

const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const IDS: TableDefinition<'_, [u8; 16], u64> = TableDefinition::new("ids");
const SUBJECTS: TableDefinition<'_, &[u8], ()> = TableDefinition::new("subjects");

struct Redb(Database);

/// Opens the database with its own defaults; a commit is durable when it returns.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    let database = Database::create(path)?;
    let write = database.begin_write()?;
    write.open_table(EVENTS)?;
    write.open_table(IDS)?;
    write.open_table(SUBJECTS)?;
    write.commit()?;
    Committer::start(Redb(database))
}

/// The tables of a transaction that admits.
struct Kept<'t> {
    ids: Table<'t, [u8; 16], u64>,
    subjects: Table<'t, &'static [u8], ()>,
}

impl Lookup for Kept<'_> {
    fn has_id(&self, id: &[u8; 16]) -> Outcome<bool> {
        Ok(self.ids.get(id)?.is_some())
    }

    fn named_after(&self, subject: &[u8], after: u64) -> Outcome<bool> {
        let (from, to) = (listed(subject, after + 1), listed(subject, u64::MAX));
        let mut range = self.subjects.range(from.as_slice()..=to.as_slice())?;
        Ok(range.next().transpose()?.is_some())
    }
}

impl Engine for Redb {
    const INDEXED: bool = true;

    fn end(&mut self) -> Outcome<u64> {
        let read = self.0.begin_read()?;
        let events = read.open_table(EVENTS)?;
        Ok(events.last()?.map_or(0, |(key, _)| key.value()))
    }

    fn commit(&mut self, end: u64, batch: &[Request]) -> Outcome<Vec<Verdict>> {
        let write = self.0.begin_write()?;
        let verdicts = {
            let mut kept = Kept {
                ids: write.open_table(IDS)?,
                subjects: write.open_table(SUBJECTS)?,
            };
            let mut events = write.open_table(EVENTS)?;
            let admitted = admit(end, batch, &kept)?;
            for (position, record) in &admitted.records {
                events.insert(position, record.stored.as_slice())?;
                kept.ids.insert(record.id, position)?;
                for subject in &record.subjects {
                    let key = listed(subject, *position);
                    kept.subjects.insert(key.as_slice(), ())?;
                }
            }
            admitted.verdicts
        };
        write.commit()?;
        Ok(verdicts)
    }
}
