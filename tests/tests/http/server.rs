//! A real server on a free port of this machine, and what a client needs to ask it.

use ledger::event::Fact;
use ledger::secret::Pepper;
use ledger::store::{Known, Store};
use ledger::time::Timestamp;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tools::serve::{Server, Settings, runtime};

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server in a thread of this process. Dropping it stops it.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// Another handle of its store.
    pub store: Store,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The position that it reflects, by its header.
    pub fn position(&self) -> u64 {
        let header = self
            .header("ledger-position")
            .expect("every answer says its position");
        header.parse().expect("a position is a number")
    }
}

/// The settings of a test: little patience, and an instant after everything that the stories tell.
pub fn settings() -> Settings {
    Settings {
        now: || Timestamp::parse("2026-01-01T00:00:00.5Z").expect("it is an instant"),
        position_wait: Duration::from_millis(300),
        grace: Duration::from_secs(5),
        ..Settings::default()
    }
}

/// A store in memory with some facts.
pub fn store_of(facts: Vec<Fact>) -> Store {
    let store = Store::in_memory(tests::facts::clock()).expect("a store in memory can be made");
    append(&store, facts);
    store
}

/// Appends facts; those that are known are passed over.
pub fn append(store: &Store, facts: Vec<Fact>) {
    store
        .append(facts, &[], Known::Skip)
        .expect("the facts are appended");
}

/// Serves a store.
pub fn serve(store: Store, settings: Settings) -> Served {
    let address = "127.0.0.1:0".parse().expect("it is an address");
    let server = Server::bind(address, settings).expect("there is a free port");
    let (stop, stopped) = oneshot::channel();
    let (ready, is_ready) = mpsc::channel();
    let served = store.clone();
    let thread = std::thread::spawn(move || {
        let run = server.run(
            served,
            Pepper::public().id(),
            move |address| ready.send(address).expect("the test waits"),
            async { drop(stopped.await) },
        );
        let runtime = runtime().expect("there are threads");
        runtime.block_on(run).expect("the server runs");
    });
    let address = is_ready
        .recv_timeout(PATIENCE)
        .expect("the server gets ready");
    Served {
        address,
        store,
        stop: Some(stop),
        thread: Some(thread),
    }
}

impl Served {
    /// Asks for a path with its query.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// The same with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let mut request = agent().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().unwrap_or_else(|e| panic!("GET {path}: {e}"));
        let header = |(name, value): (&_, &_)| {
            let name: &ureq::http::HeaderName = name;
            let value: &ureq::http::HeaderValue = value;
            let value = value.to_str().expect("headers are text");
            (name.to_string(), value.to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            text: response
                .body_mut()
                .read_to_string()
                .expect("a body of text"),
        }
    }

    /// Tells it to stop, without waiting.
    pub fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have stopped by itself.
            let _ = stop.send(());
        }
    }

    /// Stops it and waits until it has.
    pub fn stop(mut self) {
        self.tell_to_stop();
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("the server stops without a panic");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

/// A client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build();
    config.into()
}
