//! The blast radius: everything downstream of a landing.

use super::ground::{Ground, Method};
use super::obstacle::dependent;
use super::refusal::Obstacle;
use super::world::{after_reversal, moves, reversed_only};
use ledger::event::part::ReversalEffect;
use ledger::event::{Payload, subject_of};
use ledger::id::{LicenseId, Seats, SubscriptionId};
use ledger::secret::PersonId;
use ledger::time::Date;
use projections::view::subscription;
use std::collections::BTreeSet;

/// A subscription that the landing touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedSubscription {
    /// Which one.
    pub subscription: SubscriptionId,
    /// Its seats now.
    pub seats: Seats,
    /// Its seats once the landing is undone there.
    pub seats_after: Seats,
    /// Its last day now.
    pub end: Option<Date>,
    /// Its last day then, computed anew from everything else.
    pub end_after: Option<Date>,
}

/// Everything downstream of a landing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Radius {
    /// The subscriptions that it touched, or that are moved with it.
    pub subscriptions: Vec<TouchedSubscription>,
    /// Users who were given licences in the wrong tenant since, and still hold them.
    pub users_since: usize,
    /// Later redemptions, renewals and changes of the same subscriptions.
    pub later: Vec<Obstacle>,
    /// The agreements that a remap moves: all of the customer number.
    pub agreements: Vec<LicenseId>,
    /// Agreements among them that nobody asked to move (W25).
    pub beyond_request: Vec<LicenseId>,
}

/// Finds everything downstream of the landing. Costs a copy of the events that are seen.
pub fn radius(ground: &Ground<'_>) -> Radius {
    let mut radius = Radius {
        users_since: users_since(ground),
        later: dependent(ground),
        ..Radius::default()
    };
    match ground.method {
        Method::Reissue => {
            let reversed = reversed_only(ground);
            let after = reversed.at(after_reversal(ground));
            for id in &ground.landing.subscriptions {
                let (now, then) = (
                    subscription::fold(ground.at, id),
                    subscription::fold(&after, id),
                );
                if let (Some(now), Some(then)) = (now, then) {
                    radius.subscriptions.push(TouchedSubscription {
                        subscription: id.clone(),
                        seats: now.seats,
                        seats_after: then.seats,
                        end: now.end,
                        end_after: then.end,
                    });
                }
            }
        }
        Method::Remap => {
            for moved in moves(ground) {
                let views = moved.subscriptions.iter();
                let views = views.filter_map(|id| subscription::fold(ground.at, id));
                radius
                    .subscriptions
                    .extend(views.map(|view| TouchedSubscription {
                        subscription: view.subscription,
                        seats: view.seats,
                        seats_after: view.seats,
                        end: view.end,
                        end_after: view.end,
                    }));
                if Some(&moved.license_id) != ground.landing.license_id.as_ref() {
                    radius.beyond_request.push(moved.license_id.clone());
                }
                radius.agreements.push(moved.license_id);
            }
        }
    }
    radius
}

/// What the reversal takes from each subscription, as the event states it.
pub fn reversal_effects(radius: &Radius) -> Vec<ReversalEffect> {
    let effects = radius.subscriptions.iter().map(|touched| ReversalEffect {
        subscription: touched.subscription.clone(),
        seats_removed: Seats(touched.seats.0.saturating_sub(touched.seats_after.0)),
        end_after: touched.end_after,
    });
    effects.collect()
}

fn users_since(ground: &Ground<'_>) -> usize {
    let mut users: BTreeSet<PersonId> = BTreeSet::new();
    for event in ground.at.of(&subject_of(&ground.wrong)) {
        if event.occurred_at.last() < ground.landing.at.start {
            continue;
        }
        if let Payload::LicensesAssigned(given) = &event.payload {
            users.extend(given.users.iter().map(|user| user.id));
        } else if let Payload::LicensesUnassigned(taken) = &event.payload {
            taken.users.iter().for_each(|user| {
                users.remove(&user.id);
            });
        } else if let Payload::UserDeprovisioned(gone) = &event.payload {
            users.remove(&gone.user.id);
        } else if let Payload::SeatsReassigned(moved) = &event.payload
            && moved.tenant != ground.wrong
        {
            moved.users.iter().for_each(|user| {
                users.remove(&user.id);
            });
        }
    }
    users.len()
}
