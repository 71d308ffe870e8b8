//! What the routes share: the store, its stored views, and the audits that were asked for.

use super::point::end_of_second;
use super::problem::{Code, Problem, RETRY_AFTER_SECONDS};
use crate::audited::{from_kept, takes_less};
use crate::command::audit::audit_failure;
use crate::ground::views_failure;
use crate::histories::now;
use ledger::id::Position;
use ledger::secret::PepperId;
use ledger::store::Store;
use ledger::time::Timestamp;
use projections::Point;
use projections::stored::{Stored, Views};
use replay::audit::kept::KeptFindings;
use replay::audit::{Report, audit_log};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_stream::StreamExt;

/// Audits that are kept, the latest.
const REPORTS_KEPT: usize = 8;
/// Tails that are fed at the same time.
const TAILS_MAX: usize = 64;

/// How long what was appended is gathered before the views take it in, if nobody asks for them.
const FOLLOWED_EVERY: Duration = Duration::from_millis(50);

/// How a server behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether others than this machine may reach it.
    pub allow_remote: bool,
    /// The present instant.
    pub now: fn() -> Timestamp,
    /// How long a request waits for its `min_position`.
    pub position_wait: Duration,
    /// How long a request may take until its answer begins.
    pub request_time: Duration,
    /// How long requests that have begun may go on when the server stops.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_remote: false,
            now,
            position_wait: Duration::from_secs(5),
            request_time: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

/// Which audit: up to a position, at an instant.
type AuditKey = (Position, Timestamp);
type Audits = VecDeque<(AuditKey, Arc<OnceCell<Arc<Report>>>)>;

/// The state of a server.
pub struct App {
    /// The store.
    pub store: Store,
    /// Its views.
    pub views: Views,
    /// Which pepper its pseudonyms are keyed with.
    pub pepper: PepperId,
    /// How it behaves.
    pub settings: Settings,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
    /// One permit a tail.
    pub tails: Arc<Semaphore>,
    audits: std::sync::Mutex<Audits>,
    kept: Option<Arc<KeptFindings>>,
}

impl App {
    /// The state over a store, nothing gathered yet.
    pub fn new(
        store: Store,
        views: Views,
        pepper: PepperId,
        settings: Settings,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let kept = KeptFindings::open(&store);
        if let Err(error) = &kept {
            tracing::warn!(%error, "findings are not kept, but made of the log for each request");
        }
        let kept = kept.ok();
        Arc::new(Self {
            store,
            views,
            pepper,
            settings,
            stopping,
            tails: Arc::new(Semaphore::new(TAILS_MAX)),
            audits: std::sync::Mutex::default(),
            kept: kept.map(Arc::new),
        })
    }

    /// The views, with everything that was durable when this was called. Costs what was not taken in yet.
    pub async fn stored(&self) -> Result<Stored, Problem> {
        let views = self.views.clone();
        if views.lag() == 0 {
            return Ok(views.source());
        }
        let caught_up = blocking(move || {
            views.catch_up(&|_, _| {})?;
            Ok(views.source())
        });
        Ok(caught_up.await?.map_err(|error| views_failure(&error))?)
    }

    /// Lets the views follow the log, so that nobody who asks has to wait for them, until the server
    /// stops; then writes what is worth it.
    pub async fn follow(&self) {
        let mut stopping = self.stopping.clone();
        loop {
            let grown = {
                let mut tail = pin!(self.store.tail(self.views.end()));
                tokio::select! {
                    event = tail.next() => matches!(event, Some(Ok(_))),
                    _ = stopping.wait_for(|stopping| *stopping) => false,
                }
            };
            // Whoever asks is told what is wrong.
            if !grown || self.stored().await.is_err() {
                break;
            }
            tokio::time::sleep(FOLLOWED_EVERY).await;
        }
        let _ = stopping.wait_for(|stopping| *stopping).await;
        let views = self.views.clone();
        if let Ok(Err(error)) = blocking(move || views.close()).await {
            tracing::warn!(%error, "the stored views were not closed well");
        }
        if let Some(kept) = self.kept.clone()
            && let Ok(Err(error)) = blocking(move || kept.close()).await
        {
            tracing::warn!(%error, "the kept findings were not closed well");
        }
    }

    /// The report at a point: of the findings that are kept if they reach there, else of an audit of the log,
    /// once for all who ask the same.
    pub async fn report(self: &Arc<Self>, point: Point) -> Result<Arc<Report>, Problem> {
        let cell = self.audit_cell((point.as_of, point.valid_at));
        let store = self.store.clone();
        // What is kept cannot go back, so nobody may make it look ahead.
        let is_past = point.valid_at <= end_of_second((self.settings.now)());
        let kept = self.kept.clone().filter(|_| is_past);
        let stored = self.stored().await?;
        // A task of its own, so that a caller that gives up does not throw the work away.
        let auditing = tokio::spawn(async move {
            let run = async || {
                let report = blocking(move || {
                    let source = stored.until(point.as_of);
                    // Where they cannot be read the log is.
                    let is_near = |kept: &Arc<KeptFindings>| {
                        kept.end()
                            .is_ok_and(|end| takes_less(end, point.as_of.min(store.end())))
                    };
                    let kept = kept.filter(is_near);
                    let kept = kept.map(|kept| from_kept(&kept, &source, point));
                    match kept.transpose()?.flatten() {
                        Some(report) => Ok(report),
                        None => audit_log(&store, point).map_err(|error| audit_failure(&error)),
                    }
                });
                let report = report.await?.map_err(Problem::from)?;
                Ok::<_, Problem>(Arc::new(report))
            };
            cell.get_or_try_init(run).await.cloned()
        });
        auditing.await.map_err(|_| Problem::internal())?
    }

    fn audit_cell(&self, key: AuditKey) -> Arc<OnceCell<Arc<Report>>> {
        let mut audits = self.audits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = audits.iter().find(|(known, _)| *known == key) {
            return Arc::clone(cell);
        }
        if audits.len() >= REPORTS_KEPT {
            audits.pop_front();
        }
        let cell = Arc::new(OnceCell::new());
        audits.push_back((key, Arc::clone(&cell)));
        cell
    }

    /// Waits until a position is durable, for a bounded time and until the server stops.
    pub async fn reach(&self, position: Position) -> Result<(), Problem> {
        if self.store.end() >= position {
            return Ok(());
        }
        let before = Position(position.0.saturating_sub(1));
        let mut tail = pin!(self.store.tail(before));
        let mut stopping = self.stopping.clone();
        let reached = tokio::select! {
            event = tail.next() => event.transpose()?.is_some(),
            () = tokio::time::sleep(self.settings.position_wait) => false,
            _ = stopping.wait_for(|stopping| *stopping) => false,
        };
        if reached {
            return Ok(());
        }
        let end = self.store.end();
        Err(Problem::new(
            Code::PositionNotReached,
            &format!("the ledger is at position {end}"),
            "ask again after the time that Retry-After says, or leave out min_position",
        )
        .about("min_position")
        .at(end)
        .retry_after(RETRY_AFTER_SECONDS))
    }
}

/// Runs what reads or folds on a thread that may block.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    done.map_err(|_| Problem::internal())
}
