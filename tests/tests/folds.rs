//! Folds as laws: whatever happened, in whatever order it was recorded, a view is the fold of what
//! is seen from its point, and nothing else.
//!
//! The oracle is slow and obvious: it makes the list of events that are seen, by scanning all of
//! them, and folds a history that has nothing but these.

use ledger::event::{Event, EventRef, Fact, KINDS};
use ledger::id::Position;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::every::every_keeping;
use projections::source::{Change, Input, Source, Unread};
use projections::view::{Fold, PROJECTIONS, each_view, projection, state_hash, view};
use projections::{Histories, Point, Seen};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tests::arbitrary::{self, Dice, POINTS};
use tests::story;

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// Facts in an arrival order of their own, some of them twice.
fn arrived(facts: &[Fact], seed: u64) -> Vec<Event> {
    let mut dice = Dice::new(seed);
    let mut facts = facts.to_vec();
    dice.shuffle(&mut facts);
    for _ in 0..facts.len() / 10 {
        facts.push(dice.of(&facts).clone());
    }
    story::record(facts)
}

/// The first subject that the payload names: what tells records of several things apart.
fn about(fact: &Fact) -> Option<Subject> {
    let mut named = Vec::new();
    fact.payload.subjects(&mut named);
    named.into_iter().next()
}

fn same_record(one: &Fact, other: &Fact) -> bool {
    one.source.record.is_some()
        && one.source == other.source
        && one.kind().id == other.kind().id
        && about(one) == about(other)
}

fn corrects(new: &Fact, old: &Fact) -> bool {
    match &new.corrects {
        None => false,
        Some(EventRef::Id(id)) => old.id == *id,
        Some(EventRef::Record(source)) => {
            new.id != old.id && old.source == *source && old.kind().id == new.kind().id
        }
    }
}

/// What is seen from a point, by scanning everything: no index, no memory, no order but the last.
fn seen_by_scanning(events: &[Event], point: Point) -> Vec<Event> {
    let recorded = events.iter().filter(|event| event.position <= point.as_of);
    let mut known: Vec<&Event> = Vec::new();
    for event in recorded {
        if !known.iter().any(|other| other.id == event.id) {
            known.push(event);
        }
    }
    let newer = |one: &Event, other: &Event| {
        same_record(one, other) && (one.observed(), one.id) > (other.observed(), other.id)
    };
    let stands = |event: &&&Event| {
        !known
            .iter()
            .any(|other| newer(other, event) || corrects(other, event))
    };
    let seen = known.iter().filter(stands).copied();
    seen.filter(|event| event.occurred_at.start <= point.valid_at)
        .cloned()
        .collect()
}

/// The same events with nothing left that could hide one of them.
fn bare(events: Vec<Event>) -> Histories {
    Histories::gather(events.into_iter().map(|mut event| {
        event.fact.source.record = None;
        event.fact.corrects = None;
        event
    }))
}

