//! New incarnations of a store: what they are made with, and what is said of them.

use crate::clock::SystemClock;
use crate::error::Failure;
use crate::format::{Format, table};
use crate::output::note;
use crate::place::{Place, events, positions};
use crate::privacy::shown_path;
use crate::session::Session;
use ledger::id::{Name, Position};
use ledger::log::{Damage, ENGINES, Engine};
use ledger::store::{Identity, Incarnation, NewIncarnation};
use ledger::time::Clock;
use serde_json::{Value, json};
use std::path::Path;

/// The engines that a store can be made with.
pub fn engines() -> Vec<&'static str> {
    let persistent = ENGINES.iter().filter(|engine| engine.persistent);
    persistent.map(|engine| engine.name).collect()
}

/// What a new incarnation is made with.
pub fn new(
    engine: Option<&str>,
    note: Option<&str>,
    identity: Option<Identity>,
) -> Result<NewIncarnation, Failure> {
    let name = |what: &str, text| {
        Name::new(text).map_err(|error| {
            let hint =
                "it stands in the log in clear and for ever: leave out keys, persons and addresses";
            Failure::new(format!("cannot record {what}"), error.to_string(), hint)
        })
    };
    Ok(NewIncarnation {
        engine: engine.and_then(Engine::named).map(|engine| engine.name),
        by: name("the program", "actl")?,
        now: SystemClock.now(),
        note: note.map(|note| name("the note", note)).transpose()?,
        identity,
    })
}

/// Ranges of positions as JSON.
pub fn ranges(ranges: &[(Position, Position)]) -> Value {
    let ranges = ranges.iter();
    ranges
        .map(|(first, last)| json!({ "first": first.0, "last": last.0 }))
        .collect()
}

/// Damaged bytes as JSON.
pub fn damages(damage: &[Damage]) -> Value {
    let damage = damage.iter().map(|damage| {
        json!({
            "file": damage.file,
            "offset": damage.offset,
            "bytes": damage.length_bytes,
            "after_position": damage.after.0,
        })
    });
    damage.collect()
}

/// Opens a new incarnation for the first time, so that it is known to be good and has its index, and says
/// what it is and what is not in it.
pub fn report(
    session: &mut Session,
    path: &Path,
    schema: &str,
    made: &Incarnation,
    damage: &[Damage],
) -> Result<(), Failure> {
    note(&format!("made the store {}", shown_path(path)));
    note(
        "its vault is that of the store before; the next `actl checkpoint` makes it a signing key of its own",
    );
    let place = Place::new(path.to_owned(), None);
    place.close(place.open_store()?)?;
    let value = json!({
        "schema": schema,
        "store": shown_path(path),
        "incarnation": made.number,
        "position": made.end.0,
        "reached": made.reached.0,
        "lost": ranges(&made.lost),
        "damage": damages(damage),
    });
    let lost = match made.lost.is_empty() {
        true => "none".to_owned(),
        false => format!("{}: {}", events(&made.lost), positions(&made.lost)),
    };
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[
            ("incarnation", made.number.to_string()),
            ("reached before", made.reached.to_string()),
            ("lost events", lost),
            ("last position", made.end.to_string()),
        ])),
        Format::Json => session.out.json(&value),
        Format::Jsonl => session.out.json_line(&value),
    }
}
