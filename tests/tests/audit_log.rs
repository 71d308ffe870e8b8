//! A log that is too long for memory is audited in portions, machines apart from everything else. Whatever
//! the portions are, and in whatever order the log has its events, the report is the one that is made of all
//! events at once.

use ledger::event::{Event, Fact, KINDS};
use ledger::id::Position;
use ledger::store::{Known, Store};
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::{Histories, Point};
use replay::audit::streamed::role::{Role, Thing, named};
use replay::audit::streamed::{Portions, audit_in};
use replay::audit::{Report, audit};
use std::collections::BTreeSet;
use tests::arbitrary::{self, Dice};
use tests::facts::{self, latest};
use tests::sample::{self, Extent};
use tests::story;
use tools::simulate::noise::Noise;

/// A part for nearly every machine, so that a rule that reads beyond its part is noticed.
const SMALL: Portions = Portions {
    machine_events: 1,
    subjects: 3,
};

fn store(facts: &[Fact]) -> Store {
    let store = Store::in_memory(facts::clock()).expect("a store in memory");
    for some in facts.chunks(512) {
        let appended = store.append(some.to_vec(), &[], Known::Skip);
        appended.expect("it can be appended");
    }
    store
}

fn of_all(store: &Store, point: Point) -> Report {
    let events = store.read(Position(0));
    let events: Vec<Event> = events.map(|event| event.expect("it can be read")).collect();
    audit(&Histories::gather(events).at(point))
}

fn assert_same(facts: &[Fact], point: Point, what: &str) -> Report {
    let store = store(facts);
    let whole = of_all(&store, point);
    for portions in [SMALL, Portions::default()] {
        let parts = audit_in(&store, point, portions).expect("the log can be read");
        let (parts, whole) = (format!("{parts:#?}"), format!("{whole:#?}"));
        let differs = parts
            .lines()
            .zip(whole.lines())
            .find(|(one, other)| one != other);
        assert!(parts == whole, "{what}, {portions:?}: {differs:?}");
    }
    whole
}

fn all_stories() -> Vec<Fact> {
    let stories = story::all().into_iter();
    stories.flat_map(|story| story.facts).collect()
}

#[test]
fn all_stories_have_the_report_of_a_whole_history_in_any_order() {
    let mut facts = all_stories();
    let point = Point::valid(latest(&facts));
    let straight = assert_same(&facts, point, "straight");
    assert!(straight.findings.len() > 10 && straight.judged > 50);
    let codes = straight.findings.iter().flat_map(|finding| &finding.codes);
    let families: BTreeSet<&str> = codes.map(|code| &code[..3]).collect();
    for family in ["WTR", "SEA", "REV", "INV", "EML", "CHO"] {
        assert!(families.contains(family), "no finding of {family}");
    }
    let mut dice = Dice::new(6);
    for number in 0..2 {
        dice.shuffle(&mut facts);
        let shuffled = assert_same(&facts, point, &format!("shuffle {number}"));
        assert_eq!(format!("{shuffled:?}"), format!("{straight:?}"));
    }
}

#[test]
fn so_has_a_history_at_any_point_in_both_times() {
    let mut facts = all_stories();
    Dice::new(7).shuffle(&mut facts);
    let mut instants: Vec<Timestamp> = facts.iter().map(|f| f.occurred_at.start).collect();
    instants.sort_unstable();
    for (share, of) in [(1, 3), (1, 1)] {
        let valid_at = instants[(instants.len() - 1) * share / of];
        for as_of in [facts.len() / 2, usize::MAX] {
            let as_of = Position(as_of as u64);
            let point = Point { as_of, valid_at };
            assert_same(&facts, point, &format!("{point:?}"));
        }
    }
}

#[test]
fn so_has_a_simulated_history_with_mistakes_and_noise() {
    let mut families = BTreeSet::new();
    for (seed, noise) in [(3, Noise::NONE), (4, Noise::DEFAULT)] {
        let facts = facts::simulated(seed, 12, noise);
        let report = assert_same(
            &facts,
            Point::valid(latest(&facts)),
            &format!("seed {seed}"),
        );
        let codes = report.findings.iter().flat_map(|finding| &finding.codes);
        families.extend(codes.map(|code| code[..3].to_owned()));
    }
    for family in ["WTR", "REV"] {
        assert!(
            families.contains(family),
            "no finding of {family} was compared"
        );
    }
}

#[test]
fn so_has_any_history_with_corrections_and_revised_records() {
    for seed in 0..24 {
        let facts = arbitrary::history(seed, 120);
        let hidden = facts.iter().filter(|fact| fact.corrects.is_some()).count();
        assert!(seed > 0 || hidden > 0, "a history without any correction");
        let point = Point::valid(latest(&facts));
        assert_same(&facts, point, &format!("seed {seed}"));
    }
}

#[test]
fn what_an_event_about_machines_names_is_known_without_its_texts() {
    for kind in KINDS {
        for extent in Extent::ALL {
            let mut event = sample::event(kind, extent);
            // No rule about machines asks where an actor is at home.
            if let Some(actor) = &mut event.fact.actor {
                actor.home_tenant = None;
            }
            let read = [SubjectKind::Seat, SubjectKind::Person, SubjectKind::Tenant];
            let mut wanted = event.subjects();
            wanted.retain(|subject| read.contains(&subject.kind));
            let role = Role::of(&event.payload);
            let has_machine = wanted
                .iter()
                .any(|subject| subject.kind == SubjectKind::Seat);
            assert!(
                !has_machine || role == Role::Machines,
                "{} is {role:?}",
                kind.name
            );
            if role.is_of_machines() {
                let mut things = Vec::new();
                named(&event, &mut things);
                let mut subjects: Vec<_> = things.iter().map(Thing::subject).collect();
                let mut payload = Vec::new();
                event.payload.subjects(&mut payload);
                assert_eq!(subjects.first(), payload.first(), "{}", kind.name);
                subjects.sort_unstable();
                assert_eq!(subjects, wanted, "{}", kind.name);
            }
        }
    }
}
