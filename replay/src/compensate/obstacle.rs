//! What stands in the way: later events that depend on what landed, and corrections that the vendor
//! made in another way.

use super::ground::{Ground, Method};
use super::refusal::{Obstacle, Refusal};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::RedemptionId;
use std::collections::BTreeSet;

/// Refuses what is entangled. Users who hold licences are no obstacle: taking them away is a step.
pub fn check(ground: &Ground<'_>) -> Result<(), Refusal> {
    let obstacles = corrected_otherwise(ground);
    if !obstacles.is_empty() {
        return Err(Refusal::CorrectedOtherwise { obstacles });
    }
    // Once it was reversed there is nothing left to be entangled with.
    if ground.method == Method::Remap || ground.landing.reversed.is_some() {
        return Ok(());
    }
    let mut obstacles = dependent(ground);
    obstacles.extend(redeemed_elsewhere(ground));
    match obstacles.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Entangled { obstacles }),
    }
}

/// Redemptions of the same keys in other tenants: the reversal of a key would take them all, so
/// that the vendor has to decide which of them stands (W8).
fn redeemed_elsewhere(ground: &Ground<'_>) -> Vec<Obstacle> {
    let keys: BTreeSet<_> = ground.landing.keys.iter().map(subject_of).collect();
    let events = ground.at.of_any(&keys).into_iter();
    let elsewhere = events.filter_map(|event| {
        let Payload::KeysRedeemed(redeemed) = &event.payload else {
            return None;
        };
        let tenant = ground.name(&redeemed.tenant);
        let on = event.occurred_at;
        (redeemed.tenant != ground.wrong).then(|| Obstacle {
            event: event.id,
            what: format!("the same key was redeemed in {tenant} on {on}"),
        })
    });
    elsewhere.collect()
}

/// Events after the landing that depend on the subscriptions that it touched.
pub fn dependent(ground: &Ground<'_>) -> Vec<Obstacle> {
    let subjects: BTreeSet<_> = ground
        .landing
        .subscriptions
        .iter()
        .map(subject_of)
        .collect();
    let events = ground.at.of_any(&subjects);
    let later = events
        .into_iter()
        .filter(|event| event.occurred_at.last() >= ground.landing.at.start);
    let mut obstacles: Vec<Obstacle> = later
        .filter(|event| !ground.landing.events.contains(&event.id))
        .filter_map(|event| {
            let what = depends(ground, event)?;
            let what = format!("{what} on {}", event.occurred_at);
            Some(Obstacle {
                event: event.id,
                what,
            })
        })
        .collect();
    obstacles.dedup();
    obstacles
}

/// In a few words, why an event depends on the state that the landing left; `None` if it does not.
fn depends(ground: &Ground<'_>, event: &Event) -> Option<String> {
    let own = |redemption: &RedemptionId| ground.landing.redemptions.contains(redemption);
    let of_own = |redemption: &Option<RedemptionId>| redemption.as_ref().is_some_and(own);
    let payload = &event.payload;
    if let Payload::KeysRedeemed(later) = payload {
        let reversed = ground
            .evidence
            .reversed_redemptions
            .contains_key(&later.redemption);
        let again = later
            .keys
            .iter()
            .any(|line| ground.landing.keys.contains(&line.key));
        let what = format!(
            "{} was redeemed into the same subscription",
            later.redemption
        );
        (!own(&later.redemption) && !reversed && !again).then_some(what)
    } else if let Payload::SubscriptionRenewed(later) = payload {
        let what = format!("{} was renewed", later.subscription);
        (!of_own(&later.redemption)).then_some(what)
    } else if let Payload::SeatsAdded(later) = payload {
        let of_other = later.redemption.is_some();
        // Seats of another redemption are an obstacle by that redemption itself.
        let what = format!("seats were added to {}", later.subscription);
        (!of_other).then_some(what)
    } else if let Payload::SeatsReduced(later) = payload {
        Some(format!("seats of {} were reduced", later.subscription))
    } else if let Payload::SeatsTransferred(later) = payload {
        Some(format!("seats went from {} to {}", later.from, later.to))
    } else if let Payload::EndDateCorrected(later) = payload {
        Some(format!("the end of {} was corrected", later.subscription))
    } else if let Payload::SubscriptionCancelled(later) = payload {
        Some(format!("{} was cancelled", later.subscription))
    } else if let Payload::SubscriptionReactivated(later) = payload {
        Some(format!("{} was reactivated", later.subscription))
    } else if let Payload::SubscriptionDeleted(later) = payload {
        Some(format!("{} was deleted", later.subscription))
    } else if let Payload::TenantRemapped(_) = payload {
        Some("the subscription was moved to another tenant".to_owned())
    } else {
        None
    }
}

/// Corrections that contradict each other, or that went to a third tenant.
fn corrected_otherwise(ground: &Ground<'_>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    for (old, new) in ground.reissued.iter().filter(|(_, new)| new.len() > 1) {
        obstacles.extend(new.iter().map(|(key, event)| Obstacle {
            event: event.id,
            what: format!("key …{} was replaced by …{}", old.last5, key.last5),
        }));
    }
    if let Some(to) = &ground.landing.remapped
        && to.value != ground.right
    {
        obstacles.push(Obstacle {
            event: to.event,
            what: format!("the agreement was moved to {}", ground.name(&to.value)),
        });
    }
    let new = ground.new_keys();
    for event in ground.since() {
        if let Payload::KeysRedeemed(redeemed) = &event.payload
            && redeemed.tenant != ground.right
            && redeemed.keys.iter().any(|line| new.contains(&line.key))
        {
            let tenant = ground.name(&redeemed.tenant);
            let what = format!("the new key was redeemed in {tenant}");
            obstacles.push(Obstacle {
                event: event.id,
                what,
            });
        }
    }
    obstacles
}
