//! Who holds seats of a product in a tenant: shared by the rules that count users against seats.

use super::Scene;
use ledger::event::Payload;
use ledger::event::{Event, protected::Person};
use ledger::id::{EventId, Sku, TenantId};
use ledger::secret::PersonId;
use ledger::time::Timestamp;
use std::collections::BTreeMap;

/// Who holds a product in a tenant at a moment, with the event that gave it.
pub(super) fn holders(
    scene: &Scene<'_>,
    id: &TenantId,
    sku: &Sku,
    moment: Timestamp,
) -> BTreeMap<PersonId, EventId> {
    let mut holders = BTreeMap::new();
    // One person under several addresses holds one seat.
    let who = |user: &Person| scene.evidence.same_person(user.id).first().copied();
    for event in scene
        .events
        .iter()
        .filter(|event| event.occurred_at.start <= moment)
    {
        if let Payload::LicensesAssigned(given) = &event.payload
            && (&given.tenant, &given.sku) == (id, sku)
        {
            holders.extend(
                given
                    .users
                    .iter()
                    .filter_map(|user| Some((who(user)?, event.id))),
            );
        }
        for user in taken(event, id, sku) {
            who(user).and_then(|user| holders.remove(&user));
        }
    }
    holders
}

/// The users that an event takes a product of a tenant away from.
pub(super) fn taken<'e>(event: &'e Event, id: &TenantId, sku: &Sku) -> &'e [Person] {
    if let Payload::LicensesUnassigned(taken) = &event.payload
        && (&taken.tenant, &taken.sku) == (id, sku)
    {
        &taken.users
    } else if let Payload::SeatsReassigned(moved) = &event.payload
        && moved.from_tenant.as_ref() == Some(id)
    {
        &moved.users
    } else {
        &[]
    }
}
