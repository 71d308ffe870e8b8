use crate::error::{Failure, Outcome};
use crate::format::{Format, event};
use crate::place::{pepper_of, read_failure};
use crate::session::Session;
use ledger::event::Event;
use ledger::event::json::write_event;
use ledger::id::{EventId, Position};
use ledger::store::Store;

/// Show one event with all of its fields.
///
/// Keys, persons and machines are shown as pseudonyms.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The event's id (32 hexadecimal digits) or its position.
    #[arg(value_name = "EVENT|POSITION")]
    event: String,
}

impl Show {
    /// Shows it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let wanted = self.event.trim();
        let wanted = wanted.strip_prefix("event:").unwrap_or(wanted);
        let id = EventId::parse(wanted);
        let position = wanted.parse().ok().map(Position).filter(|p| p.0 > 0);
        if id.is_none() && position.is_none() {
            return Err(Failure::new(
                "cannot show the event",
                "this is neither an event id nor a position",
                "an id has 32 hexadecimal digits, a position is a whole number from 1",
            ));
        }
        let store = session.place.open_store()?;
        let Some(event) = look_up(&store, id, position)? else {
            let end = store.end();
            return Err(Failure::new(
                "cannot show the event",
                "the store has no such event",
                format!("its last position is {end}; `actl log` lists the events"),
            ));
        };
        let pepper = pepper_of(&store)?;
        match session.format {
            Format::Table => session.out.text(&event::page(&event, pepper))?,
            Format::Json => session.out.json(&write_event(&event, pepper))?,
            Format::Jsonl => session.out.json_line(&write_event(&event, pepper))?,
        }
        Ok(Outcome::Clean)
    }
}

fn look_up(
    store: &Store,
    id: Option<EventId>,
    position: Option<Position>,
) -> Result<Option<Event>, Failure> {
    let found = match (id, position) {
        (Some(id), _) => store.find(id),
        (None, Some(position)) => store.event(position),
        (None, None) => Ok(None),
    };
    found.map_err(|error| read_failure(&error))
}
