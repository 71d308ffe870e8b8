use super::ViewArgs;
use crate::audited::audited_on;
use crate::error::{Failure, Outcome};
use crate::format::{Format, sweep as form};
use crate::ground::{Ground, readable, views_failure};
use crate::point;
use crate::session::Session;
use ledger::event::subject_of;
use ledger::id::{PartnerId, SessionId};
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::query::Query;
use projections::view::redemption::{self, RedemptionView};
use std::collections::BTreeSet;

/// Show a redemption at any time: its keys, its tenant, and how it ended.
///
/// With --partner, --session, --since or --until this is the sweep after one mistake: every
/// redemption of that partner, in that session or time, with the tenant that it reached, the tenant
/// that was expected as far as the audit knows, and a mark on those that went elsewhere. Exit code 1
/// if one did.
#[derive(Debug, clap::Args)]
pub struct Redemption {
    #[command(flatten)]
    args: ViewArgs,

    #[command(flatten)]
    sweep: SweepArgs,
}

/// What a sweep looks through.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sweep")]
struct SweepArgs {
    /// Those that this partner did, or that are on its orders.
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "sort", "limit", "cursor", "count", "filters"])]
    partner: Option<String>,

    /// Those in this session, or in one of the same root authentication.
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "sort", "limit", "cursor", "count", "filters"])]
    session: Option<String>,

    /// Those since this time.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["id", "sort", "limit", "cursor", "count", "filters"])]
    since: Option<String>,

    /// Those until this time.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["id", "sort", "limit", "cursor", "count", "filters"])]
    until: Option<String>,
}

impl SweepArgs {
    fn is_given(&self) -> bool {
        let given = [&self.partner, &self.session, &self.since, &self.until];
        given.into_iter().any(Option::is_some)
    }
}

impl Redemption {
    /// Shows it, or sweeps. A sweep costs what `actl audit` does, and a view of each redemption that may
    /// be meant.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.sweep.is_given() {
            false => super::run(self.args, SubjectKind::Redemption, session),
            true => sweep(&self, session),
        }
    }
}

fn sweep(asked: &Redemption, session: &mut Session) -> Result<Outcome, Failure> {
    let args = &asked.sweep;
    let moment = |text: &Option<String>, name| {
        let read = text.as_deref().map(point::interval).transpose();
        read.map_err(|mut failure| {
            failure.what = format!("cannot read {name}");
            failure
        })
    };
    let since = moment(&args.since, "--since")?.map(|interval| interval.start);
    let until = moment(&args.until, "--until")?.map(|interval| interval.last());
    let store = session.place.open_store()?;
    let ground = Ground::open(&store)?;
    let point = ground.point(&asked.args.point)?;
    let seen = &Seen::new(ground.source(), point);
    let partner = args
        .partner
        .as_deref()
        .map(|id| partner(seen, id))
        .transpose()?;
    let sessions = args
        .session
        .as_deref()
        .map(|id| sessions(seen, id))
        .transpose()?;
    let candidates = match (&sessions, &partner) {
        (Some(sessions), _) => Some(done_in(&ground, sessions)?),
        (None, Some(partner)) => Some(done_by(&ground, partner)?),
        (None, None) => None,
    };
    let report = audited_on(&ground, &store, point)?;
    let judged = form::Judged::of(&report);
    let mut swept = Vec::new();
    each(seen, candidates, &mut |subject, view| {
        let when = view.redeemed_at.or(view.submitted_at).or(view.started_at);
        let within = since.is_none_or(|since| when.is_some_and(|when| since <= when))
            && until.is_none_or(|until| when.is_some_and(|when| when <= until));
        let by = partner
            .as_ref()
            .is_none_or(|id| view.partner.as_ref() == Some(id));
        let in_session = |sessions: &Vec<SessionId>| {
            let session = view.session.as_ref();
            session.is_some_and(|session| sessions.contains(session))
        };
        if within && by && sessions.as_ref().is_none_or(in_session) {
            swept.push(form::Swept::of(subject, view, when, &judged));
        }
    })?;
    swept.sort_by(|a, b| (a.when, &a.subject).cmp(&(b.when, &b.subject)));
    readable(seen)?;
    ground.close();
    match session.format {
        Format::Table => session.out.text(&form::text(&swept))?,
        Format::Json => session.out.json(&form::json(&swept, point))?,
        Format::Jsonl => {
            for one in &swept {
                session.out.json_line(&form::line(one))?;
            }
        }
    }
    Ok(match swept.iter().any(form::Swept::is_elsewhere) {
        true => Outcome::Findings,
        false => Outcome::Clean,
    })
}

