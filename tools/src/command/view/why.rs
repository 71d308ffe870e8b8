//! Why a field of a view has its value.

use crate::asking;
use crate::error::Failure;
use crate::format::{Format, why as form};
use crate::place::read_failure;
use crate::session::Session;
use ledger::event::Event;
use ledger::id::EventId;
use ledger::store::Store;
use ledger::subject::Subject;
use projections::Seen;
use projections::query::{Cause, Why, why};
use projections::source::Source;
use std::collections::BTreeMap;

pub(super) fn show(
    store: &Store,
    source: &dyn Source,
    seen: &Seen<'_>,
    subject: &Subject,
    field: &str,
    session: &mut Session,
) -> Result<(), Failure> {
    let why = why(source, seen.point(), *seen.policies(), subject, field);
    let Some(why) = why.map_err(|error| asking::failure(&error))? else {
        return Ok(());
    };
    let events = events(store, &why)?;
    let told = form::Told {
        subject,
        field: field.trim(),
        why: &why,
        events: &events,
    };
    match session.format {
        Format::Table => session.out.text(&form::text(&told)),
        Format::Json => session.out.json(&form::json(&told)),
        Format::Jsonl => session.out.json_line(&form::json(&told)),
    }
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
