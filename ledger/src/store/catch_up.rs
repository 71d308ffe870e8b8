//! Bringing the index up to the end of the log when a store is opened.

use super::error::StoreError;
use super::read::event_of;
use crate::id::Position;
use crate::index::Index;
use crate::index::entry::Entry;
use crate::log::{CommitLog, LogError, Place};
use crate::time::Timestamp;

/// Adds to the index what the log holds after its watermark, which nothing may have been added to yet.
/// Returns when the last event was recorded. After each frame, `progress` is told up to where it is done,
/// and where the end is. Costs one decoding an event, beside what the threads of the index do meanwhile.
pub(crate) fn catch_up(
    log: &dyn CommitLog,
    index: &Index,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<Timestamp, StoreError> {
    let end = log.end();
    let mut recorded_at = Timestamp::from_micros(i64::MIN);
    // Runs are written meanwhile, so the watermark moves.
    let missing = index.watermark().next();
    // The last event is read in any case, for its recorded time.
    let mut position = missing.min(end);
    let mut place = Place::default();
    while Position(0) < position && position <= end {
        let frame = log.next_frame(position, &mut place)?;
        let frame = frame.ok_or_else(|| LogError::Damaged {
            position,
            reason: "no frame holds it".to_owned(),
        })?;
        let first = position.max(missing);
        let mut entries = Vec::new();
        while position <= frame.last() {
            let event = event_of(&frame, position)?;
            recorded_at = recorded_at.max(event.recorded_at);
            if position >= first {
                entries.push(Entry::of(&event));
            }
            position = position.next();
        }
        index.add(first, &entries);
        index.make_room()?;
        progress(frame.last(), end);
    }
    Ok(recorded_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::json::read_fact;
    use crate::index::{RunSize, disk};
    use crate::log::{Epoch, Frame, MemoryLog};
    use crate::secret::PublicKeyring;
    use serde_json::json;

    fn event(position: u64) -> Event {
        let fact = json!({
            "kind": "SessionEnded",
            "occurred_at": "2024-03-05T08:00:00Z",
            "source": { "system": "portal", "record": format!("r-{position}") },
            "data": { "session": format!("s-{position}"), "reason": "SignedOut" }
        });
        Event {
            position: Position(position),
            recorded_at: Timestamp::from_micros(1_000 + position as i64),
            fact: read_fact(&fact, &mut PublicKeyring).unwrap(),
        }
    }

    #[test]
    fn what_the_index_does_not_cover_is_added_once_and_the_progress_is_told() {
        let log = MemoryLog::default();
        let size = RunSize {
            full: 4,
            at_close: 1,
            fan_out: 2,
        };
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("index");
        let open = || disk::open(&place, [1; 16], size).unwrap().0;
        let index = open();
        let nothing = catch_up(&log, &index, &mut |_, _| panic!("there is nothing")).unwrap();
        assert_eq!(nothing, Timestamp::from_micros(i64::MIN));
        for frame in 0..10 {
            let events = frame * 3 + 1..frame * 3 + 4;
            let stored: Vec<_> = events.map(|n| event(n).encode().unwrap()).collect();
            log.append(&Frame::new(Epoch(1), Position(frame * 3 + 1), &stored).unwrap())
                .unwrap();
        }
        // The watermark of a run that ends within a frame.
        let covered: Vec<_> = (1..=8).map(|number| Entry::of(&event(number))).collect();
        index.add(Position(1), &covered);
        index.close().unwrap();
        drop(index);
        let index = open();
        assert_eq!(index.watermark(), Position(8));
        let mut told = Vec::new();
        let progress = &mut |done: Position, of: Position| told.push((done.0, of.0));
        let recorded_at = catch_up(&log, &index, progress).unwrap();
        assert_eq!(recorded_at, Timestamp::from_micros(1_030));
        assert_eq!(
            told,
            (3..=10).map(|frame| (frame * 3, 30)).collect::<Vec<_>>()
        );
        for number in 1..=30 {
            let found = index.position(event(number).id).unwrap();
            assert_eq!(found, Some(Position(number)));
        }
        let kind = crate::index::Listing::kind(event(1).kind().id);
        assert_eq!(index.count(&kind).unwrap().0, 30);
    }
}
