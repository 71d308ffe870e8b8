use crate::error::{Failure, Outcome};
use crate::output::note;
use crate::place::{pepper_of, store_failure};
use crate::serve::{Level, Server, Settings, runtime, start_log};
use crate::session::Session;
use std::net::SocketAddr;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Answer questions about the ledger over HTTP.
///
/// Views, subject histories and findings as JSON, and the log as server-sent events; read only.
/// `GET /v1/openapi.json` describes every route. The store is held open until SIGINT or SIGTERM, so
/// that no other command can use it meanwhile.
///
/// There is no authentication yet: whoever reaches the address reads the ledger. That is why only
/// this machine can reach it, unless --allow-remote is given.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen. Port 0 takes a free one; the line `listening on http://ADDRESS` on standard
    /// error says which.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,

    /// Listen where others can reach it, though nobody is asked who they are.
    #[arg(long)]
    allow_remote: bool,

    /// What the log on standard error holds. It names routes, never paths or queries.
    #[arg(long, value_enum, default_value_t = Level::Info, value_name = "LEVEL")]
    log: Level,
}

impl Serve {
    /// Serves until it is told to stop.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let settings = Settings {
            allow_remote: self.allow_remote,
            ..Settings::default()
        };
        let server = Server::bind(self.listen, settings)?;
        let store = session.place.open_store()?;
        let warm = store.warm_up();
        warm.map_err(|error| store_failure("cannot read the index", &error))?;
        let pepper = pepper_of(&store)?;
        start_log(self.log);
        let served = runtime()?.block_on(async {
            let told = Signals::watch()?;
            let ready = |address| note(&format!("listening on http://{address}"));
            server.run(store.clone(), pepper, ready, told.any()).await
        });
        session.place.close(store)?;
        served.map(|()| Outcome::Clean)
    }
}

/// The signals that stop the server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn watch() -> Result<Self, Failure> {
        let watch = |kind| {
            signal(kind).map_err(|error| {
                let hint = "start it where signals are allowed";
                Failure::new("cannot watch for signals", error.to_string(), hint)
            })
        };
        Ok(Self {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
        })
    }

    async fn any(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
