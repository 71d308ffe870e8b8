//! The UmaDB server, through its own client: subjects are tags.
//!
//! The server has to run, and has to be empty: `umadb --db-path DIRECTORY`, on the measured disk.

use super::{Append, Contender, Verdict};
use crate::fault::Outcome;
use ledger::event::Fact;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use umadb_client::{SyncUmaDbClient, UmaDbClient};
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem,
};
use uuid::Uuid;

/// How many connections the clients share.
const CONNECTIONS: usize = 8;

/// How often an append is sent again after the protocol failed: the server knows it by its ids.
const RETRIES: usize = 10;

/// How long a client waits before that.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Where the server listens by itself.
const ADDRESS: &str = "http://127.0.0.1:50051";

struct Uma {
    /// The connections.
    clients: Vec<SyncUmaDbClient>,
    /// Which one is next.
    turn: AtomicUsize,
    /// The furthest position that an answer named: asking the server would cost a round trip more.
    end: AtomicU64,
}

/// Connects to the server; the path only stands for its place in the run.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    std::fs::create_dir_all(path)?;
    let connect = |_| UmaDbClient::new(ADDRESS.to_owned()).connect();
    let clients: Result<Vec<_>, _> = (0..CONNECTIONS).map(connect).collect();
    let uma = Uma {
        clients: clients?,
        turn: AtomicUsize::new(0),
        end: AtomicU64::new(0),
    };
    uma.look()?;
    Ok(Box::new(uma))
}

impl Uma {
    fn client(&self) -> &SyncUmaDbClient {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.clients[turn % CONNECTIONS]
    }

    fn send(&self, events: &[DcbEvent], condition: &DcbAppendCondition) -> Result<u64, DcbError> {
        let condition = Some(condition.clone());
        self.client().append(events.to_vec(), condition, None)
    }

    /// Asks the server for the end.
    fn look(&self) -> Outcome<()> {
        let head = self.client().head()?.unwrap_or(0);
        self.end.fetch_max(head, Ordering::AcqRel);
        Ok(())
    }
}

fn event(fact: &Fact, stored: &[u8]) -> DcbEvent {
    let tags = fact.subjects();
    DcbEvent::default()
        .event_type(fact.kind().name)
        .tags(tags.iter().map(ToString::to_string))
        .data(stored.to_vec())
        .uuid(Uuid::from_bytes(fact.id.0))
}

impl Contender for Uma {
    fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    fn append(&self, append: Append<'_>) -> Outcome<Verdict> {
        let events = append.facts.iter().zip(append.stored);
        let events: Vec<DcbEvent> = events.map(|(fact, stored)| event(fact, stored)).collect();
        let unchanged = DcbQueryItem::new().tags([append.guard.unchanged.to_string()]);
        let condition = DcbAppendCondition::new(DcbQuery::new().item(unchanged));
        let condition = condition.after(Some(append.guard.since));
        let mut answer = self.send(&events, &condition);
        for _ in 0..RETRIES {
            if !matches!(answer, Err(DcbError::InternalError(_))) {
                break;
            }
            std::thread::sleep(RETRY_AFTER);
            answer = self.send(&events, &condition);
        }
        match answer {
            Ok(position) => {
                self.end.fetch_max(position, Ordering::AcqRel);
                Ok(Verdict::Appended)
            }
            Err(DcbError::IntegrityError(_)) => {
                // The change is one that no answer to this process has named yet.
                self.look()?;
                Ok(Verdict::Conflict)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        self.clients.iter().for_each(SyncUmaDbClient::close);
        Ok(())
    }
}
