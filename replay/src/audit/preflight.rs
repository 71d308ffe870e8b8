//! Preflight: what would be found if a redemption or a sign-in went ahead.
//!
//! A landing that has not happened is judged as if it had: its events are put behind everything that
//! is known, the same rules are heard, and what they find with it and not without it is the answer.
//! Nothing is recorded.

use super::evidence::Evidence;
use super::finding::Finding;
use super::hearing::{Heard, hear};
use super::landing::LandingKind;
use super::report::audit;
use super::story;
use ledger::event::word::{AuthMethod, Program};
use ledger::event::{Event, Fact};
use ledger::id::{EventId, LicenseId, Position, SessionId, TenantId};
use ledger::time::Timestamp;
use projections::{At, Histories, Point};
use std::collections::BTreeSet;

/// What would be redeemed or signed in to.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The agreement.
    pub agreement: LicenseId,
    /// The tenant that it is about to reach.
    pub tenant: TenantId,
    /// The session in which it would be done.
    pub session: Option<SessionId>,
}

/// What a preflight says.
#[derive(Clone)]
pub struct Preflight {
    /// The judged landing with its expectation and every rule's answer.
    pub heard: Heard,
    /// The expected tenant, for people.
    pub expected: String,
    /// What speaks against using this session: each with the event that says so.
    pub session: Vec<(EventId, String)>,
    /// Whether the session is known at all.
    pub session_known: bool,
    /// What the audit would find that it does not find now.
    pub findings: Vec<Finding>,
}

impl Preflight {
    /// Whether everything is known and nothing speaks against it.
    pub fn is_clean(&self) -> bool {
        let expected = self.heard.verdict == super::expectation::Verdict::AsExpected;
        expected && self.session.is_empty() && self.findings.is_empty()
    }
}

/// Whether an agreement is activated by a choice rather than by a redemption.
pub fn is_by_choice(at: &At<'_>, agreement: &LicenseId) -> bool {
    by_choice(&Evidence::gather(at), agreement)
}

pub(super) fn by_choice(evidence: &Evidence, agreement: &LicenseId) -> bool {
    let program = evidence.agreements.get(agreement).and_then(|a| a.program);
    match program {
        Some(
            Program::Enterprise | Program::Campus | Program::Schools | Program::ProductsAndServices,
        ) => true,
        Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription) | None => {
            false
        }
    }
}

/// The assumed events of a plan in their JSON form: read them as an import would, so that the person
/// is protected, and give them to [`preflight`].
pub fn assumed(
    plan: &Plan,
    person: Option<&str>,
    by_choice: bool,
    when: Timestamp,
) -> Vec<serde_json::Value> {
    use serde_json::json;
    let event = |kind: &str, number: u32, data: serde_json::Value| {
        let source = json!({ "system": ASSUMED, "record": format!("{ASSUMED}-{number}") });
        json!({ "kind": kind, "occurred_at": when.to_string(), "source": source, "data": data })
    };
    let session = plan.session.as_ref().map(SessionId::as_str);
    let (license, tenant) = (plan.agreement.as_str(), plan.tenant.as_str());
    if !by_choice {
        let data = json!({
            "redemption": ASSUMED, "license_id": license, "tenant": tenant, "session": session,
            "redeemer": person, "keys": [], "mode": "NewSubscription", "effects": [],
        });
        return vec![event("KeysRedeemed", 1, data)];
    }
    let chosen = json!({
        "license_id": license, "session": session, "principal": person, "tenant": tenant,
    });
    let bound = json!({
        "license_id": license, "tenant": tenant, "basis": "SignIn", "session": session,
    });
    vec![
        event("SignInChosen", 1, chosen),
        event("ServicesBoundToTenant", 2, bound),
    ]
}

/// The name that assumed events go by; it is in no finding's text.
const ASSUMED: &str = "preflight";

/// Judges the assumed facts of a plan. Pure. `None` if they make no landing. Costs two audits and a
/// copy of the events.
pub fn preflight(at: &At<'_>, plan: &Plan, facts: Vec<Fact>) -> Option<Preflight> {
    let before = audit(at);
    let own: BTreeSet<EventId> = facts.iter().map(|fact| fact.id).collect();
    let assumed = facts.into_iter().map(|fact| Event {
        position: Position(u64::MAX - 1),
        recorded_at: Timestamp::from_micros(0),
        fact,
    });
    let histories = Histories::gather(at.all().cloned().chain(assumed));
    let world = histories.at(Point::valid(at.point().valid_at));
    let is_own = |events: &BTreeSet<EventId>| events.iter().any(|event| own.contains(event));
    let heard = hear(&world, &|landing| is_own(&landing.events)).pop()?;
    let known: BTreeSet<_> = before.findings.iter().map(|finding| &finding.id).collect();
    let mut findings = audit(&world).findings;
    findings.retain(|finding| !known.contains(&finding.id));
    Some(of(&Evidence::gather(at), plan, heard, findings))
}

/// The answer of what was heard and found with the assumed events, and of the evidence without them.
pub(super) fn of(
    evidence: &Evidence,
    plan: &Plan,
    heard: Heard,
    findings: Vec<Finding>,
) -> Preflight {
    let (session_known, session) = match &plan.session {
        Some(session) => of_session(evidence, plan, session),
        None => (false, Vec::new()),
    };
    Preflight {
        expected: story::wanted(evidence, &heard.expectation),
        heard,
        session,
        session_known,
        findings,
    }
}

/// What speaks against using a session, from what is known of it and of those of the same sign-in.
fn of_session(
    evidence: &Evidence,
    plan: &Plan,
    session: &SessionId,
) -> (bool, Vec<(EventId, String)>) {
    let root = evidence.root_of(session);
    let mut against = Vec::new();
    let mut known = false;
    for one in evidence.sessions_of_root(&root) {
        let Some(facts) = evidence.sessions.get(one) else {
            continue;
        };
        known = true;
        for used in &facts.used_for {
            let (license, by) = &used.value;
            if *license != plan.agreement {
                against.push((
                    used.event,
                    format!("session {one} {by} agreement {license}"),
                ));
            }
        }
        if one != session {
            continue;
        }
        if let Some(start) = facts.started.last() {
            against.extend(of_start(evidence, plan, start.event, &start.value));
        }
        let ended = facts.ended.last();
        against.extend(ended.map(|end| (end.event, format!("session {one} has ended"))));
    }
    against.sort();
    against.dedup();
    (known, against)
}

fn of_start(
    evidence: &Evidence,
    plan: &Plan,
    event: EventId,
    start: &super::evidence::SessionStart,
) -> Vec<(EventId, String)> {
    let mut against = Vec::new();
    let how = match start.auth {
        AuthMethod::Cached => Some("from cached credentials"),
        AuthMethod::SingleSignOn => Some("by a token of another session"),
        AuthMethod::Interactive | AuthMethod::Delegated | AuthMethod::Unknown => None,
    };
    against.extend(how.map(|how| (event, format!("it was signed in {how}"))));
    let other = start
        .resource_tenant
        .as_ref()
        .filter(|t| **t != plan.tenant);
    against.extend(other.map(|tenant| {
        let name = evidence.tenant_name(tenant);
        (event, format!("it is signed in to {name}"))
    }));
    against
}

/// How the landing would come about.
pub fn way(kind: LandingKind) -> &'static str {
    match kind {
        LandingKind::Redemption | LandingKind::Credit => "a redemption",
        LandingKind::SignIn | LandingKind::SignUp | LandingKind::AutoAssignment => "a sign-in",
    }
}