fn all_views(seen: &Seen<'_>) -> BTreeMap<String, Value> {
    let mut views = BTreeMap::new();
    for projection in PROJECTIONS {
        each_view(seen, projection, &mut |subject, view| {
            views.insert(subject.to_string(), view);
        });
    }
    views
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_at_a_corner_is_the_fold_of_what_is_seen_there(
        seed in any::<u64>(), arrival in any::<u64>(), length in 1_usize..60,
    ) {
        let events = arrived(&arbitrary::history(seed, length), arrival);
        let histories = Histories::gather(events.clone());
        let end = events.len() as u64;
        for as_of in [end / 3, end / 2, end].map(Position) {
            for valid_at in POINTS.iter().map(|text| instant(text)) {
                let point = Point { as_of, valid_at };
                let oracle = bare(seen_by_scanning(&events, point));
                let expected = all_views(&oracle.at(Point::valid(valid_at)));
                prop_assert_eq!(all_views(&histories.at(point)), expected);
            }
        }
    }

    #[test]
    fn the_same_facts_in_any_arrival_order_give_equal_views_and_hashes(
        seed in any::<u64>(), one in any::<u64>(), other in any::<u64>(), length in 1_usize..60,
    ) {
        let facts = arbitrary::history(seed, length);
        let one = Histories::gather(arrived(&facts, one));
        let other = Histories::gather(arrived(&facts, other));
        for valid_at in POINTS.iter().map(|text| instant(text)) {
            let (one, other) = (one.at(Point::valid(valid_at)), other.at(Point::valid(valid_at)));
            prop_assert_eq!(all_views(&one), all_views(&other));
            prop_assert_eq!(state_hash(&one).unwrap(), state_hash(&other).unwrap());
        }
    }

    #[test]
    fn all_views_folded_together_are_each_view_folded_alone(
        seed in any::<u64>(), length in 1_usize..60, threads in 1_usize..4, kept in 0_usize..60,
    ) {
        let histories = Histories::gather(story::record(arbitrary::history(seed, length)));
        for valid_at in POINTS.iter().map(|text| instant(text)) {
            let seen = Seen::new(&histories, Point::valid(valid_at));
            let parts = every_keeping(kept, &seen, threads, |views: &mut Vec<_>, subject, view| {
                views.push((subject.clone(), view.json()));
            });
            let together: Vec<_> = parts.unwrap().into_iter().flatten().collect();
            let mut alone = Vec::new();
            for projection in PROJECTIONS {
                for id in histories.subjects(projection.kind, None, usize::MAX).unwrap() {
                    let subject = Subject::new(projection.kind, id);
                    let fresh = Seen::new(&histories, seen.point());
                    let view = projection.fold(&fresh, &subject);
                    alone.extend(view.map(|view| (subject, Some(view))));
                }
            }
            prop_assert_eq!(together, alone);
        }
    }

    #[test]
    fn what_is_remembered_changes_no_view(seed in any::<u64>(), length in 1_usize..60) {
        let histories = Histories::gather(story::record(arbitrary::history(seed, length)));
        let at = histories.at(Point::valid(instant("2025-03-01T00:00:00Z")));
        let together = all_views(&at);
        for (subject, expected) in together {
            let subject = Subject::parse(&subject).expect("a subject");
            let fresh = Seen::new(&histories, at.point());
            prop_assert_eq!(view(&fresh, &subject), Some(expected));
        }
    }

    #[test]
    fn leaving_an_event_out_is_never_having_recorded_it(
        seed in any::<u64>(), which in any::<prop::sample::Index>(), length in 2_usize..40,
    ) {
        let events = story::record(arbitrary::history(seed, length));
        let without = events[which.index(events.len())].id;
        let whole = Histories::gather(events.clone());
        let rest = Histories::gather(events.into_iter().filter(|event| event.id != without));
        let point = Point::valid(instant("2025-03-01T00:00:00Z"));
        let left_out = Seen::new(&whole, point).without([without]);
        prop_assert_eq!(all_views(&left_out), all_views(&rest.at(point)));
    }

    #[test]
    fn a_prefix_is_the_history_that_ends_there(
        seed in any::<u64>(), which in any::<prop::sample::Index>(), length in 2_usize..40,
    ) {
        let events = story::record(arbitrary::history(seed, length));
        let point = Point::valid(instant("9999-12-30T00:00:00Z"));
        let mut shown = seen_by_scanning(&events, point);
        shown.sort_by_key(|event| event.order());
        prop_assume!(!shown.is_empty());
        let last = shown[which.index(shown.len())].order();
        let histories = Histories::gather(events);
        let prefix = Seen::new(&histories, point).until(last);
        shown.retain(|event| event.order() <= last);
        prop_assert_eq!(all_views(&prefix), all_views(&bare(shown).at(point)));
    }
}

/// Folds of long absurd histories end with views, at every point.
#[test]
fn no_fold_panics_on_any_history() {
    for seed in 0..6 {
        let histories = Histories::gather(story::record(arbitrary::history(seed, 500)));
        for valid_at in POINTS.iter().map(|text| instant(text)) {
            let views = all_views(&histories.at(Point::valid(valid_at)));
            assert!(valid_at < instant("2024-03-11T09:42:00Z") || views.len() > 40);
        }
    }
}

/// Every type behind the registry, for laws over states.
macro_rules! each_fold {
    ($check:ident) => {
        use projections::view as v;
        $check::<v::customer::Customer>();
        $check::<v::partner::Partner>();
        $check::<v::agreement::Agreement>();
        $check::<v::pcn::Pcn>();
        $check::<v::order::Order>();
        $check::<v::key::Key>();
        $check::<v::email::Email>();
        $check::<v::link::Link>();
        $check::<v::activation::Activation>();
        $check::<v::session::Session>();
        $check::<v::person::Person>();
        $check::<v::tenant::Tenant>();
        $check::<v::subscription::Subscription>();
        $check::<v::redemption::Redemption>();
        $check::<v::credit::Credit>();
        $check::<v::seat::Seat>();
        $check::<v::case::Case>();
        $check::<v::finding::Finding>();
    };
}

#[test]
fn the_registry_has_every_kind_of_subject_once() {
    let kinds: Vec<SubjectKind> = PROJECTIONS
        .iter()
        .map(|projection| projection.kind)
        .collect();
    let once: BTreeSet<&SubjectKind> = kinds.iter().collect();
    assert_eq!(
        (once.len(), kinds.len()),
        (SubjectKind::ALL.len(), SubjectKind::ALL.len())
    );
    for projection in PROJECTIONS {
        assert!(!projection.doc.is_empty() && !projection.takes.is_empty());
        for kind in projection.series {
            assert!(
                !projection.takes(*kind),
                "{:?} is taken twice",
                projection.kind
            );
        }
    }
}

/// A subject of a kind that the events of an arbitrary history name.
fn some_subject(kind: SubjectKind, facts: &[Fact]) -> Option<Subject> {
    let mut subjects = facts.iter().flat_map(|fact| fact.subjects());
    subjects.find(|subject| subject.kind == kind)
}

