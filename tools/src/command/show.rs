use crate::error::{Failure, Outcome};
use crate::format::{Format, event};
use crate::place::pepper_of;
use crate::session::Session;
use crate::which::Which;
use ledger::event::json::write_event;

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
        let what = "cannot show the event";
        let wanted = Which::parse(&self.event, what)?;
        let store = session.place.open_store()?;
        let event = wanted.look_up(&store, what)?;
        let pepper = pepper_of(&store)?;
        match session.format {
            Format::Table => session.out.text(&event::page(&event, pepper))?,
            Format::Json => session.out.json(&write_event(&event, pepper))?,
            Format::Jsonl => session.out.json_line(&write_event(&event, pepper))?,
        }
        Ok(Outcome::Clean)
    }
}
