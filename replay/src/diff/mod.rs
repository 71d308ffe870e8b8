//! Forensic diff: two histories of tenants side by side, aligned by cause and not by sequence.
//!
//! Each side is a tenant at a point in both times, so that two tenants, one tenant at two times, and
//! two ledgers are the same question. A row groups the events of one cause; beside the rows stand
//! the fields of the two views that differ. `diff(a, b)` mirrored is `diff(b, a)`.

mod cause;
mod row;
mod stored;
mod words;

pub use row::{Link, Row, Seen, Status};
pub use stored::diff_of_store;

use ledger::event::subject_of;
use ledger::id::TenantId;
use ledger::subject::SubjectKind;
use projections::At;
use projections::view::view;
use serde_json::Value;
use std::collections::BTreeSet;

/// How many near names an error lists.
const NEAR_MAX: usize = 3;
/// How many first letters make a name near.
const NEAR_LETTERS: usize = 4;

/// One side of a diff.
#[derive(Clone, Copy)]
pub struct Side<'d> {
    /// The histories, at a point in both times.
    pub at: &'d At<'d>,
    /// The tenant.
    pub tenant: &'d TenantId,
}

/// A tenant that no event names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event names tenant:{tenant} at this point in time")]
pub struct UnknownTenant {
    /// What was asked for.
    pub tenant: TenantId,
    /// Tenants with a near name, at most three.
    pub near: Vec<TenantId>,
}

/// A field of the two views that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    /// Its name.
    pub field: String,
    /// Its value on the left.
    pub left: Value,
    /// Its value on the right.
    pub right: Value,
}

/// How two histories differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The tenant on the left.
    pub left: TenantId,
    /// The tenant on the right.
    pub right: TenantId,
    /// A row for each cause, in the order in which they began.
    pub rows: Vec<Row>,
    /// The fields of the views that differ, by name.
    pub fields: Vec<FieldDifference>,
}

impl Diff {
    /// Whether the histories match and the views agree.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.rows.iter().all(|row| row.status == Status::Matched)
    }

    /// The same diff seen from the other side.
    #[must_use]
    pub fn mirrored(self) -> Self {
        let rows = self.rows.into_iter().map(Row::mirrored).collect();
        let swap = |field: FieldDifference| FieldDifference {
            field: field.field,
            left: field.right,
            right: field.left,
        };
        Self {
            left: self.right,
            right: self.left,
            rows,
            fields: self.fields.into_iter().map(swap).collect(),
        }
    }
}

/// Compares two tenants. Pure. Costs by the histories of both, and of the orders, keys and
/// redemptions that they name. A tenant that is known on one side only of its own diff was not there
/// yet on the other; any other unknown tenant is an error.
pub fn diff(left: Side<'_>, right: Side<'_>) -> Result<Diff, UnknownTenant> {
    compare(left, right).map_err(|side| {
        let known = side.at.subjects(SubjectKind::Tenant).into_keys();
        let near = known.filter(|id| is_near(side.tenant, id));
        UnknownTenant {
            tenant: side.tenant.clone(),
            near: near
                .filter_map(|id| TenantId::new(id).ok())
                .take(NEAR_MAX)
                .collect(),
        }
    })
}

fn compare<'d>(left: Side<'d>, right: Side<'d>) -> Result<Diff, Side<'d>> {
    let same = left.tenant == right.tenant;
    let missing: Vec<Side<'d>> = [left, right]
        .into_iter()
        .filter(|side| !side.at.knows(&subject_of(side.tenant)))
        .collect();
    if let Some(side) = missing.first()
        && (!same || missing.len() == 2)
    {
        return Err(*side);
    }
    Ok(Diff {
        left: left.tenant.clone(),
        right: right.tenant.clone(),
        rows: row::rows(left, right),
        fields: fields(left, right),
    })
}

/// The fields that differ. That two tenants have two names is no difference.
fn fields(left: Side<'_>, right: Side<'_>) -> Vec<FieldDifference> {
    let shown = |side: Side<'_>| view(side.at, &subject_of(side.tenant)).unwrap_or(Value::Null);
    let (one, other) = (shown(left), shown(right));
    let names: BTreeSet<&String> = [&one, &other]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys())
        .collect();
    let own_names = ["tenant", "initial_domain"];
    let get = |view: &Value, name: &str| view.get(name).cloned().unwrap_or(Value::Null);
    names
        .into_iter()
        .filter(|name| !own_names.contains(&name.as_str()))
        .map(|name| FieldDifference {
            field: name.clone(),
            left: get(&one, name),
            right: get(&other, name),
        })
        .filter(|field| field.left != field.right)
        .collect()
}

/// Whether a name begins as another one does.
fn is_near(wanted: &TenantId, id: &str) -> bool {
    let start: String = wanted.as_str().chars().take(NEAR_LETTERS).collect();
    id.starts_with(&start)
}
