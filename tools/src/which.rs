//! Which event an argument means: by its id or by its position.

use crate::error::Failure;
use crate::place::read_failure;
use ledger::event::Event;
use ledger::id::{EventId, Position};
use ledger::store::Store;

/// An event as an argument names it.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// By its id.
    Id(EventId),
    /// By its position.
    At(Position),
}

impl Which {
    /// Reads 32 hexadecimal digits, with or without `event:` before them, or a number from 1. `what` is
    /// what cannot be done otherwise.
    pub fn parse(text: &str, what: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let text = text.strip_prefix("event:").unwrap_or(text);
        let at = || text.parse().ok().filter(|position| *position > 0);
        let id = EventId::parse(text).map(Self::Id);
        let found = id.or_else(|| at().map(|position| Self::At(Position(position))));
        found.ok_or_else(|| {
            Failure::new(
                what,
                "this is neither an event id nor a position",
                "an id has 32 hexadecimal digits, a position is a whole number from 1",
            )
        })
    }

    /// Looks it up. `what` is what cannot be done if there is none.
    pub fn look_up(self, store: &Store, what: &str) -> Result<Event, Failure> {
        let found = match self {
            Self::Id(id) => store.find(id),
            Self::At(position) => store.event(position),
        };
        let found = found.map_err(|error| read_failure(&error))?;
        found.ok_or_else(|| {
            let end = store.end();
            Failure::new(
                what,
                "the store has no such event",
                format!("its last position is {end}; `actl log` lists the events"),
            )
        })
    }
}
