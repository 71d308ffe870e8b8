//! message-db on PostgreSQL: its function `write_message`, one connection a client.
//!
//! The server has to run with message-db installed and empty; see `install.sh` of the npm package.

use super::{Append, Contender, Verdict};
use crate::fault::Outcome;
use ledger::secret::Pepper;
use postgres::{Client, NoTls, Statement};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The database that its installation makes, on this machine. Its functions call each other without
/// the name of their schema.
const DATABASE: &str = "host=/var/run/postgresql user=postgres dbname=message_store options='-c search_path=message_store,public'";

const WRITE: &str = "SELECT write_message($1::varchar, $2::varchar, $3::varchar, $4::jsonb)";

/// A connection and the statement that was prepared on it.
type Connection = (Client, Statement);

/// Connections that no client uses at the moment.
struct MessageDb(Mutex<Vec<Connection>>);

/// Connects to the server; the path only stands for its place in the run.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    std::fs::create_dir_all(path)?;
    Ok(Box::new(MessageDb(Mutex::new(vec![connect()?]))))
}

fn connect() -> Outcome<Connection> {
    let mut client = Client::connect(DATABASE, NoTls)?;
    let write = client.prepare(WRITE)?;
    Ok((client, write))
}

impl MessageDb {
    fn idle(&self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Contender for MessageDb {
    fn end(&self) -> u64 {
        0
    }

    fn append(&self, append: Append<'_>) -> Outcome<Verdict> {
        let (mut client, write) = match self.idle() {
            Some(connection) => connection,
            None => connect()?,
        };
        let mut transaction = client.transaction()?;
        for fact in &append.facts {
            let id = Uuid::from_bytes(fact.id.0).to_string();
            let subject = fact.subjects().pop();
            let subject = subject.map_or_else(|| "none-none".to_owned(), |s| s.to_string());
            let stream = subject.replacen(':', "-", 1);
            let body = fact.payload.write_json(Pepper::public().id());
            transaction.execute(&write, &[&id, &stream, &fact.kind().name, &body])?;
        }
        transaction.commit()?;
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((client, write));
        Ok(Verdict::Appended)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}
