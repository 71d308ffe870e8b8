//! Views: what each entity looked like at a point in both times. One file each.
//!
//! Every view is a pure fold over the histories that it declares to follow; see each file's head.

pub mod agreement;
pub mod key;
pub mod seat;
pub mod subscription;
pub mod tenant;

use crate::history::At;
use ledger::id::{LicenseId, SubscriptionId, TenantId};
use ledger::subject::{Subject, SubjectKind};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt::Display;

/// One projection: which kind of subject it shows, what it means, and its fold.
pub struct Projection {
    /// The subjects that it has a view of.
    pub kind: SubjectKind,
    /// What the view shows.
    pub doc: &'static str,
    /// The histories that it follows from the subject's own, in words.
    pub follows: &'static str,
    /// Folds the view of a subject, as JSON; `None` if no event that is seen names it.
    pub fold: fn(&At<'_>, &Subject) -> Option<Value>,
}

/// Every projection.
pub const PROJECTIONS: &[Projection] = &[
    tenant::PROJECTION,
    subscription::PROJECTION,
    seat::PROJECTION,
    agreement::PROJECTION,
    key::PROJECTION,
];

/// The view of a subject, as JSON; `None` if there is no projection of its kind, or no event that is
/// seen names it. Costs by the histories that it follows.
pub fn view(at: &At<'_>, subject: &Subject) -> Option<Value> {
    let projection = PROJECTIONS.iter().find(|p| p.kind == subject.kind)?;
    if !at.knows(subject) {
        return None;
    }
    (projection.fold)(at, subject)
}

/// The views of all subjects of every projection, as JSON lines in a fixed order, and their BLAKE3:
/// equal for equal events, whatever order they were imported in.
pub fn state_hash(at: &At<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    for projection in PROJECTIONS {
        for id in at.subjects(projection.kind).keys() {
            let subject = Subject::new(projection.kind, id);
            if let Some(view) = (projection.fold)(at, &subject) {
                hasher.update(subject.to_string().as_bytes());
                hasher.update(view.to_string().as_bytes());
                hasher.update(b"\n");
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn to_json<T: Serialize>(view: T) -> Option<Value> {
    serde_json::to_value(view).ok()
}

/// Serializes a value that may be absent as its text, for types whose own serde form is the stored
/// one.
pub(crate) fn shown_option<T: Display, S: Serializer>(
    value: &Option<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

/// [`shown_option`] for a list.
pub(crate) fn shown_list<T: Display, S: Serializer>(
    values: &[T],
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(ToString::to_string))
}

/// The ids of a list of subjects as their types, for links between views.
pub(crate) fn subscription_subject(id: &SubscriptionId) -> Subject {
    Subject::new(SubjectKind::Subscription, id)
}

pub(crate) fn tenant_subject(id: &TenantId) -> Subject {
    Subject::new(SubjectKind::Tenant, id)
}

pub(crate) fn agreement_subject(id: &LicenseId) -> Subject {
    Subject::new(SubjectKind::Agreement, id)
}
