//! The ledger over HTTP, read only: views, subject histories and findings as JSON, each answer with
//! the position that it reflects.
//!
//! There is no authentication yet, so the server listens on the loopback interface only unless its
//! operator allows more, and then refuses requests that were addressed to another host, because a
//! web page could send them. It never answers with a key, a person or a machine in clear, and its
//! log names routes, never paths or queries.
//!
//! What it costs: views are folded from the stored fold inputs of the store, which follow its log.
//! Findings cost an audit of the whole log when they are asked for at a point that nobody asked for lately;
//! requests that come meanwhile share that work, and nothing of it stays but the report.

mod answer;
mod app;
mod connections;
mod cursor;
mod layers;
mod log;
mod point;
mod problem;
mod route;

pub use app::Settings;
pub use log::{Level, start as start_log};
pub use route::document;

use crate::error::{Class, Failure};
use crate::ground::views_failure;
use app::App;
use ledger::secret::PepperId;
use ledger::store::Store;
use projections::stored::Views;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Threads that read and fold at the same time; further requests wait for one.
const BLOCKING_THREADS_MAX: usize = 16;

/// A server that has its address but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
}

impl Server {
    /// Takes an address. Port 0 takes any free one. Refused: an address that others can reach,
    /// unless the settings allow it; an address that is in use.
    pub fn bind(address: SocketAddr, settings: Settings) -> Result<Self, Failure> {
        let what = format!("cannot listen on {address}");
        if !settings.allow_remote && !address.ip().to_canonical().is_loopback() {
            let why = "others could reach this address, and the server does not ask who they are";
            let hint = "listen on 127.0.0.1, or give --allow-remote if something else guards it";
            return Err(Failure::new(what, why, hint).class(Class::Refused));
        }
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (address, listener) = listener.map_err(|error| {
            let hint = "give another --listen; port 0 takes any free one";
            Failure::new(what, error.to_string(), hint)
        })?;
        Ok(Self {
            listener,
            address,
            settings,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Brings the views up to the end of the log, calls `ready`, and answers requests until `stop` ends; then finishes
    /// those that have begun, for a bounded time. The store stays open.
    pub async fn run(
        self,
        store: Store,
        pepper: PepperId,
        ready: impl FnOnce(SocketAddr),
        stop: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let (stopping, watched) = tokio::sync::watch::channel(false);
        let grace = self.settings.grace;
        let views = tokio::task::spawn_blocking({
            let store = store.clone();
            move || {
                let views = Views::open(&store).map_err(|error| views_failure(&error))?;
                let caught_up = views.catch_up(&|_, _| {});
                caught_up
                    .and_then(|_| views.warm_up())
                    .map_err(|error| views_failure(&error))?;
                Ok::<_, Failure>(views)
            }
        });
        let views = views
            .await
            .map_err(|_| Failure::new("cannot read the store", "reading stopped", "try again"))??;
        let app = App::new(store, views, pepper, self.settings, watched.clone());
        let following = Arc::clone(&app);
        let router = layers::around(route::router(), &app).with_state(app);
        let listener = tokio::net::TcpListener::from_std(self.listener)
            .map_err(|error| Failure::new("cannot listen", error.to_string(), "try again"))?;
        ready(self.address);
        let answering = connections::answer(listener, router, watched, grace);
        let stop = async {
            stop.await;
            // Nobody listens any more only if answering has ended by itself.
            let _ = stopping.send(true);
        };
        tokio::join!(answering, stop, following.follow());
        Ok(())
    }
}

/// The runtime that a server needs.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("actl-serve")
        .build()
        .map_err(|error| {
            let hint = "close other programs or raise the limit on threads";
            Failure::new("cannot start the server", error.to_string(), hint)
        })
}
