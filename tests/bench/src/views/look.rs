//! Single views of ordinary subjects at points in both times, against reading their histories.

use super::Figures;
use crate::fault::Outcome;
use crate::report::part_of;
use ledger::id::Position;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::stored::Views;
use projections::view::projection;
use projections::{Point, Seen, source::Source};
use std::time::Instant;

/// More inputs than this has no ordinary subject.
const INPUTS_MAX: usize = 200;

/// Looks at views of subjects of about fifty events, and of every kind.
pub(super) fn run(
    store: &Store,
    views: &Views,
    histories: &[String],
    looks: usize,
    figures: &mut Figures,
) -> Outcome<()> {
    let source = views.source();
    let mut subjects = Vec::new();
    let step = (histories.len() / (looks / 2).max(1)).max(1);
    for name in histories.iter().step_by(step).take(looks / 2) {
        subjects.extend(Subject::parse(name));
    }
    // The others are spread over all kinds, from somewhere within each.
    let of_kind = looks / 2 / SubjectKind::ALL.len();
    for kind in SubjectKind::ALL {
        for number in 0..16 {
            let from = format!("{:x}", number);
            let page = source.subjects(*kind, Some(&from), of_kind / 16 + 1);
            let page = page.map_err(|error| error.to_string())?;
            subjects.extend(page.iter().map(|id| Subject::new(*kind, id)));
        }
    }
    let end = store.end().0;
    let last = store.event(store.end())?.ok_or("the store is empty")?;
    let mut waits = Vec::new();
    let mut reads = Vec::new();
    let mut inputs = 0;
    for (number, subject) in subjects.iter().enumerate() {
        let Some(projection) = projection(subject.kind) else {
            continue;
        };
        let count = source.inputs(subject).map_err(|error| error.to_string())?;
        if count.len() > INPUTS_MAX {
            continue;
        }
        inputs += count.len();
        // What was just read is somewhere in memory; other subjects in between push it out as they would.
        let as_of = Position(end - (number as u64 * 7_919) % (end / 2 + 1));
        let point = Point {
            as_of,
            valid_at: last.occurred_at.start,
        };
        let start = Instant::now();
        let seen = Seen::new(&source, point);
        let _shown = (projection.view)(&seen, subject);
        waits.push(start.elapsed().as_secs_f64() * 1e3);
        if let Some(error) = seen.trouble() {
            return Err(error.to_string().into());
        }
        if number.is_multiple_of(16) {
            let start = Instant::now();
            for event in store.history(subject, Position(0)) {
                event?;
            }
            reads.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    waits.sort_by(f64::total_cmp);
    reads.sort_by(f64::total_cmp);
    figures.add("views looked at", waits.len() as f64, 0);
    figures.add(
        "their own inputs, each",
        inputs as f64 / waits.len().max(1) as f64,
        1,
    );
    figures.add("one view, links and all, p50 ms", part_of(&waits, 0.5), 3);
    figures.add("one view, links and all, p99 ms", part_of(&waits, 0.99), 3);
    figures.add("reading its history alone, p50 ms", part_of(&reads, 0.5), 3);
    figures.add(
        "reading its history alone, p99 ms",
        part_of(&reads, 0.99),
        3,
    );
    Ok(())
}
