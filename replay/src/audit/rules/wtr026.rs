//! WTR026: a key was replaced, and the old one still counts.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};

const LAG_HOURS: i64 = 48;

pub(super) const RULE: Rule = Rule {
    code: "WTR026",
    name: "the key was replaced and still counts",
    severity: Severity::Critical,
    meaning: "Support replaced a key that had been redeemed, but the redemption of the old one was not reversed: the customer has what it paid for twice, and somebody will be charged for it.",
    needs: "the redemption of the old key, the key that replaced it, and no reversal within two days",
    counter_evidence: "nothing lowers it; a new key that nobody has redeemed yet can still be",
    false_positives: "a reversal that the portal shows a day or two later, which is waited for; a key that was replaced before anybody redeemed it is no case",
    compensation: "have the redemption of the old key reversed",
    parameters: &[Parameter {
        name: "lag_hours",
        value: LAG_HOURS,
        unit: "hours",
        doc: "how long after the replacement a reversal may take to show",
    }],
    inputs: &[
        "KeyReissued.old_key",
        "KeyReissued.new_key",
        "KeysRedeemed.keys",
        "RedemptionReversed.redemption",
        "RedemptionReversed.keys",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.keys.is_empty() {
        return Err(Silence("no key was redeemed"));
    }
    let replaced = landing.keys.iter().find_map(|key| {
        let by = evidence.keys.get(key)?.replaced_by.as_ref()?;
        by.by(case.cutoff).then_some((key, by))
    });
    let (old, by) = replaced.ok_or("no key of it was replaced")?;
    let due = by.from.plus_minutes(LAG_HOURS * 60);
    let undone = landing
        .reversed
        .as_ref()
        .filter(|undone| undone.by(case.cutoff));
    if undone.is_some_and(|undone| undone.from <= due) {
        return Err(Silence("it was reversed"));
    }
    if !case.has_reached(due) {
        return Err(Silence("the reversal may still show"));
    }
    let mut hit = Hit::of_manner(Severity::Critical, 950);
    hit.settled = undone.map(|undone| undone.event);
    let (old, new) = (old.last5, by.value.last5);
    hit.evidence
        .push((by.event, format!("key …{old} was replaced by key …{new}")));
    hit.landed(case, "its redemption still counts");
    let mut again = case.others.of_key(&by.value).map(|judged| judged.landing);
    if let Some(event) = again.next().and_then(|again| again.events.first()) {
        let why = format!("key …{new} was redeemed too");
        hit.evidence.push((*event, why));
    }
    Ok(hit)
}
