//! Queries over views: typed filters, an order, pages with cursors, counts and totals, from any
//! point in both times. Faces (the command line, HTTP) read what they are asked for with this and
//! render what comes out.
//!
//! A filter is `FIELD OPERATOR VALUE`; the operators are `=`, `!=`, `<`, `<=`, `>`, `>=` and `~` ("has
//! this text in it"), as the type of the field allows. A field with several values passes if one of
//! them does, and passes `!=` if none is the value. Nothing after `=` means "has none". A day or a
//! month, as the value of a time, means all of it.
//!
//! Nothing is kept between two pages: a cursor carries its point in both times and the row that it
//! comes after, and each page is read anew. This module never reads the clock.

mod cell;
mod cursor;
mod error;
mod field;
mod filter;
mod listing;
mod page;
mod tables;
mod watch;
mod why;

pub use cell::{Cell, Kind, Unit};
pub use cursor::Cursor;
pub use error::QueryError;
pub use field::Path;
pub use filter::{Operator, Parts};
pub use listing::{LISTINGS, Listing, Row};
pub use page::{Direction, Page, Query, Rows, Totals};
pub use why::{Cause, Change, Decided, Decisive, Together, WHOLE_MAX_EVENTS, Why, why};
