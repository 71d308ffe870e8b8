//! What people ask on the first day: what is coming, what waits for somebody, and what the evidence
//! covers. All three are folds over what is seen from one point, and read no clock.

pub mod coverage;
pub mod forecast;
pub mod worklist;

use crate::seen::Seen;
use ledger::subject::{Subject, SubjectKind};

/// Subjects that are read at once.
const SUBJECTS_READ: usize = 1024;

/// Visits the subjects of a kind, in order of their ids.
fn each_subject(seen: &Seen<'_>, kind: SubjectKind, visit: &mut dyn FnMut(Subject)) {
    let mut after: Option<String> = None;
    loop {
        let page = seen.subjects(kind, after.as_deref(), SUBJECTS_READ);
        for id in &page {
            visit(Subject::new(kind, id));
        }
        after = match page.into_iter().next_back() {
            Some(last) => Some(last),
            None => return,
        };
    }
}