/// Visits the candidates that have a view, or every redemption. Costs a fold of each.
fn each(
    seen: &Seen<'_>,
    candidates: Option<BTreeSet<Subject>>,
    visit: &mut dyn FnMut(&Subject, &RedemptionView),
) -> Result<(), Failure> {
    let mut show = |subject: &Subject| {
        if let Some(view) = seen.view::<redemption::Redemption>(subject) {
            visit(subject, &view);
        }
    };
    if let Some(candidates) = candidates {
        candidates.iter().for_each(show);
        return Ok(());
    }
    let query = Query::of(SubjectKind::Redemption);
    let query = query.map_err(|error| crate::asking::failure(&error))?;
    query.each(seen, &mut |subject, _| show(subject));
    Ok(())
}

/// The redemptions that may have been done in some sessions: those that an event names beside one of them.
fn done_in(ground: &Ground, sessions: &[SessionId]) -> Result<BTreeSet<Subject>, Failure> {
    let mut found = BTreeSet::new();
    for session in sessions {
        found.extend(beside(
            ground,
            &subject_of(session),
            SubjectKind::Redemption,
        )?);
    }
    Ok(found)
}

/// The redemptions that may be a partner's: those that an event names beside it or beside one of its orders.
fn done_by(ground: &Ground, partner: &PartnerId) -> Result<BTreeSet<Subject>, Failure> {
    let partner = subject_of(partner);
    let mut found = beside(ground, &partner, SubjectKind::Redemption)?;
    for order in beside(ground, &partner, SubjectKind::Order)? {
        found.extend(beside(ground, &order, SubjectKind::Redemption)?);
    }
    Ok(found)
}

/// The subjects of a kind that events name beside another one.
fn beside(
    ground: &Ground,
    subject: &Subject,
    kind: SubjectKind,
) -> Result<BTreeSet<Subject>, Failure> {
    let history = ground.stored().history(subject);
    let history = history.map_err(|error| views_failure(&error))?;
    let named = history.iter().flat_map(|input| input.event.subjects());
    Ok(named.filter(|subject| subject.kind == kind).collect())
}

fn partner(seen: &Seen<'_>, id: &str) -> Result<PartnerId, Failure> {
    super::one::known(seen, SubjectKind::Partner, id)?;
    PartnerId::new(id).map_err(|error| not_an_id("partner", &error))
}

/// The session, and those of the same root authentication.
fn sessions(seen: &Seen<'_>, id: &str) -> Result<Vec<SessionId>, Failure> {
    use projections::view::session::Session as Fold;
    super::one::known(seen, SubjectKind::Session, id)?;
    let own = SessionId::new(id).map_err(|error| not_an_id("session", &error))?;
    let view = |id: &SessionId| seen.view::<Fold>(&Subject::new(SubjectKind::Session, id));
    let root = view(&own).and_then(|view| view.root_session.clone());
    let root = root.unwrap_or_else(|| own.clone());
    let derived = view(&root).map(|view| view.derived.iter().cloned().collect());
    let mut all: Vec<SessionId> = derived.unwrap_or_default();
    all.extend([own, root]);
    Ok(all)
}

fn not_an_id(what: &str, error: &ledger::id::TextError) -> Failure {
    Failure::new(
        format!("cannot look for this {what}"),
        format!("the id {error}"),
        format!("`actl {what}` lists those that are known"),
    )
}
