//! WTR019: done by a contact who had been replaced.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::{contacts, holds_redeeming_role};
use crate::audit::evidence::{AgreementFacts, Known, ReplacedContact};
use crate::audit::expectation::Verdict;

pub(super) const RULE: Rule = Rule {
    code: "WTR019",
    name: "done by a contact who had been replaced",
    severity: Severity::High,
    meaning: "The mail went to a contact whom another had replaced before the redemption, or the old contact still had it: a former employee or a wrong person redeemed or chose, be it in the tenant that was expected. Changing a contact sends no mail to the new one.",
    needs: "the change of the contact, certainly before the landing; who redeemed or chose",
    counter_evidence: "the old contact administers the tenant; then the two may have agreed on it",
    false_positives: "a hand-over that was agreed: if the mail was forwarded to the old contact after the change, or the person is another contact or still holds a volume-licensing role, the rule is silent",
    compensation: "confirm with the new contact; if refused, reverse and reissue, or remap; have the mail sent to the new contact",
    parameters: &[],
    inputs: &[
        "ContactChanged.old",
        "ContactChanged.role",
        "ActivationEmailSent.recipient",
        "ActivationEmailForwarded.to",
        "VlRoleAssigned.user",
        "KeysRedeemed.redeemer",
        "SignInChosen.principal",
        "SignUpChosen.principal",
        "SessionStarted.principal",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    let agreement = landing
        .agreement(evidence)
        .ok_or("no source names its agreement")?;
    let replaced = agreement.replaced_contacts.iter().rfind(|old| {
        let acted = landing.persons.contains(&old.value.old);
        acted && evidence.certainly_before(old.event, landing.at)
    });
    let replaced = replaced.ok_or("no former contact did it")?;
    if may_still_act(case, agreement, replaced) {
        return Err(Silence("the former contact may still act"));
    }
    let mut hit = match case.verdict {
        Verdict::AsExpected => Hit::of_manner(Severity::High, 900),
        Verdict::Elsewhere | Verdict::NotJudged => Hit::new(Severity::High, 900),
    };
    let why = "another contact took this one's place before";
    hit.evidence.push((replaced.event, why.to_owned()));
    let old = replaced.value.old;
    let mut mailed = agreement.recipients.iter();
    let mailed = mailed.rfind(|to| evidence.is_same(to.value, old));
    hit.evidence
        .extend(mailed.map(|to| (to.event, "the mail went to the former contact".to_owned())));
    hit.landed(case, "the former contact did it");
    Ok(hit)
}

/// Whether somebody handed it over, or the person acts in another capacity.
fn may_still_act(
    case: &Case<'_>,
    agreement: &AgreementFacts,
    replaced: &Known<ReplacedContact>,
) -> bool {
    let (landing, old) = (case.landing, case.evidence.same_person(replaced.value.old));
    let handed_over = agreement.forwarded.iter().any(|to| {
        let since = to.from >= replaced.from && to.by(Some(landing.cutoff()));
        old.contains(&to.value) && since
    });
    let role = agreement
        .roles
        .iter()
        .any(|role| old.contains(&role.value.user) && holds_redeeming_role(role, landing));
    let otherwise = contacts(landing, case.evidence).any(|contact| {
        // Who took the place can be the same person under another address.
        let another = contact.value.role != replaced.value.role
            || contact.from > replaced.from
            || contact.event == replaced.event;
        let gone = agreement.replaced_contacts.iter().any(|gone| {
            gone.value.old == contact.value.person.id
                && gone.value.role == contact.value.role
                && gone.from >= contact.from
        });
        old.contains(&contact.value.person.id)
            && contact.by(Some(landing.cutoff()))
            && another
            && !gone
    });
    handed_over || role || otherwise
}
