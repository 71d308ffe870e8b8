//! A tail gives every event once, in order, and goes on where it was broken off.

use crate::server::{PATIENCE, Served, append, serve, settings, store_of};
use crate::story;
use ledger::event::json::write_event;
use ledger::id::Position;
use ledger::secret::Pepper;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Instant;
use tests::facts::tenant_created;

/// A tail that is being read, line by line.
struct Tail(BufReader<TcpStream>);

impl Tail {
    fn open(served: &Served, query: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = served.address;
        write!(
            stream,
            "GET /v1/tail{query} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n"
        )
        .unwrap();
        let mut tail = Self(BufReader::new(stream));
        assert_eq!(tail.line().as_deref(), Some("HTTP/1.1 200 OK"));
        tail
    }

    /// The next line, `None` after the last.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self
            .0
            .read_line(&mut line)
            .expect("the tail goes on or ends");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event: its id and its data.
    fn event(&mut self) -> Option<(u64, String)> {
        let mut id = None;
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().ok();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((id.expect("the id comes before the data"), data.to_owned()));
            }
        }
    }
}

#[test]
fn a_tail_gives_what_is_recorded_and_then_what_comes() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    let end = served.store.end().0;
    let mut tail = Tail::open(&served, "", "");
    let event = served.store.event(Position(1)).unwrap().unwrap();
    let first = write_event(&event, Pepper::public().id()).to_string();
    assert_eq!(tail.event(), Some((1, first)));
    for position in 2..=end {
        assert_eq!(tail.event().unwrap().0, position);
    }
    append(
        &served.store,
        vec![tenant_created(1, "new.onmicrosoft.example")],
    );
    let (position, data) = tail.event().unwrap();
    assert_eq!(position, end + 1);
    assert!(data.contains("new.onmicrosoft.example"));
}

#[test]
fn a_tail_goes_on_after_the_last_event_that_was_received() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    assert_eq!(Tail::open(&served, "?after=3", "").event().unwrap().0, 4);
    let mut resumed = Tail::open(&served, "?after=3", "last-event-id: 5\r\n");
    assert_eq!(resumed.event().unwrap().0, 6);
}

#[test]
fn a_server_that_stops_ends_its_tails_and_listens_no_more() {
    let patient = tools::serve::Settings {
        grace: PATIENCE,
        ..settings()
    };
    let facts = vec![tenant_created(1, "a.onmicrosoft.example")];
    let served = serve(store_of(facts), patient);
    let (address, store) = (served.address, served.store.clone());
    let mut tail = Tail::open(&served, "", "");
    assert_eq!(tail.event().unwrap().0, 1);
    let told = Instant::now();
    served.stop();
    assert!(
        told.elapsed() < PATIENCE / 2,
        "a tail must not hold the server"
    );
    while tail.line().is_some() {}
    assert!(TcpStream::connect(address).is_err());
    store.close().unwrap();
}

#[test]
fn a_request_that_waits_is_answered_before_the_server_stops() {
    let patient = tools::serve::Settings {
        position_wait: PATIENCE,
        ..settings()
    };
    let mut served = serve(store_of(Vec::new()), patient);
    let (sent, was_sent) = std::sync::mpsc::channel();
    let address = served.address;
    let waiting = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /v1/position?min_position=1 HTTP/1.1\r\nhost: {address}\r\n\r\n"
        )
        .unwrap();
        sent.send(()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    });
    was_sent.recv().unwrap();
    // The request is on its way when another one, sent later, has been answered.
    assert_eq!(served.get("/v1/health").status, 200);
    std::thread::sleep(std::time::Duration::from_millis(100));
    served.tell_to_stop();
    assert_eq!(
        waiting.join().unwrap().trim_end(),
        "HTTP/1.1 503 Service Unavailable"
    );
    served.stop();
}
