//! SQLite as the same event store: three tables, one transaction a commit.

use super::admit::{Lookup, admit};
use super::committer::{Committer, Engine, Request};
use super::{Contender, Verdict};
use crate::fault::Outcome;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::path::Path;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, stored BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS subjects (
        subject BLOB, position INTEGER, PRIMARY KEY (subject, position)
    ) WITHOUT ROWID;
";

struct Sqlite(Connection);

/// Opens the database; every commit syncs the write-ahead log.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    let connection = Connection::open(path)?;
    connection.execute_batch(SCHEMA)?;
    connection.set_prepared_statement_cache_capacity(16);
    Committer::start(Sqlite(connection))
}

impl Lookup for Transaction<'_> {
    fn has_id(&self, id: &[u8; 16]) -> Outcome<bool> {
        let mut select = self.prepare_cached("SELECT 1 FROM ids WHERE id = ?")?;
        Ok(select.exists([id.as_slice()])?)
    }

    fn named_after(&self, subject: &[u8], after: u64) -> Outcome<bool> {
        let query = "SELECT 1 FROM subjects WHERE subject = ? AND position > ? LIMIT 1";
        let mut select = self.prepare_cached(query)?;
        Ok(select.exists(params![subject, after as i64])?)
    }
}

impl Engine for Sqlite {
    const INDEXED: bool = true;

    fn end(&mut self) -> Outcome<u64> {
        let last = "SELECT position FROM events ORDER BY position DESC LIMIT 1";
        let last: Option<i64> = self.0.query_row(last, [], |row| row.get(0)).optional()?;
        Ok(last.unwrap_or(0) as u64)
    }

    fn commit(&mut self, end: u64, batch: &[Request]) -> Outcome<Vec<Verdict>> {
        let transaction = self.0.transaction()?;
        let admitted = admit(end, batch, &transaction)?;
        {
            let mut event = transaction.prepare_cached("INSERT INTO events VALUES (?, ?)")?;
            let mut id = transaction.prepare_cached("INSERT INTO ids VALUES (?, ?)")?;
            let mut listing = transaction.prepare_cached("INSERT INTO subjects VALUES (?, ?)")?;
            for (position, record) in &admitted.records {
                let position = *position as i64;
                event.execute(params![position, record.stored])?;
                id.execute(params![record.id.as_slice(), position])?;
                for subject in &record.subjects {
                    listing.execute(params![subject, position])?;
                }
            }
        }
        transaction.commit()?;
        Ok(admitted.verdicts)
    }
}
