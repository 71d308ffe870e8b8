//! Why a field of a view has its value.

use crate::answer::Answer;
use crate::asking;
use crate::error::Failure;
use crate::format::{Format, why as form};
use crate::ground::Ground;
use crate::place::read_failure;
use ledger::event::Event;
use ledger::id::EventId;
use ledger::store::Store;
use ledger::subject::Subject;
use projections::Seen;
use projections::query::{Cause, Why, why};
use std::collections::BTreeMap;

pub(super) fn answer(
    store: &Store,
    ground: &Ground,
    seen: &Seen<'_>,
    subject: &Subject,
    field: &str,
    format: Format,
) -> Result<Answer, Failure> {
    let why = why(
        ground.source(),
        seen.point(),
        *seen.policies(),
        subject,
        field,
    );
    let why = why.map_err(|error| asking::failure(&error))?;
    let why = why.ok_or_else(|| {
        let hint = "ask again without --why";
        Failure::new("cannot explain this", "there is no view of it", hint)
    })?;
    let events = events(store, &why)?;
    let told = form::Told {
        subject,
        field: field.trim(),
        why: &why,
        events: &events,
    };
    Ok(Answer::of(
        format,
        || form::text(&told),
        || form::json(&told),
    ))
}

/// The events that the explanation names.
fn events(store: &Store, why: &Why) -> Result<BTreeMap<EventId, Event>, Failure> {
    let changed = why.changes.iter().filter_map(|change| match change.cause {
        Cause::Event(id) => Some(id),
        Cause::Time(_) => None,
    });
    let decisive = why.decisive.iter().map(|decisive| decisive.event);
    let together = why.together.iter().flat_map(|together| &together.events);
    let decisive = decisive.chain(together.copied());
    let named = why.policies.iter().filter_map(|policy| policy.named_by);
    let mut events = BTreeMap::new();
    for id in changed.chain(decisive).chain(named) {
        if let Some(event) = store.find(id).map_err(|error| read_failure(&error))? {
            events.insert(id, event);
        }
    }
    Ok(events)
}
