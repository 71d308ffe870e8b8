use crate::answer::{self, Answer};
use crate::error::{Failure, Outcome};
use crate::format::{Format, diff as form};
use crate::ground::{Ground, views_failure};
use crate::histories::PointArgs;
use crate::point;
use crate::reveal::RevealArgs;
use crate::session::Session;
use ledger::id::TenantId;
use replay::diff::{UnknownTenant, diff_of_store};

/// Show how the histories and the views of two tenants differ, or of one at two times.
///
/// Rows are aligned by cause (an order with its keys, else what the events are about), each with its
/// events. A row is matched, altered, on one side only, moved (the cause reached one tenant and then
/// the other) or compensated (moved, and one side undone). Exit code 1 if anything differs.
#[derive(Debug, clap::Args)]
pub struct Diff {
    /// The tenant on the left, as `tenant:ID`.
    #[arg(value_name = "tenant:A")]
    left: String,

    /// The tenant on the right; without it, the one on the left at the other time.
    #[arg(value_name = "tenant:B", required_unless_present = "and_valid_at")]
    right: Option<String>,

    #[command(flatten)]
    point: PointArgs,

    /// What had happened by then on the right; without it, as on the left.
    #[arg(long, value_name = "TIME")]
    and_valid_at: Option<String>,

    /// Show the matched rows too.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    reveal: RevealArgs,
}

impl Diff {
    /// Compares them.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let left = tenant(&self.left)?;
        let right = self.right.as_deref().map(tenant).transpose()?;
        let right = right.unwrap_or_else(|| left.clone());
        let until = self.and_valid_at.as_deref();
        let until = until.map(point::valid_at).transpose()?;
        let store = session.place.open_store()?;
        let ground = Ground::open(&store)?;
        let point = ground.point(&self.point)?;
        let other = until.unwrap_or(point.valid_at);
        let found = diff_of_store(&store, ground.stored(), (&left, point), (&right, other));
        let found = found.map_err(|error| views_failure(&error))?;
        let found = found.map_err(|error| unknown(&error))?;
        let json = Answer::Json;
        let answers = match session.format {
            Format::Table => vec![Answer::Text(form::text(&found, self.all))],
            Format::Json => vec![json(form::json(&found))],
            Format::Jsonl => {
                let rows = found.rows.iter().map(|row| json(form::row(row)));
                let fields = found.fields.iter().map(|field| json(form::field(field)));
                rows.chain(fields).collect()
            }
        };
        let request = format!("diff tenant:{left} tenant:{right}");
        let place = session.place.clone();
        answer::show(&answers, &self.reveal, &place, &store, &request, session)?;
        ground.close();
        if self.reveal.is_asked() {
            place.close(store)?;
        }
        Ok(match found.is_empty() {
            true => Outcome::Clean,
            false => Outcome::Findings,
        })
    }
}

fn tenant(text: &str) -> Result<TenantId, Failure> {
    let id = text.trim();
    let id = id.strip_prefix("tenant:").unwrap_or(id);
    TenantId::new(id).map_err(|error| {
        let hint = "write tenant:ID, for example tenant:contoso.onmicrosoft.example";
        Failure::new("cannot read a tenant", format!("it {error}"), hint)
    })
}

fn unknown(error: &UnknownTenant) -> Failure {
    let near: Vec<&str> = error.near.iter().map(TenantId::as_str).collect();
    let hint = match near.is_empty() {
        true => "`actl tenant` lists the tenants that are known at this point in time".to_owned(),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    Failure::new("cannot compare the tenants", error.to_string(), hint)
}
