//! What can be listed: one kind of view each, with the fields that it can be asked for by.

use super::cell::{Cell, Kind};
use super::field::Fields;
use crate::seen::Seen;
use crate::view::{self, Fold};
use ledger::subject::{Subject, SubjectKind};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A view as a row of a list.
pub trait Row {
    /// The value of one of its fields, by the field's index; absent past the last one.
    fn cell(&self, field: usize) -> Cell;
    /// The view as JSON.
    fn json(&self) -> Value;
}

impl<V: Fields + Serialize> Row for Arc<V> {
    fn cell(&self, field: usize) -> Cell {
        let field = V::FIELDS.get(field);
        field.map_or(Cell::Absent, |field| (field.cell)(self))
    }

    fn json(&self) -> Value {
        serde_json::to_value(self.as_ref()).unwrap_or(Value::Null)
    }
}

/// A kind of view that can be listed.
pub struct Listing {
    /// The kind of subject.
    pub kind: SubjectKind,
    /// The fields, in the order of the view.
    pub fields: fn() -> Vec<(&'static str, Kind)>,
    /// Those that are amounts of money, in minor units of the field `currency`.
    pub money: &'static [&'static str],
    /// The row of a subject; `None` if no event that is seen names it.
    pub row: fn(&Seen<'_>, &Subject) -> Option<Box<dyn Row>>,
}

impl Listing {
    /// The listing of a kind of subject, if there is one.
    pub fn of(kind: SubjectKind) -> Option<&'static Self> {
        LISTINGS.iter().find(|listing| listing.kind == kind)
    }
}

fn fields_of<V: Fields>() -> Vec<(&'static str, Kind)> {
    let fields = V::FIELDS.iter();
    fields.map(|field| (field.name, (field.kind)())).collect()
}

/// Declares the listings: one projection each, and those of its fields that are amounts of money in
/// minor units of the view's `currency`.
macro_rules! listings {
    ($($fold:path $(, money $($money:ident)+)?;)+) => {
        /// Everything that can be listed: every projection.
        pub const LISTINGS: &[Listing] = &[
            $(Listing {
                kind: <$fold as Fold>::KIND,
                fields: fields_of::<<$fold as Fold>::View>,
                money: &[$($(stringify!($money)),+)?],
                row: |seen, subject| Some(Box::new(seen.view::<$fold>(subject)?)),
            }),+
        ];
    };
}

listings! {
    view::customer::Customer;
    view::partner::Partner;
    view::agreement::Agreement;
    view::pcn::Pcn;
    view::order::Order;
    view::key::Key, money amount;
    view::email::Email;
    view::link::Link;
    view::activation::Activation;
    view::session::Session;
    view::person::Person;
    view::tenant::Tenant;
    view::subscription::Subscription;
    view::redemption::Redemption;
    view::credit::Credit, money amount consumed remaining lost;
    view::seat::Seat;
    view::case::Case;
    view::finding::Finding;
}
