//! The audit and its commands, one file each.

mod decide;
mod replay;
mod select;
mod walk;

use crate::error::{Failure, Outcome};
use crate::session::Session;

/// Find what went wrong, with evidence: wrong-tenant redemptions above all.
#[derive(Debug, clap::Args)]
pub struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    Replay(replay::Replay),
    Confirm(decide::Confirm),
    Dismiss(decide::Dismiss),
}

impl Audit {
    /// Whether it is asked for a report.
    pub fn has_reports(&self) -> bool {
        matches!(&self.command, AuditCommand::Replay(replay) if replay.is_report())
    }

    /// Replays and judges, or records a decision.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            AuditCommand::Replay(replay) => replay.run(session),
            AuditCommand::Confirm(confirm) => confirm.run(session),
            AuditCommand::Dismiss(dismiss) => dismiss.run(session),
        }
    }
}
