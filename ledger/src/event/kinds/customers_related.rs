use crate::event::event_kind;
use crate::event::word::Relation;
use crate::id::CustomerId;
use crate::time::Date;

event_kind! {
    /// Two customers belong together: merged, parent and affiliate, or renamed.
    CustomersRelated = 102, version 1, rank 1020, source "section A; W5 and W14 false positives" {
        /// The one.
        customer: CustomerId,
        /// The other.
        related: CustomerId,
        /// How they belong together.
        relation: Relation,
        /// The first day of it.
        from: Option<Date>,
        /// The last day of it, if it ended.
        until: Option<Date>,
    }
}
