//! Asynchronous reading: the same events, read on the blocking threads of tokio in chunks.

use super::error::StoreError;
use super::read::{Events, Shared};
use crate::event::Event;
use crate::id::Position;
use crate::limits::STREAM_CHUNK_EVENTS;
use async_stream::try_stream;
use futures_core::Stream;
use std::sync::Arc;

/// The events of a blocking reader as a stream. It has to be polled within a tokio runtime.
pub(crate) fn stream(
    mut events: Events,
) -> impl Stream<Item = Result<Event, StoreError>> + Send + 'static {
    try_stream! {
        loop {
            let (chunk, rest) = next_chunk(events).await?;
            events = rest;
            let ended = chunk.len() < STREAM_CHUNK_EVENTS;
            for event in chunk {
                yield event?;
            }
            if ended {
                break;
            }
        }
    }
}

/// Every event after a position, and then each as soon as it is durable, until the store closes.
pub(crate) fn tail(
    shared: Arc<Shared>,
    mut after: Position,
) -> impl Stream<Item = Result<Event, StoreError>> + Send + 'static {
    try_stream! {
        let mut durable = shared.durable.clone();
        let mut open = true;
        while open || *durable.borrow() > after {
            let end = *durable.borrow_and_update();
            let mut events = Events::all(Arc::clone(&shared), after, end);
            loop {
                let (chunk, rest) = next_chunk(events).await?;
                events = rest;
                let ended = chunk.len() < STREAM_CHUNK_EVENTS;
                for event in chunk {
                    yield event?;
                }
                if ended {
                    break;
                }
            }
            after = end;
            open = open && durable.changed().await.is_ok();
        }
    }
}

type Chunk = Vec<Result<Event, StoreError>>;

async fn next_chunk(mut events: Events) -> Result<(Chunk, Events), StoreError> {
    let read = tokio::task::spawn_blocking(move || {
        let chunk = events.by_ref().take(STREAM_CHUNK_EVENTS).collect();
        (chunk, events)
    });
    let what = "that reads was stopped";
    read.await.map_err(|_| StoreError::Thread { what })
}
