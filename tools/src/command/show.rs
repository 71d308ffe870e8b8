use crate::error::{Failure, Outcome};
use crate::format::{Format, event};
use crate::place::pepper_of;
use crate::reveal::RevealArgs;
use crate::session::Session;
use crate::which::Which;
use ledger::event::json::{write_event, write_event_revealed};

/// Show one event with all of its fields.
///
/// Keys, persons and machines are shown as pseudonyms, unless --reveal is given.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The event's id (32 hexadecimal digits) or its position.
    #[arg(value_name = "EVENT|POSITION")]
    event: String,

    #[command(flatten)]
    reveal: RevealArgs,
}

impl Show {
    /// Shows it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let what = "cannot show the event";
        let wanted = Which::parse(&self.event, what)?;
        let store = session.place.open_store()?;
        let event = wanted.look_up(&store, what)?;
        let pepper = pepper_of(&store)?;
        let value = match self.reveal.begin(&session.place, &store)? {
            None => write_event(&event, pepper),
            Some(mut reveal) => {
                let opened = reveal.open(&event, |_| true);
                reveal.record(&store, &format!("show {}", event.position))?;
                write_event_revealed(&event, pepper, &opened)
            }
        };
        match session.format {
            Format::Table => session
                .out
                .text(&event::page(&value, self.reveal.is_asked()))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        if self.reveal.is_asked() {
            session.place.close(store)?;
        }
        Ok(Outcome::Clean)
    }
}
