//! Compensation: the vendor reverses and reissues, or remaps; the ledger plans, records and proves.
//!
//! [`plan`] is pure: it derives from the events which steps are done, which comes next, who has to
//! agree, and whether the result will be exact (DOMAIN sections 5.6 and 9.1). [`apply`] builds the
//! events that record a step, with the guards under which they may be appended. Nothing is ever
//! edited, deleted or restored: end dates are computed anew by the folds.

mod apply;
mod build;
mod ground;
mod holders;
mod obstacle;
mod plan;
mod proof;
mod radius;
mod recorded;
mod refusal;
mod step;
mod words;
mod world;

pub use apply::{Applied, Details, Guard, apply};
pub use ground::Method;
pub use plan::{Authoriser, Plan, plan};
pub use proof::{Difference, Proof};
pub use radius::{Radius, TouchedSubscription};
pub use refusal::{Obstacle, Refusal};
pub use step::{Action, Step, StepState};
