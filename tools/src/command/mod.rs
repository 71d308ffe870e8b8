//! The commands: one file each, whose doc comment is its help, and one line here.

use crate::error::{Failure, Outcome};
use crate::session;

/// Declares the registry of commands.
macro_rules! commands {
    ($($module:ident::$name:ident;)+) => {
        $(pub use $module::$name;)+

        /// Every command, in the order of the help.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $(
                #[allow(missing_docs, clippy::allow_attributes, reason = "the doc comment of the arguments is the help")]
                $name($name),
            )+
        }

        impl Command {
            /// Runs it.
            pub fn run(self, session: &mut session::Session) -> Result<Outcome, Failure> {
                match self { $(Self::$name(command) => command.run(session)),+ }
            }
        }
    };
}

mod append;
pub(crate) mod audit;
mod backup;
mod checkpoint;
mod compensate;
mod coverage;
mod diff;
mod doctor;
mod explain;
mod find;
mod forecast;
mod import;
mod init;
mod log;
mod person;
mod preflight;
mod prove;
mod restore;
mod rules;
mod schema;
mod serve;
mod show;
mod simulate;
mod vault;
mod verify;
mod view;
mod worklist;

commands! {
    init::Init;
    import::Import;
    append::Append;
    log::Log;
    show::Show;
    find::Find;
    view::Tenant;
    view::Subscription;
    view::Seat;
    view::Agreement;
    view::Key;
    view::Order;
    view::Email;
    view::Session;
    view::Redemption;
    view::Credit;
    view::Customer;
    view::Partner;
    view::Case;
    forecast::Forecast;
    worklist::Worklist;
    coverage::Coverage;
    audit::Audit;
    preflight::Preflight;
    explain::Explain;
    rules::Rules;
    diff::Diff;
    compensate::Compensate;
    checkpoint::Checkpoint;
    prove::Prove;
    verify::Verify;
    doctor::Doctor;
    backup::Backup;
    restore::Restore;
    vault::Vault;
    person::Person;
    schema::Schema;
    simulate::Simulate;
    serve::Serve;
}

impl Command {
    /// Whether it writes reports in the forms beyond those of every command.
    pub fn has_reports(&self) -> bool {
        matches!(self, Self::Audit(audit) if audit.has_reports())
    }
}

#[cfg(test)]
mod tests;
