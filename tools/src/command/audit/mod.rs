//! The audit and its commands, one file each.

mod decide;
mod keep;
mod replay;
mod report;
mod select;
mod walk;

use crate::error::{Class, Failure, Outcome};
use crate::place::read_failure;
use crate::session::Session;
use ::replay::audit::streamed::AuditError;

/// Find what went wrong, with evidence: wrong-tenant redemptions above all.
///
/// The findings of the store are kept, and brought up to what was recorded since they were asked last:
/// that costs by what is new. If so much is new that a replay is done sooner, the log is replayed, and `actl
/// audit keep` takes it in once. They cannot go back: for --as-of, or a --valid-at before the last time or
/// ahead of now, the store is replayed. Exit code 1 if any finding is shown.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    #[command(subcommand)]
    command: Option<AuditCommand>,

    #[command(flatten)]
    report: Box<report::ReportArgs>,
}

#[derive(Debug, clap::Subcommand)]
enum AuditCommand {
    Replay(replay::Replay),
    Keep(keep::Keep),
    Confirm(decide::Confirm),
    Dismiss(decide::Dismiss),
}

impl Audit {
    /// Whether it is asked for a report.
    pub fn has_reports(&self) -> bool {
        match &self.command {
            None => true,
            Some(AuditCommand::Replay(replay)) => replay.is_report(),
            Some(AuditCommand::Keep(_) | AuditCommand::Confirm(_) | AuditCommand::Dismiss(_)) => {
                false
            }
        }
    }

    /// Shows what is kept, replays and judges, or records a decision.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            None => self.report.run(session),
            Some(AuditCommand::Replay(replay)) => replay.run(session),
            Some(AuditCommand::Keep(keep)) => keep.run(session),
            Some(AuditCommand::Confirm(confirm)) => confirm.run(session),
            Some(AuditCommand::Dismiss(dismiss)) => dismiss.run(session),
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
