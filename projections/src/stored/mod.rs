//! Stored fold inputs: what the views of a store are folded from, kept together by subject.
//!
//! For every subject that a log names there is a list of its *fold inputs*: the events that its projection
//! takes, without ciphertext, and the changes of its counters ([`Change`](crate::source::Change)). Views
//! are folded from them when somebody asks, at any point in both times: nothing that was folded is stored,
//! so that an event that arrives late is like any other. Which event stands instead of which is found once,
//! when events are taken in, and noted in the list of every subject that the old event names, also of those
//! that the new one does not name; so a subject's own list suffices.
//!
//! The lists are derived from the log and kept as it keeps its index ([`ledger::lists`]): in runs that are
//! written once, with a watermark; what comes later is in memory, and is read from the log again after
//! opening. So whatever is killed when, each event counts exactly once, and the lists can be deleted.

mod catch_up;
mod extract;
mod hiding;
mod items;
mod names;
mod rebuild;
mod replaced;
mod source;
mod value;

pub use hiding::Hiding;
use ledger::id::Position;
use ledger::lists::{Generations, Lists, ListsError, RunSize};
use ledger::store::{Store, StoreError};
pub use names::{domains_of, keeps, made_by};
pub use rebuild::Rebuilding;
pub use source::Stored;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Why stored views could not be read or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewsError {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is kept of the views could not be read or written.
    #[error(
        "the stored views cannot be used ({0}); they are derived: `actl doctor --rebuild-views` makes them again"
    )]
    Lists(#[from] ListsError),
    /// An event of the log cannot be decoded.
    #[error("the event at position {position} cannot be read: {reason}")]
    Event {
        /// Where it is.
        position: Position,
        /// What the codec said.
        reason: String,
    },
    /// What a list holds is not what was put there.
    #[error("the stored fold inputs of {subject} are not what was written: {what}")]
    Value {
        /// Whose they are.
        subject: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A view could not be folded because its inputs could not be read.
    #[error("{0}")]
    Fold(String),
}

/// Up to where the views of the store at a path are kept, without opening anything; or why they will be
/// made again. Reads one small file: whether the runs are what was written is seen when they are opened.
pub fn state_of(store: &Path) -> Result<Position, String> {
    Generations::kept_until(&store.join(FOLDER), &made_by())
}

/// Where the views are, in the directory of their store.
const FOLDER: &str = "views";

/// How much the views of a store keep in one piece.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// How many events go into a run.
    pub runs: RunSize,
    /// How many threads read the log when there is much to catch up with.
    pub readers: usize,
    /// So many events are taken in at once when there is little.
    pub batch: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            runs: RunSize {
                full: 1 << 16,
                at_close: 1 << 12,
                fan_out: 12,
            },
            readers: 2,
            batch: 4_096,
        }
    }
}

/// The views of a store: their fold inputs, and how they follow its log. Cloning shares them.
#[derive(Clone)]
pub struct Views {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    sizes: Sizes,
    /// Where the lists are kept; `None` for a store in memory.
    generations: Option<Generations>,
    lists: RwLock<Arc<Lists>>,
    /// Held by whoever adds.
    adding: Mutex<()>,
    made_again: Option<String>,
}

impl Views {
    /// The views of a store, as far as they were kept, beside its log: what was recorded since is not in
    /// them before [`Views::catch_up`]. Costs a look at each file.
    pub fn open(store: &Store) -> Result<Self, ViewsError> {
        Self::open_with(store, Sizes::default())
    }

    /// [`Views::open`] with other sizes: for tests.
    pub fn open_with(store: &Store, sizes: Sizes) -> Result<Self, ViewsError> {
        let description = store.description();
        let Some(path) = &description.path else {
            return Ok(Self::over(
                store,
                sizes,
                None,
                Lists::in_memory(sizes.runs),
                None,
            ));
        };
        let (generations, lists, rebuilt) = Generations::open(
            &path.join(FOLDER),
            description.store_id,
            &made_by(),
            sizes.runs,
        )?;
        // A store that has nothing has no views that could be missing.
        let made_again = rebuilt
            .filter(|_| store.end() > Position(0))
            .map(|rebuilt| rebuilt.reason);
        Ok(Self::over(
            store,
            sizes,
            Some(generations),
            lists,
            made_again,
        ))
    }

    fn over(
        store: &Store,
        sizes: Sizes,
        generations: Option<Generations>,
        lists: Lists,
        made_again: Option<String>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                store: store.clone(),
                sizes,
                generations,
                lists: RwLock::new(Arc::new(lists)),
                adding: Mutex::default(),
                made_again,
            }),
        }
    }

    /// Why what was kept, or the end of it, has to be made again, if it has to.
    pub fn made_again(&self) -> Option<&str> {
        self.shared.made_again.as_deref()
    }

    /// Up to where they reach.
    pub fn end(&self) -> Position {
        self.lists().end()
    }

    /// How many positions of the log they have not taken in yet.
    pub fn lag(&self) -> u64 {
        self.shared.store.end().0.saturating_sub(self.end().0)
    }

    /// What they hold up to where they reach now, to be folded. What is added later does not show in it.
    pub fn source(&self) -> Stored {
        Stored::new(self.lists())
    }

    /// Opens what the first look-ups would have to open else, for somebody who stays.
    pub fn warm_up(&self) -> Result<(), ViewsError> {
        Ok(self.lists().warm_up()?)
    }

    /// Writes everything that is in memory and merges what is due, and waits for that.
    pub fn settle(&self) -> Result<(), ViewsError> {
        Ok(self.lists().settle()?)
    }

    /// Writes what is worth it, so that the next opening has less to catch up with.
    pub fn close(&self) -> Result<(), ViewsError> {
        let _adding = self.shared.adding();
        Ok(self.lists().close()?)
    }

    fn lists(&self) -> Arc<Lists> {
        self.shared.lists()
    }
}

impl Shared {
    fn lists(&self) -> Arc<Lists> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&lists)
    }

    fn adding(&self) -> MutexGuard<'_, ()> {
        self.adding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
