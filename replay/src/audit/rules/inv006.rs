//! INV006: seats and dates that do not add up.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::part::RedemptionEffect;
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Payload};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV006",
    name: "outcome differs from the mode",
    severity: Severity::High,
    meaning: "A redemption did something else than its mode does: Add changed the end date or added another number of seats than its keys hold, or Renew moved the end back (R15; invariant 6).",
    needs: "seats and end dates before and after, as the source saw them, and the seats of the keys",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "effects that the portal showed before it had finished; end-date rules of another time",
    compensation: "compare with the portal; have the vendor correct the end date or the seats",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.mode",
        "RedemptionOutcomeDiverged.seats_observed",
        "RedemptionOutcomeDiverged.end_observed",
    ],
    check: Check::Subject(SubjectKind::Redemption, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut silence = Silence("no source saw what it did");
    for event in scene.events {
        let what = if let Payload::RedemptionOutcomeDiverged(_) = &event.payload {
            Some("the portal itself reported another outcome".to_owned())
        } else if let Payload::KeysRedeemed(redeemed) = &event.payload {
            silence = Silence("what it did is what its mode does");
            let mut keys = redeemed.keys.iter();
            let seats = keys.try_fold(0_u32, |sum, key| sum.checked_add(key.seats?.0));
            match redeemed.effects.as_slice() {
                [effect] => wrong(redeemed.mode, effect, seats),
                _several => None,
            }
        } else {
            None
        };
        if let Some(what) = what {
            return Ok(vec![breach(scene, event, what)]);
        }
    }
    Err(silence)
}

/// What an effect did that its mode does not do.
fn wrong(mode: RedemptionMode, effect: &RedemptionEffect, seats: Option<u32>) -> Option<String> {
    let ends = effect.end_before.zip(effect.end_after);
    match mode {
        RedemptionMode::AddKeepEnd => {
            let counts = effect.seats_before.zip(effect.seats_after).zip(seats);
            if let Some(((before, after), added)) = counts
                && before.0.saturating_add(added) != after.0
            {
                return Some(format!(
                    "{added} seats were added to {before}, which gave {after}"
                ));
            }
            let (before, after) = ends.filter(|(before, after)| before != after)?;
            Some(format!(
                "seats were added, and the end moved from {before} to {after}"
            ))
        }
        RedemptionMode::RenewPlus12 => {
            let (before, after) = ends.filter(|(before, after)| after <= before)?;
            Some(format!(
                "it was renewed, and the end went from {before} to {after}"
            ))
        }
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew | RedemptionMode::AzureTopUp => {
            None
        }
    }
}

fn breach(scene: &Scene<'_>, event: &Event, what: String) -> Breach {
    let summary = format!("Redemption {}: {what}.", scene.subject.id);
    let next = "compare with the portal, and have the vendor correct what is wrong";
    let mut breach = Breach::new(scene.subject, event.occurred_at, Severity::High, 800)
        .says(summary, next)
        .shows(event, what);
    if let Payload::KeysRedeemed(redeemed) = &event.payload {
        breach = breach.names([&redeemed.tenant]).names(&redeemed.license_id);
        let touched = redeemed.effects.iter().map(|effect| &effect.subscription);
        breach = breach.names(touched);
    }
    breach
}
