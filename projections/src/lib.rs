//! What the record means: views of tenants, subscriptions, seats, agreements and keys at any point
//! in both times.
//!
//! A view is the fold of the histories that concern it, in an order that does not depend on when
//! they arrived: the same events give byte-equal views however they were imported. A fold is pure
//! and total; it cannot fail, whatever the history holds. This crate never appends, and never reads
//! the clock, the environment or randomness. It knows nothing of who asks, of terminals or of HTTP.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::allow_attributes,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod ask;
pub mod every;
pub mod history;
pub mod packed;
pub mod part;
pub mod passing;
pub mod persons;
pub mod policy;
pub mod query;
pub mod records;
pub mod seen;
pub mod source;
pub mod stored;
pub mod view;

pub use history::{At, Histories, Packing};
pub use part::Part;
pub use persons::Persons;
pub use seen::{Point, Seen};
pub use source::Watch;
