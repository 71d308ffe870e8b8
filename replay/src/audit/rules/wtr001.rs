//! WTR001: one session, two agreements.

use super::{Case, Hit, Rule, Severity};
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
    check,
};

fn check(case: &Case<'_>) -> Option<Hit> {
    if !case.is_elsewhere() {
        return None;
    }
    let session = case.landing.session.as_ref()?;
    let uses = uses_of_root(case, session);
    let own = case.landing.license_id.as_ref();
    let (other, first) = uses.iter().find(|(license, _)| Some(*license) != own)?;
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
    Some(hit)
}

type Uses<'c> = BTreeMap<LicenseId, Vec<(&'c SessionId, Known<&'static str>)>>;

/// What all sessions of one root authentication were used for, up to the landing.
fn uses_of_root<'c>(case: &Case<'c>, session: &SessionId) -> Uses<'c> {
    let root = case.evidence.root_of(session);
    let cutoff = Some(case.landing.cutoff());
    let mut uses: Uses<'c> = BTreeMap::new();
    let sessions = case.evidence.sessions.iter();
    for (other, facts) in sessions.filter(|(other, _)| case.evidence.root_of(other) == root) {
        for used in facts.used_for.iter().filter(|used| used.by(cutoff)) {
            let (license, by) = &used.value;
            let known = Known {
                value: *by,
                event: used.event,
                from: used.from,
            };
            uses.entry(license.clone())
                .or_default()
                .push((other, known));
        }
    }
    for judged in case
        .judged
        .iter()
        .filter(|j| j.landing.at.start <= case.landing.cutoff())
    {
        let same = judged
            .landing
            .session
            .as_ref()
            .filter(|s| case.evidence.root_of(s) == root);
        let Some(((license, session), event)) = judged
            .landing
            .license_id
            .as_ref()
            .zip(same)
            .zip(judged.landing.events.first())
        else {
            continue;
        };
        let Some((session, _)) = case.evidence.sessions.get_key_value(session) else {
            continue;
        };
        let known = Known {
            value: "was used to activate",
            event: *event,
            from: judged.landing.at.start,
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
        (false, Some(one), Some(two)) if case.evidence.belong_together(one, two, case.cutoff) => {
            Severity::High
        }
        _ => Severity::Critical,
    }
}
