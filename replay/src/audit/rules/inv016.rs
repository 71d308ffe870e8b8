//! INV016: a reversal that is not its redemption.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use ledger::event::Payload;
use ledger::event::kinds::KeysRedeemed;
use ledger::event::word::RedemptionMode;
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "INV016",
    name: "reversal of another number of seats",
    severity: Severity::High,
    meaning: "The reversal took away another number of seats than the redemption had brought. Both together are nothing (invariant 16), so the customer has too many seats or too few.",
    needs: "the seats of the redeemed keys, and the seats that the reversal took away",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "reversals that are reported in parts",
    compensation: "have the vendor correct the seats",
    parameters: &[],
    inputs: &["KeysRedeemed.redemption", "RedemptionReversed.redemption"],
    check: Check::Subject(SubjectKind::Redemption, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut brought = None;
    for event in scene.events {
        if let Payload::KeysRedeemed(redeemed) = &event.payload {
            let seats = brought_by(redeemed).filter(|seats| *seats > 0);
            brought = brought.or(seats.map(|seats| (event, seats)));
        } else if let Payload::RedemptionReversed(reversed) = &event.payload {
            let (redeemed, seats) = brought.ok_or("it is not recorded that it brought seats")?;
            if reversed.effects.is_empty() {
                return Err(Silence("no source says what the reversal took away"));
            }
            let taken = reversed.effects.iter();
            let taken: i64 = taken.map(|effect| i64::from(effect.seats_removed.0)).sum();
            if taken == seats {
                return Err(Silence("the reversal took away what it had brought"));
            }
            let summary = format!(
                "Redemption {} brought {seats} seats, and its reversal took away {taken}.",
                reversed.redemption
            );
            let breach = Breach::new(scene.subject, event.occurred_at, Severity::High, 900)
                .says(summary, "have the vendor correct the seats")
                .names(&reversed.tenant)
                .names(&reversed.license_id)
                .shows(redeemed, format!("it brought {seats} seats"))
                .shows(event, format!("the reversal took away {taken}"));
            return Ok(vec![breach]);
        }
    }
    Err(Silence("it was not reversed"))
}

/// How many seats a redemption brought: what a source saw, else the seats of its keys unless they
/// renewed seats that were there.
fn brought_by(redeemed: &KeysRedeemed) -> Option<i64> {
    let seen = redeemed.effects.iter().map(|effect| {
        let before = effect.seats_before.map_or(0, |seats| i64::from(seats.0));
        effect.seats_after.map(|after| i64::from(after.0) - before)
    });
    let seen: Option<i64> = seen.sum();
    match redeemed.mode {
        _ if !redeemed.effects.is_empty() => seen,
        RedemptionMode::AddKeepEnd | RedemptionMode::NewSubscription => {
            let keys = redeemed.keys.iter();
            keys.map(|key| key.seats.map(|seats| i64::from(seats.0)))
                .sum()
        }
        RedemptionMode::RenewPlus12 | RedemptionMode::AzureNew | RedemptionMode::AzureTopUp => None,
    }
}
