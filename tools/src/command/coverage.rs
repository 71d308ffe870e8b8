use crate::error::{Failure, Outcome};
use crate::format::{Format, ask as form};
use crate::ground::{Ground, readable};
use crate::histories::PointArgs;
use crate::place::read_failure;
use crate::session::Session;
use ledger::id::Position;
use projections::Seen;
use projections::ask::coverage::{GAP_DAYS, Gathering, Retention, known_retentions};

/// Show which sources cover which tenant and period, the gaps, and by when evidence has to be
/// exported.
///
/// Portals drop their evidence after some days. For every source whose time is known, the last day on
/// which an export misses nothing is told, and the days that are lost already. Times that differ from
/// the known ones are given with --retention.
#[derive(Debug, clap::Args)]
pub struct Coverage {
    /// Only this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,

    /// Days without an event of a source that make a gap.
    #[arg(long, value_name = "N", default_value_t = GAP_DAYS)]
    gap_days: i64,

    /// A source's portal keeps evidence for so many days.
    #[arg(long, value_name = "SYSTEM=DAYS")]
    retention: Vec<String>,

    #[command(flatten)]
    point: PointArgs,
}

impl Coverage {
    /// Reads the whole log once.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let mut retentions = Vec::new();
        for text in &self.retention {
            retentions.push(retention(text)?);
        }
        retentions.extend(known_retentions());
        let store = session.place.open_store()?;
        let ground = Ground::open(&store)?;
        let point = ground.point(&self.point)?;
        let mut gathering = Gathering::default();
        for event in store.read(Position(0)) {
            let event = event.map_err(|error| read_failure(&error))?;
            let happened = event.occurred_at.start <= point.valid_at;
            if event.position <= point.as_of && happened {
                gathering.take(&event);
            }
        }
        let seen = Seen::new(ground.source(), point);
        let mut found = gathering.finish(&seen, &retentions, self.gap_days);
        readable(&seen)?;
        ground.close();
        if let Some(tenant) = &self.tenant {
            let wanted = tenant.trim().to_lowercase();
            let is_wanted = |tenant: &ledger::id::TenantId| tenant.as_str() == wanted;
            found
                .covered
                .retain(|one| one.tenant.as_ref().is_some_and(is_wanted));
            if found.covered.is_empty() {
                let hint = "`actl tenant` lists the tenants that are known; `actl find` looks for a part of a name";
                return Err(Failure::new(
                    "cannot show what covers this tenant",
                    "no event names it at this point in time",
                    hint,
                ));
            }
        }
        match session.format {
            Format::Table => session.out.text(&form::coverage(&found, seen.today()))?,
            Format::Json => session.out.json(&form::coverage_json(&found, point))?,
            Format::Jsonl => {
                for covered in &found.covered {
                    session.out.json_line(&form::covered_json(covered))?;
                }
                for source in &found.sources {
                    session.out.json_line(&form::source_json(source))?;
                }
            }
        }
        Ok(Outcome::Clean)
    }
}

fn retention(text: &str) -> Result<Retention, Failure> {
    let parts = text.split_once('=');
    let read = parts.and_then(|(system, days)| {
        let days = days.trim().parse().ok()?;
        let system = system.trim();
        (!system.is_empty()).then(|| Retention {
            name: system.to_owned(),
            systems: vec![system.to_owned()],
            days,
            from: "--retention".to_owned(),
        })
    });
    read.ok_or_else(|| {
        let hint = "for example --retention sign-in-log=30; `actl coverage` lists the systems";
        Failure::new("cannot read --retention", "it is not SYSTEM=DAYS", hint)
    })
}
