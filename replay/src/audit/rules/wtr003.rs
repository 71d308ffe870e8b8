//! WTR003: done by somebody who is not on record.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::{Standing, contacts, opened_the_link, standing};

pub(super) const RULE: Rule = Rule {
    code: "WTR003",
    name: "done by somebody who is not on record",
    severity: Severity::High,
    meaning: "Whoever redeemed or chose is neither a recipient of the activation mail, nor was it forwarded to them, nor are they a contact or hold a volume-licensing role on the agreement, and the licences are not where they were expected.",
    needs: "an expected tenant; who did it; somebody who is on record for the agreement",
    counter_evidence: "nothing lowers it: whatever speaks for the person silences the rule, so that a missing forward is no accusation",
    false_positives: "a forward outside of the record, a shared mailbox, or another address of the same person. The rule is therefore silent about whoever opened the link of the mail, has an address of the customer or of a contact's organisation, administers a tenant of the customer, was shown the key, or belongs to a partner on the order",
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
    case.must_be_elsewhere()?;
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.persons.is_empty() {
        return Err(Silence("no source says who did it"));
    }
    if opened_the_link(landing, evidence).is_some() {
        return Err(Silence("who did it opened the link of the mail"));
    }
    let strange = |person: &_| standing(*person, landing, evidence) == Standing::Stranger;
    if !landing.persons.iter().all(strange) {
        return Err(Silence(
            "who did it may act for the agreement, or may be a colleague of one",
        ));
    }
    let by = Some(landing.cutoff());
    let agreement = landing.agreement(evidence).into_iter();
    let mailed = agreement.flat_map(|agreement| &agreement.recipients);
    let mut mailed = mailed.filter(|to| to.by(by)).map(|to| to.event);
    let mailed = mailed.next_back();
    let contact = contacts(landing, evidence).filter(|contact| contact.by(by));
    let contact = contact.map(|contact| contact.event).last();
    let mut hit = Hit::new(Severity::High, 900);
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
