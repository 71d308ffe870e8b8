//! WTR002: link opened while signed in elsewhere.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use ledger::event::word::AuthMethod;

const OPENED_BEFORE_MINUTES: i64 = 30;

pub(super) const RULE: Rule = Rule {
    code: "WTR002",
    name: "link opened while signed in elsewhere",
    severity: Severity::Critical,
    meaning: "Somebody opened the activation link in a browser that was still signed in to another tenant, and the portal added the licences there without asking again.",
    needs: "an expected tenant; the link being opened shortly before; a session that was not signed in to interactively, in the tenant that the licences reached",
    counter_evidence: "an interactive sign-in to the same session after the link was opened",
    false_positives: "the intended tenant is unknown to the ledger and the weaker evidence for another one is out of date",
    compensation: "a new key from support (Open programs) or a remap (Enterprise programs)",
    parameters: &[Parameter {
        name: "opened_before_minutes",
        value: OPENED_BEFORE_MINUTES,
        unit: "minutes",
        doc: "how long before the landing the link may have been opened",
    }],
    inputs: &[
        "ActivationLinkOpened.link",
        "ActivationLinkOpened.session",
        "SessionStarted.auth",
        "SessionStarted.resource_tenant",
        "KeysRedeemed.tenant",
        "ServicesBoundToTenant.tenant",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_be_elsewhere()?;
    let landing = case.landing;
    let earliest = landing.at.start.plus_minutes(-OPENED_BEFORE_MINUTES);
    let opened = landing
        .agreement(case.evidence)
        .into_iter()
        .flat_map(|agreement| &agreement.links_opened)
        .rfind(|opened| opened.from >= earliest && opened.from <= landing.cutoff())
        .ok_or("no activation link was opened shortly before it")?;
    let session = opened.value.as_ref().or(landing.session.as_ref());
    let session = session.ok_or("no source names the session in which the link was opened")?;
    let facts = case.evidence.sessions.get(session);
    let starts = facts.map_or(&[][..], |facts| &facts.started);
    let cached = starts.iter().rfind(|start| match start.value.auth {
        AuthMethod::Cached | AuthMethod::SingleSignOn => true,
        AuthMethod::Interactive | AuthMethod::Delegated | AuthMethod::Unknown => false,
    });
    let cached = cached.ok_or("no sign-in with cached credentials is known")?;
    if cached.value.resource_tenant.as_ref() != Some(&landing.tenant) {
        return Err(Silence("the cached sign-in was to another tenant"));
    }
    let mut hit = Hit::new(Severity::Critical, 950);
    let tenant = case.evidence.tenant_name(&landing.tenant);
    let how = match cached.value.auth {
        AuthMethod::SingleSignOn => "by single sign-on",
        AuthMethod::Cached
        | AuthMethod::Interactive
        | AuthMethod::Delegated
        | AuthMethod::Unknown => "with cached credentials",
    };
    hit.evidence.push((
        cached.event,
        format!("session {session} was signed in to {tenant} {how}"),
    ));
    hit.evidence.push((
        opened.event,
        format!("the activation link was opened in session {session}"),
    ));
    let retyped = starts
        .iter()
        .find(|start| start.value.auth == AuthMethod::Interactive && start.from >= opened.from);
    hit.counter_evidence
        .extend(retyped.map(|start| (start.event, "credentials were typed after that".to_owned())));
    Ok(hit)
}
