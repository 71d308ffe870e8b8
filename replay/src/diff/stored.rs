//! Comparing two tenants of a store, whose histories alone are read.

use super::{Diff, NEAR_MAX, Side, UnknownTenant, compare, is_near};
use ledger::id::TenantId;
use ledger::store::Store;
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::stored::{Stored, ViewsError};
use projections::{Part, Point};

/// What [`diff`](super::diff) says of two tenants of a store, each at an instant, as of one point's position.
/// The first error is of reading. Costs by the histories of both, and of what they name, however long the log
/// is; and for an unknown tenant by the number of tenants whose names begin alike.
pub fn diff_of_store(
    store: &Store,
    source: &Stored,
    (left, point): (&TenantId, Point),
    (right, valid_at): (&TenantId, Timestamp),
) -> Result<Result<Diff, UnknownTenant>, ViewsError> {
    let compared = Part::new(store, source).answer(|histories| {
        let at = histories.at(point);
        let other = at.valid_at(valid_at);
        let one = Side {
            at: &at,
            tenant: left,
        };
        let two = Side {
            at: &other,
            tenant: right,
        };
        compare(one, two).map_err(|side| (side.tenant.clone(), side.at.point()))
    })?;
    Ok(match compared {
        Ok(diff) => Ok(diff),
        Err((tenant, point)) => Err(UnknownTenant {
            near: near(store, source, &tenant, point)?,
            tenant,
        }),
    })
}

/// The first tenants with a near name that anything names at a point.
fn near(
    store: &Store,
    source: &Stored,
    tenant: &TenantId,
    point: Point,
) -> Result<Vec<TenantId>, ViewsError> {
    let mut near = Vec::new();
    for subject in store.subjects(SubjectKind::Tenant)? {
        if near.len() == NEAR_MAX {
            break;
        }
        if !is_near(tenant, &subject.id) {
            continue;
        }
        let mut part = Part::new(store, source);
        if part.answer(|histories| histories.at(point).knows(&subject))? {
            near.extend(TenantId::new(&subject.id).ok());
        }
    }
    Ok(near)
}
