//! WTR001: one session, two agreements.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::evidence::Known;
use ledger::id::{LicenseId, SessionId};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "WTR001",
    name: "one session, two agreements",
    severity: Severity::Critical,
    meaning: "The session in which this was redeemed or chosen, or the sign-in that it derives from, had been used for another agreement. Portals sign out after each agreement exactly so that this cannot happen; cached credentials bring it back.",
    needs: "an expected tenant; the session of the landing; what else the session, or another session of the same root authentication, was used for",
    counter_evidence: "the session ended in between",
    false_positives: "importers that give several sessions one id. One customer with two agreements and one tenant is no case: the landing is where it was expected",
    compensation: "reverse and reissue (Open programs) or remap (Enterprise programs); notify both customers",
    parameters: &[],
    inputs: &[
        "SessionStarted.session",
        "SessionStarted.root_session",
        "SessionStarted.license_id",
        "KeysRedeemed.session",
        "SignInChosen.session",
        "SignUpChosen.session",
        "ActivationLinkOpened.session",
        "ConfirmationGiven.session",
        "SessionEnded.session",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_be_elsewhere()?;
    let session = case.landing.session.as_ref();
    let session = session.ok_or("no source names its session")?;
    let uses = uses_of_root(case, session);
    let own = case.landing.license_id.as_ref();
    let other = uses.iter().find(|(license, _)| Some(*license) != own);
    let (other, first) = other.ok_or("its session was used for no other agreement")?;
    let mut hit = Hit::new(severity(case, other), 980);
    for (session, known) in first.iter().take(3) {
        let why = format!("session {session} {} {other}", known.value);
        hit.evidence.push((known.event, why));
    }
    for event in &case.landing.events {
        let landed = own.map_or("this agreement", LicenseId::as_str);
        hit.evidence
            .push((*event, format!("the same sign-in was used for {landed}")));
    }
    let ended = case
        .evidence
        .sessions
        .get(session)
        .and_then(|s| s.ended.first());
    let ended = ended.filter(|ended| ended.from < case.landing.at.start);
    hit.counter_evidence
        .extend(ended.map(|ended| (ended.event, format!("session {session} had ended before"))));
    Ok(hit)
}

type Uses<'c> = BTreeMap<LicenseId, Vec<(&'c SessionId, Known<&'static str>)>>;

/// What all sessions of one root authentication were used for, up to the landing.
fn uses_of_root<'c>(case: &Case<'c>, session: &SessionId) -> Uses<'c> {
    let root = case.evidence.root_of(session);
    let cutoff = Some(case.landing.cutoff());
    let mut uses: Uses<'c> = BTreeMap::new();
    let evidence = case.evidence;
    let sessions = evidence.sessions_of_root(&root);
    for (session, facts) in sessions.filter_map(|s| evidence.sessions.get_key_value(s)) {
        for used in facts.used_for.iter().filter(|used| used.by(cutoff)) {
            let (license, by) = &used.value;
            let known = Known {
                value: *by,
                event: used.event,
                from: used.from,
            };
            uses.entry(license.clone())
                .or_default()
                .push((session, known));
        }
    }
    for judged in case.others.of_root(&root) {
        let other = judged.landing;
        let session = other.session.as_ref();
        let known = session.and_then(|s| evidence.sessions.get_key_value(s));
        let (Some((session, _)), Some(license), Some(event), true) = (
            known,
            &other.license_id,
            other.events.first(),
            other.at.start <= case.landing.cutoff(),
        ) else {
            continue;
        };
        let known = Known {
            value: "was used to activate",
            event: *event,
            from: other.at.start,
        };
        uses.entry(license.clone())
            .or_default()
            .push((session, known));
    }
    uses
}

/// Critical if the customers differ; medium if it is one customer number.
fn severity(case: &Case<'_>, other: &LicenseId) -> Severity {
    let Some(other) = case.evidence.agreements.get(other) else {
        return Severity::Critical;
    };
    let own = case.landing.agreement(case.evidence);
    let same_number = own.is_some_and(|own| own.pcn.is_some() && own.pcn == other.pcn);
    let other_customer = other.customer.as_ref().map(|known| &known.value);
    match (same_number, other_customer, &case.landing.customer) {
        (true, _, _) => Severity::Medium,
        (false, Some(one), Some(two))
            if case
                .evidence
                .belong_together(one, two, case.landing.at.start, case.cutoff) =>
        {
            Severity::High
        }
        _ => Severity::Critical,
    }
}
