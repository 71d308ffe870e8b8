//! WTR003: done by somebody who is not on record.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::{Standing, contacts, opened_the_link, standing};
use crate::audit::landing::LandingKind;
use ledger::event::word::RedemptionEntry;

pub(super) const RULE: Rule = Rule {
    code: "WTR003",
    name: "done by somebody who is not on record",
    severity: Severity::High,
    meaning: "Whoever redeemed or chose is neither a recipient of the activation mail, nor was it forwarded to them, nor are they a contact or hold a volume-licensing role on the agreement (invariant 5). If the licences are where they were expected, the manner is wrong and not the tenant.",
    needs: "an expected tenant, so that the landing is judged at all; who did it; somebody who is on record for the agreement",
    counter_evidence: "nothing lowers it, but it is weak about somebody with an address of the customer or of a contact's organisation",
    false_positives: "a forward outside of the record, a shared mailbox, or another address of the same person. All of these have the mail in hand, so the rule is silent about whoever opened its link; and about whoever was shown the key, or belongs to a partner on the order",
    compensation: "ask the Online Services Manager or primary contact; if they refuse, reverse and reissue, or remap; otherwise record the forward that is missing",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.redeemer",
        "SessionStarted.principal",
        "SignInChosen.principal",
        "SignUpChosen.principal",
        "ActivationEmailSent.recipient",
        "ActivationEmailResent.recipient",
        "ActivationEmailForwarded.to",
        "ActivationLinkOpened.session",
        "RedemptionStarted.entry",
        "ContactChanged.new",
        "VlRoleAssigned.user",
        "VlRoleRemoved.user",
        "KeyRevealed.to",
        "PartnerRegistered.domains",
        "CustomerRegistered.verified_domains",
        "TenantRoleAssigned.user",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    case.must_be_judged()?;
    if landing.persons.is_empty() || landing.kind == LandingKind::AutoAssignment {
        return Err(Silence("no source says who did it"));
    }
    let entries = landing.redemptions.iter();
    let mut entries = entries.filter_map(|id| evidence.redemptions.get(id)?.entry);
    if opened_the_link(landing, evidence).is_some()
        || entries.any(|entry| entry == RedemptionEntry::EmailLink)
    {
        return Err(Silence("who did it opened the link of the mail"));
    }
    let persons = landing.persons.iter();
    let standings = persons.map(|person| standing(*person, landing, evidence));
    let colleague = match standings.max() {
        Some(Standing::Recorded) => return Err(Silence("who did it may act for the agreement")),
        Some(Standing::Colleague) => true,
        Some(Standing::Stranger) | None => false,
    };
    let by = Some(landing.cutoff());
    let agreement = landing.agreement(evidence).into_iter();
    let mailed = agreement.flat_map(|agreement| &agreement.recipients);
    let mut mailed = mailed.filter(|to| to.by(by)).map(|to| to.event);
    let mailed = mailed.next_back();
    let contact = contacts(landing, evidence).filter(|contact| contact.by(by));
    let contact = contact.map(|contact| contact.event).last();
    let sure = if colleague { 600 } else { 900 };
    let mut hit = match case.is_elsewhere() {
        true => Hit::new(Severity::High, sure),
        false => Hit::of_manner(Severity::High, sure),
    };
    hit.evidence
        .extend(mailed.map(|event| (event, "the mail went to somebody else".to_owned())));
    hit.evidence
        .extend(contact.map(|event| (event, "somebody else is the contact".to_owned())));
    if hit.evidence.is_empty() {
        return Err(Silence("nobody is on record for the agreement"));
    }
    hit.landed(
        case,
        "who did it is neither recipient nor contact and holds no role",
    );
    Ok(hit)
}
