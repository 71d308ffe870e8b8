//! The audit and its commands, one file each.

mod decide;
mod replay;
mod select;
mod walk;

use crate::error::{Class, Failure, Outcome};
use crate::place::read_failure;
use crate::session::Session;
use ::replay::audit::streamed::AuditError;

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

/// A log that could not be audited, as people see it.
pub fn audit_failure(error: &AuditError) -> Failure {
    match error {
        AuditError::Store(error) => read_failure(error),
        other => Failure::new(
            "cannot read the ledger",
            other.to_string(),
            "`actl verify` says what else is damaged",
        )
        .class(Class::IntegrityBroken),
    }
}
