//! Asynchronous readers see what blocking ones see, and a tail goes on with what becomes durable.

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::store::{Known, Store, StoreError};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use tests::facts::{clock, session_started};

trait Next {
    async fn next(&mut self) -> Option<Result<Event, StoreError>>;
}

impl<S: futures_core::Stream<Item = Result<Event, StoreError>>> Next for Pin<&mut S> {
    async fn next(&mut self) -> Option<Result<Event, StoreError>> {
        poll_fn(|context| self.as_mut().poll_next(context)).await
    }
}

async fn positions(mut stream: impl Next) -> Vec<u64> {
    let mut positions = Vec::new();
    while let Some(event) = stream.next().await {
        positions.push(event.unwrap().position.0);
    }
    positions
}

fn facts(records: std::ops::Range<usize>) -> Vec<Fact> {
    let one = |record| session_started(record, &format!("s-{}", record % 3), "t.example");
    records.map(one).collect()
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(test);
}

#[test]
fn streams_are_what_the_blocking_readers_read() {
    run(async {
        let store = Store::in_memory(clock()).unwrap();
        let facts = facts(0..1_000);
        let (subjects, kind) = (facts[1].subjects(), facts[1].kind().id);
        store.submit(facts, vec![], Known::Refuse).await.unwrap();
        let all: Vec<u64> = (11..=1_000).collect();
        assert_eq!(positions(pin!(store.stream(Position(10)))).await, all);
        assert_eq!(
            positions(pin!(store.stream_of_kind(kind, Position(10)))).await,
            all
        );
        for subject in subjects {
            let blocking = store.history(&subject, Position(10));
            let blocking: Vec<u64> = blocking.map(|e| e.unwrap().position.0).collect();
            let stream = store.stream_history(&subject, Position(10));
            assert_eq!(positions(pin!(stream)).await, blocking);
        }
    });
}

#[test]
fn a_tail_goes_on_until_the_store_closes_and_misses_nothing() {
    run(async {
        let store = Store::in_memory(clock()).unwrap();
        store
            .submit(facts(0..300), vec![], Known::Refuse)
            .await
            .unwrap();
        let tail = store.tail(Position(5));
        let writer = std::thread::spawn(move || {
            for record in 300..700 {
                store
                    .append(facts(record..record + 1), &[], Known::Refuse)
                    .unwrap();
            }
            store.close().unwrap();
        });
        assert_eq!(positions(pin!(tail)).await, (6..=700).collect::<Vec<_>>());
        writer.join().unwrap();
    });
}
