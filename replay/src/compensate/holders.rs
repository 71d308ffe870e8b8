//! Who holds licences in the wrong tenant, and who of them has to give one up.

use super::ground::Ground;
use super::world::{after_reversal, reversed_only};
use ledger::event::protected::Person;
use ledger::event::{Payload, subject_of};
use ledger::id::{Seats, Sku};
use ledger::secret::PersonId;
use projections::At;
use projections::view::tenant;

/// The users who have to give up a licence before the reversal: the latest assigned first (section
/// A, "Reversal with users assigned"). None if the reversal takes no seats from the tenant.
pub fn to_free(ground: &Ground<'_>) -> Vec<Person> {
    let Some(sku) = &ground.sku else {
        return Vec::new();
    };
    let seats = |at: &At<'_>| -> usize {
        let view = tenant::fold(at, &ground.wrong);
        let seats = view.and_then(|view| view.seats_by_sku.get(sku.as_str()).copied());
        seats.map_or(0, |Seats(seats)| {
            usize::try_from(seats).unwrap_or(usize::MAX)
        })
    };
    let reversed = reversed_only(ground);
    let before = seats(ground.at);
    let after = seats(&reversed.at(after_reversal(ground)));
    if after >= before {
        return Vec::new();
    }
    let mut holders = holders(ground, sku);
    let excess = holders.len().saturating_sub(after);
    holders.reverse();
    holders.truncate(excess);
    holders
}

/// Who holds a licence in the wrong tenant, in the order of assignment.
fn holders(ground: &Ground<'_>, sku: &Sku) -> Vec<Person> {
    let mut holders: Vec<Person> = Vec::new();
    let give = |holders: &mut Vec<Person>, users: &[Person]| {
        for user in users {
            holders.retain(|holder| holder.id != user.id);
            holders.push(user.clone());
        }
    };
    let take = |holders: &mut Vec<Person>, gone: &[PersonId]| {
        holders.retain(|holder| !gone.contains(&holder.id));
    };
    let ids = |users: &[Person]| users.iter().map(|user| user.id).collect::<Vec<_>>();
    for event in ground.at.of(&subject_of(&ground.wrong)) {
        if let Payload::LicensesAssigned(given) = &event.payload {
            if given.sku == *sku {
                give(&mut holders, &given.users);
            }
        } else if let Payload::LicensesUnassigned(taken) = &event.payload {
            if taken.sku == *sku {
                take(&mut holders, &ids(&taken.users));
            }
        } else if let Payload::UserDeprovisioned(gone) = &event.payload {
            if gone.sku.as_ref().is_none_or(|other| other == sku) {
                take(&mut holders, &[gone.user.id]);
            }
        } else if let Payload::UserReprovisioned(back) = &event.payload {
            if back.sku.as_ref().is_none_or(|other| other == sku) {
                give(&mut holders, std::slice::from_ref(&back.user));
            }
        } else if let Payload::SeatsReassigned(moved) = &event.payload
            && moved.sku.as_ref().is_none_or(|other| other == sku)
        {
            if moved.tenant == ground.wrong {
                give(&mut holders, &moved.users);
            } else {
                take(&mut holders, &ids(&moved.users));
            }
        }
    }
    holders
}
