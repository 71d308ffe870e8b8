use crate::error::{Failure, Outcome};
use crate::format::{Format, ask as form};
use crate::ground::{Ground, readable};
use crate::histories::PointArgs;
use crate::session::Session;
use projections::Seen;
use projections::ask::forecast::{Horizon, forecast};

/// Show what the passing of time will do: which seats, subscriptions, credit and links end when.
///
/// By day, and by tenant within a day: seats that enter reduced functionality, subscriptions and
/// trials that end, are disabled or deleted, credit that expires, links and keys that end before they
/// were used, and the last day to cancel a reservation. What is said holds if nothing else happens.
#[derive(Debug, clap::Args)]
pub struct Forecast {
    /// How many days to look ahead.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=3660))]
    days: u32,

    /// Tell licensed seats too of which nothing says that they will not be revalidated as usual;
    /// without this they are only counted.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    point: PointArgs,
}

impl Forecast {
    /// Looks ahead. Costs a few folds of every order, key, link, subscription, lot and seat.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let ground = Ground::open(&store)?;
        let point = ground.point(&self.point)?;
        let seen = Seen::new(ground.source(), point);
        let horizon = Horizon {
            days: self.days,
            healthy_seats: self.all,
        };
        let found = forecast(&seen, horizon);
        readable(&seen)?;
        ground.close();
        match session.format {
            Format::Table => session.out.text(&form::forecast(&found))?,
            Format::Json => session.out.json(&form::forecast_json(&found, point))?,
            Format::Jsonl => {
                for ahead in &found.ahead {
                    session.out.json_line(&form::ahead_json(ahead))?;
                }
            }
        }
        Ok(Outcome::Clean)
    }
}
