use crate::audited::keep;
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::session::Session;
use serde_json::json;

/// Bring the kept findings up to the end of the log, however far behind they are.
///
/// An event costs up to 0.3 milliseconds here, so that `actl audit` replays a log of which much is new. Once
/// everything is taken in, it answers at once. What was taken in stays if this is stopped.
#[derive(Debug, clap::Args)]
pub struct Keep {}

impl Keep {
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let (before, end) = keep(&store)?;
        session.place.close(store)?;
        let taken_in = end.0.saturating_sub(before.0);
        let rows = [
            ("taken in", taken_in.to_string()),
            ("up to", end.to_string()),
        ];
        let value = json!({ "schema": "actl.audit-keep/1", "taken_in": taken_in, "up_to": end.0 });
        match session.format {
            Format::Table => session.out.text(&table::pairs(&rows))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }
}
