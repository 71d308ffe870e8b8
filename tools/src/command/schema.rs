use crate::error::{Failure, Outcome};
use crate::session::Session;

/// Print the published schema of what goes in.
///
/// `actl schema events` prints the JSON Schema (draft 2020-12) of the JSON form of events, which
/// `actl import` and `actl append` read.
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// Of what.
    #[arg(value_enum)]
    of: SchemaOf,
}

/// What has a published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaOf {
    /// Events, one JSON object each.
    Events,
}

impl Schema {
    /// Prints it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let schema = match self.of {
            SchemaOf::Events => ledger::event::schema::events(),
        };
        session.out.json(&schema)?;
        Ok(Outcome::Clean)
    }
}
