//! Walks: each step says what a walk through all histories says.

use super::{World, any, simulated, stories};
use ledger::id::EventId;
use ledger::subject::{Subject, SubjectKind};
use replay::audit::kept::KeptFindings;
use replay::audit::walk::walk;
use tests::arbitrary::Dice;

/// Walks through the beginnings of some histories: how many rules woke.
fn walk_some(world: &World, seed: u64, walks: usize, steps: usize) -> usize {
    let mut dice = Dice::new(seed);
    let kinds = SubjectKind::ALL.iter();
    let subjects: Vec<Vec<Subject>> = kinds
        .map(|kind| world.store.subjects(*kind).expect("subjects"))
        .filter(|subjects| !subjects.is_empty())
        .collect();
    let kept = KeptFindings::open(&world.store).expect("findings");
    let mut woke = 0;
    let points = world.points(seed, walks);
    for number in 0..walks {
        if number == walks / 2 {
            // Whether anything is kept does not matter.
            let now = points[0].valid_at;
            kept.catch_up(&world.source, now, &|_, _| {})
                .expect("it can be read");
        }
        let point = *dice.of(&points);
        let of_kind = &subjects[dice.below(subjects.len())];
        let subject = dice.of(of_kind).clone();
        let at = world.histories.at(point);
        let events: Vec<EventId> = at.of(&subject).map(|event| event.id).collect();
        let until = match events.is_empty() || dice.one_in(6) {
            true => Some(EventId([7; 16])).filter(|_| dice.one_in(2)),
            false => events.get(dice.below(steps).min(events.len() - 1)).copied(),
        };
        if until.is_none() && events.len() > steps {
            continue;
        }
        let wanted = walk(&at, &subject, until);
        let walked = kept.walk(&world.source, point, &subject, until);
        let walked = walked.expect("it can be read");
        assert_eq!(walked, wanted, "{}: {subject} {point:?}", world.what);
        let answers = wanted.iter().flatten().flat_map(|step| &step.answers);
        woke += answers.filter(|answer| answer.woke).count();
    }
    woke
}

#[test]
fn stories_are_walked_through_as_whole_histories_are() {
    let woke: usize = (stories().enumerate())
        .map(|(seed, world)| walk_some(&world, seed as u64 + 1, 6, 8))
        .sum();
    assert!(woke > 20, "{woke} answers");
}

#[test]
fn simulated_histories_are_walked_through_as_whole_histories_are() {
    for (seed, world) in simulated().enumerate() {
        walk_some(&world, seed as u64 + 1, 12, 4);
    }
}

#[test]
fn any_history_is_walked_through_as_whole_histories_are() {
    for (seed, world) in any(24).enumerate() {
        walk_some(&world, seed as u64 + 1, 12, 6);
    }
}
