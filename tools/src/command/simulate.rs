use crate::error::{Failure, Outcome};
use crate::session::Session;
use crate::simulate::{Plan, write};
use ledger::time::Date;

/// Write an invented history as event lines.
///
/// The same numbers give the same lines on every machine. Names, keys and addresses in it are
/// invented and stand in clear, as a source would give them; `actl import -` takes them in. There are
/// no mistakes in it for the audit to find.
#[derive(Debug, clap::Args)]
pub struct Simulate {
    /// Another seed gives another history.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many customers there are.
    #[arg(long, value_name = "N", default_value_t = 10)]
    customers: u32,

    /// How many months the history goes on.
    #[arg(long, value_name = "M", default_value_t = 24)]
    months: u32,

    /// Its first day. [default: 2014-01-01]
    #[arg(long, value_name = "DAY")]
    start: Option<String>,
}

impl Simulate {
    /// Writes it, in memory that does not depend on its length in lines.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let start = match self.start.as_deref() {
            None => Plan::default_start(),
            Some(text) => Date::parse(text.trim()).ok_or_else(|| {
                let hint = "write a day as 2014-01-01";
                Failure::new("cannot read --start", "it is no day", hint)
            })?,
        };
        let plan = Plan {
            seed: self.seed,
            customers: self.customers,
            months: self.months,
            start,
        };
        let written = write(plan, &mut session.out.writer()).map(|_| ());
        session.out.check(written)?;
        Ok(Outcome::Clean)
    }
}
