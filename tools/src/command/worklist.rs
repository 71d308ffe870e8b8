use crate::error::{Failure, Outcome};
use crate::format::{Format, ask as form};
use crate::ground::{Ground, readable};
use crate::histories::PointArgs;
use crate::session::Session;
use projections::Seen;
use projections::ask::worklist::{Patience, worklist};

/// Show what waits for somebody, since when, and what to do next.
///
/// Redemptions whose outcome is unknown, statuses later than the longest lag, choices without a
/// binding, open cases, confirmed findings without a case, orders that were not activated, mails that
/// came back or that nobody opened, links about to end or ended, seats that wait for a reset.
#[derive(Debug, clap::Args)]
pub struct Worklist {
    /// Orders wait after so many days.
    #[arg(long, value_name = "N", default_value_t = Patience::default().order_days)]
    order_days: i64,

    /// Mails that nobody opened wait after so many days.
    #[arg(long, value_name = "N", default_value_t = Patience::default().mail_days)]
    mail_days: i64,

    /// Links are told so many days before they end.
    #[arg(long, value_name = "N", default_value_t = Patience::default().link_days)]
    link_days: i64,

    /// Choices without a binding wait after so many hours.
    #[arg(long, value_name = "N", default_value_t = Patience::default().choice_hours)]
    choice_hours: i64,

    /// Redemptions of unknown outcome wait after so many hours.
    #[arg(long, value_name = "N", default_value_t = Patience::default().outcome_hours)]
    outcome_hours: i64,

    #[command(flatten)]
    point: PointArgs,
}

impl Worklist {
    /// Lists it. Costs a fold of everything that something can wait with.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let ground = Ground::open(&store)?;
        let point = ground.point(&self.point)?;
        let seen = Seen::new(ground.source(), point);
        let patience = Patience {
            order_days: self.order_days,
            mail_days: self.mail_days,
            link_days: self.link_days,
            choice_hours: self.choice_hours,
            outcome_hours: self.outcome_hours,
        };
        let found = worklist(&seen, &patience);
        readable(&seen)?;
        ground.close();
        match session.format {
            Format::Table => session.out.text(&form::worklist(&found, point.valid_at))?,
            Format::Json => session.out.json(&form::worklist_json(&found, point))?,
            Format::Jsonl => {
                for waiting in &found {
                    let line = form::waiting_json(waiting, point.valid_at);
                    session.out.json_line(&line)?;
                }
            }
        }
        Ok(Outcome::Clean)
    }
}