fn takes_what_it_says<F: Fold>() {
    let registered = projection(F::KIND).expect("registered");
    let mut useful: BTreeSet<&str> = BTreeSet::new();
    for seed in 0..8 {
        let events = story::record(arbitrary::history(seed, 60));
        let facts: Vec<Fact> = events.iter().map(|event| event.fact.clone()).collect();
        let Some(subject) = some_subject(F::KIND, &facts) else {
            continue;
        };
        let mut state = F::State::default();
        let mut dice = Dice::new(seed);
        for (number, kind) in KINDS.iter().enumerate() {
            let fact = arbitrary::fact_of(kind, &mut dice, 1000 + number, &[]);
            let event = story::record([fact]).remove(0);
            let before = state.clone();
            F::evolve(&mut state, &subject, &event);
            if state != before {
                useful.insert(kind.name);
                assert!(
                    F::TAKES.contains(&kind.id),
                    "{:?} reads {}",
                    F::KIND,
                    kind.name
                );
            }
            let mut changes = 0;
            F::steps(&event, &subject, &mut |_| changes += 1);
            let counts = changes == 0 || F::SERIES.contains(&kind.id);
            assert!(counts, "{:?} counts {}", F::KIND, kind.name);
        }
        assert_eq!(registered.takes.len(), F::TAKES.len());
    }
    assert!(
        useful.len() * 2 > F::TAKES.len(),
        "{:?} reads {useful:?} only",
        F::KIND
    );
}

#[test]
fn an_event_of_a_kind_that_is_not_taken_never_changes_a_state() {
    each_fold!(takes_what_it_says);
}

/// Notes which kinds of subjects were read.
struct Watched<'h> {
    histories: &'h Histories,
    read: Mutex<BTreeSet<SubjectKind>>,
}

impl Source for Watched<'_> {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        self.read.lock().unwrap().insert(subject.kind);
        self.histories.inputs(subject)
    }

    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
        self.read.lock().unwrap().insert(subject.kind);
        self.histories.changes(subject, visit)
    }

    fn subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        self.histories.subjects(kind, after, limit)
    }

    fn end(&self) -> Position {
        self.histories.end()
    }
}

/// What a projection may read: its own kind, the states it names, and whatever the views that it
/// follows may read. Fails if views follow each other in a circle.
fn may_read(kind: SubjectKind, above: &[SubjectKind]) -> BTreeSet<SubjectKind> {
    assert!(!above.contains(&kind), "{kind:?} follows itself: {above:?}");
    let projection = projection(kind).expect("registered");
    let above = [above, &[kind]].concat();
    let mut kinds: BTreeSet<SubjectKind> = projection.reads.iter().copied().collect();
    kinds.insert(kind);
    for followed in projection.follows {
        kinds.extend(may_read(*followed, &above));
    }
    kinds
}

#[test]
fn a_view_reads_only_what_its_projection_declares_and_none_follows_itself() {
    for seed in 0..30 {
        let histories = Histories::gather(story::record(arbitrary::history(seed, 150)));
        for projection in PROJECTIONS {
            let allowed = may_read(projection.kind, &[]);
            for id in histories.subjects(projection.kind, None, 1000).unwrap() {
                let watched = Watched {
                    histories: &histories,
                    read: Mutex::default(),
                };
                let seen = Seen::new(&watched, Point::valid(instant("2025-03-01T00:00:00Z")));
                (projection.view)(&seen, &Subject::new(projection.kind, id));
                let read = watched.read.lock().unwrap();
                let more: Vec<_> = read.difference(&allowed).collect();
                assert!(more.is_empty(), "{:?} reads {more:?}", projection.kind);
            }
        }
    }
}

#[test]
fn subjects_come_in_order_and_in_pages() {
    let histories = Histories::gather(story::record(arbitrary::history(7, 200)));
    for projection in PROJECTIONS {
        let all = histories
            .subjects(projection.kind, None, usize::MAX)
            .unwrap();
        assert!(all.is_sorted());
        let mut paged: Vec<String> = Vec::new();
        loop {
            let after = paged.last().map(String::as_str);
            let page = histories.subjects(projection.kind, after, 2).unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(all, paged);
    }
}

/// A source that fails is no empty history: whoever asks is told.
#[test]
fn a_read_that_fails_is_told() {
    struct Broken;
    impl Source for Broken {
        fn inputs(&self, _: &Subject) -> Result<Vec<Input>, Unread> {
            Err(std::sync::Arc::new(std::io::Error::other(
                "the disk is gone",
            )))
        }
        fn changes(&self, _: &Subject, _: &mut dyn FnMut(&Change)) -> Result<(), Unread> {
            Ok(())
        }
        fn subjects(
            &self,
            _: SubjectKind,
            after: Option<&str>,
            _: usize,
        ) -> Result<Vec<String>, Unread> {
            Ok(after
                .is_none()
                .then(|| "one".to_owned())
                .into_iter()
                .collect())
        }
        fn end(&self) -> Position {
            Position(1)
        }
    }
    let seen = Seen::new(&Broken, Point::valid(instant("2025-03-01T00:00:00Z")));
    let other = seen.without([]);
    assert_eq!(view(&other, &Subject::new(SubjectKind::Order, "one")), None);
    assert!(
        seen.trouble().is_some(),
        "a failure is told wherever one looks from"
    );
    assert!(state_hash(&seen).is_err());
}
