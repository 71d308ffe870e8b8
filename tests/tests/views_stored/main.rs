//! Views that are kept beside a store answer as all histories in memory do, at every point in both times:
//! whatever arrived in which order, was revised, corrected before or after it came, taken in in whatever
//! portions, closed, killed or made again. `Histories` is the slow and obvious oracle.

mod kill;
mod mutation;

use crate::mutation::{changes, facts};
use ledger::event::{Event, Fact};
use ledger::id::{EventId, Position};
use ledger::lists::RunSize;
use ledger::store::{Known, Store};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::source::{Change, Input, Source, Within};
use projections::stored::{Rebuilding, Sizes, Stored, Views, state_of};
use projections::view::{projection, state_hash};
use projections::{Histories, Point, Seen};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tests::facts::clock;
use tests::stores::{Place, copy, create};
use tests::story;

/// Runs so small that a short log has several tiers of them.
const SMALL: Sizes = Sizes {
    runs: RunSize {
        full: 8,
        at_close: 1,
        fan_out: 3,
    },
    readers: 3,
    batch: 5,
};

fn append(store: &Store, facts: &[Fact]) {
    let appended = store.append(facts.to_vec(), &[], Known::Refuse);
    appended.expect("the facts can be appended");
}

fn gathered(store: &Store) -> Histories {
    let events = store.read(Position(0));
    Histories::gather(events.map(|event| event.expect("the store can be read")))
}

/// What of an input can be compared: no ciphertext, and the replacers in an order.
fn comparable(input: &Input) -> (Event, Vec<(Position, EventId)>) {
    let mut event = (*input.event).clone();
    event.fact = event.fact.content();
    let mut by: Vec<_> = input
        .replaced_by
        .iter()
        .map(|by| (by.position, by.id))
        .collect();
    by.sort_unstable();
    by.dedup();
    (event, by)
}

fn inputs(source: &dyn Source, subject: &Subject) -> Vec<(Event, Vec<(Position, EventId)>)> {
    let Some(projection) = projection(subject.kind) else {
        return Vec::new();
    };
    let inputs = source.inputs(subject).expect("inputs can be read");
    let taken = inputs
        .iter()
        .filter(|input| projection.takes(input.event.kind().id));
    taken.map(comparable).collect()
}

/// Every event that is kept with a subject, and how many of them are hidden in the end.
fn events(stored: &Stored, subject: &Subject) -> (BTreeSet<EventId>, BTreeSet<EventId>) {
    let events = stored.history(subject).expect("events can be read");
    let hidden = events.iter().filter(|input| !input.replaced_by.is_empty());
    let hidden = hidden.map(|input| input.event.id).collect();
    (events.iter().map(|input| input.event.id).collect(), hidden)
}

/// The same of histories, without what is kept with a seat only.
fn named(histories: &Histories, subject: &Subject) -> (BTreeSet<EventId>, BTreeSet<EventId>) {
    let all = histories.inputs(subject).expect("histories can be read");
    let seat = projection(SubjectKind::Seat).expect("seats have a view");
    let own = projection(subject.kind);
    let kept = all.iter().filter(|input| {
        let kind = input.event.kind().id;
        !seat.takes(kind) || own.is_some_and(|own| own.takes(kind))
    });
    let kept: Vec<&Input> = kept.collect();
    let hidden = kept.iter().filter(|input| !input.replaced_by.is_empty());
    let hidden = hidden.map(|input| input.event.id).collect();
    (kept.iter().map(|input| input.event.id).collect(), hidden)
}

fn counters(source: &dyn Source, subject: &Subject) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut visit = |change: &Change| {
        let mut change = change.clone();
        change.replaced_by.sort_unstable();
        change.replaced_by.dedup();
        changes.push(change);
    };
    source
        .changes(subject, &mut visit)
        .expect("changes can be read");
    changes
}

fn subjects(source: &dyn Source, kind: SubjectKind, page: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().map(String::as_str);
        let next = source
            .subjects(kind, after, page)
            .expect("subjects can be listed");
        assert!(next.len() <= page);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

/// The inputs of all subjects of a kind, passed over in some parts.
fn visited(source: &dyn Source, kind: SubjectKind, parts: usize) -> Vec<(Subject, Event)> {
    let cuts = source.cuts(kind, parts).expect("subjects can be cut");
    let starts = [None].into_iter().chain(cuts.iter().cloned().map(Some));
    let ends = cuts.iter().cloned().map(Some).chain([None]);
    let mut events = Vec::new();
    for (from, until) in starts.zip(ends) {
        let mut visit = |subject: &Subject, event: &Event| {
            let mut event = event.clone();
            event.fact = event.fact.content();
            events.push((subject.clone(), event));
        };
        let within = Within { from, until };
        let passed = source.pass(kind, &within, &|_, _, by| by.is_empty(), &mut visit);
        passed.expect("inputs can be read");
    }
    let takes = |event: &Event| projection(kind).is_some_and(|p| p.takes(event.kind().id));
    events.retain(|(_, event)| takes(event));
    events
}

/// Compares everything that a source can be asked.
fn check(stored: &Stored, histories: &Histories) {
    assert_eq!(stored.end(), histories.end());
    for kind in SubjectKind::ALL {
        let wanted = subjects(histories, *kind, 1_000);
        for page in [2, 1_000] {
            assert_eq!(subjects(stored, *kind, page), wanted, "{kind:?}");
        }
        for id in wanted {
            let subject = Subject::new(*kind, &id);
            assert_eq!(
                inputs(stored, &subject),
                inputs(histories, &subject),
                "{subject}"
            );
            assert_eq!(
                counters(stored, &subject),
                counters(histories, &subject),
                "{subject}"
            );
            assert_eq!(
                events(stored, &subject),
                named(histories, &subject),
                "{subject}"
            );
        }
        let visited = |source: &dyn Source, parts| visited(source, *kind, parts);
        assert_eq!(visited(stored, 3), visited(histories, 1), "{kind:?}");
        let absent = Subject::new(*kind, "nobody-knows-it");
        assert!(inputs(stored, &absent).is_empty() && counters(stored, &absent).is_empty());
    }
}

/// Compares all views at some corners.
fn check_views(stored: &Stored, histories: &Histories) {
    let end = histories.end();
    let latest = histories
        .latest_occurred()
        .unwrap_or(Timestamp::from_micros(0));
    for as_of in [end, Position(end.0 / 2), Position(u64::MAX)] {
        for valid_at in [latest, latest.plus_days(40)] {
            let point = Point { as_of, valid_at };
            let wanted = state_hash(&Seen::new(histories, point)).expect("memory can be read");
            let found = state_hash(&Seen::new(stored, point)).expect("lists can be read");
            assert_eq!(found, wanted);
        }
    }
}

fn caught_up(views: &Views) -> Stored {
    views.catch_up(&|_, _| {}).expect("the log can be taken in");
    assert_eq!(views.lag(), 0);
    views.source()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn stored_inputs_are_those_of_histories_whatever_arrived_and_in_whatever_portions(
        changes in changes(),
        portions in proptest::collection::vec(1..30_usize, 1..6),
        reopened in any::<u8>(),
    ) {
        let place = Place::new();
        let store = create(&place.store());
        let facts = facts(&changes);
        let mut views = Views::open_with(&store, SMALL).expect("views can be opened");
        let mut rest = facts.as_slice();
        for (number, portion) in portions.iter().cycle().enumerate() {
            if rest.is_empty() {
                break;
            }
            let (next, later) = rest.split_at((*portion).min(rest.len()));
            rest = later;
            append(&store, next);
            let stored = caught_up(&views);
            if number % 3 == 0 || rest.is_empty() {
                check(&stored, &gathered(&store));
            }
            drop(stored);
            if reopened >> (number % 8) & 1 == 1 {
                if reopened >> ((number + 3) % 8) & 1 == 1 {
                    views.close().expect("views can be closed");
                }
                drop(views);
                views = Views::open_with(&store, SMALL).expect("views can be opened");
                prop_assert_eq!(views.made_again(), None);
            }
        }
        let histories = gathered(&store);
        let stored = caught_up(&views);
        check(&stored, &histories);
        check_views(&stored, &histories);
        views.settle().expect("runs can be merged");
        check(&views.source(), &histories);
    }
}

/// The facts of all stories in an order that is not theirs.
fn shuffled(seed: u64) -> Vec<Fact> {
    let mut facts: BTreeMap<[u8; 32], Fact> = BTreeMap::new();
    for story in story::all() {
        for fact in story.facts {
            let key = [&seed.to_le_bytes()[..], &fact.id.0].concat();
            facts.insert(*blake3::hash(&key).as_bytes(), fact);
        }
    }
    facts.into_values().collect()
}

#[test]
fn all_stories_together_have_the_same_views_stored_as_in_memory() {
    for seed in 0..3 {
        let place = Place::new();
        let store = create(&place.store());
        append(&store, &shuffled(seed));
        let views = Views::open_with(&store, SMALL).expect("views can be opened");
        let histories = gathered(&store);
        let stored = caught_up(&views);
        check(&stored, &histories);
        check_views(&stored, &histories);
    }
}

#[test]
fn a_store_in_memory_has_views_in_memory() {
    let store = Store::in_memory(clock()).expect("a store in memory can be made");
    append(&store, &shuffled(1));
    let views = Views::open(&store).expect("views can be opened");
    check(&caught_up(&views), &gathered(&store));
    let again = views.rebuild(&|_, _| {}).expect("views can be made again");
    assert!(
        matches!(again, Rebuilding::Swapped { state: Ok(_), .. }),
        "{again:?}"
    );
    check(&views.source(), &gathered(&store));
}

#[test]
fn what_is_added_later_does_not_show_in_a_source_that_was_taken_before() {
    let facts = shuffled(4);
    let (before, after) = facts.split_at(facts.len() / 2);
    let store = Store::in_memory(clock()).expect("a store in memory can be made");
    append(&store, before);
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    let stored = caught_up(&views);
    let histories = gathered(&store);
    append(&store, after);
    let later = caught_up(&views);
    for kind in SubjectKind::ALL {
        for id in subjects(&histories, *kind, 1_000) {
            let subject = Subject::new(*kind, &id);
            assert_eq!(
                inputs(&stored, &subject),
                inputs(&histories, &subject),
                "{subject}"
            );
            assert_eq!(counters(&stored, &subject), counters(&histories, &subject));
        }
    }
    check(&later, &gathered(&store));
}

#[test]
fn views_that_were_removed_or_damaged_are_made_again() {
    let place = Place::new();
    let store = create(&place.store());
    append(&store, &shuffled(5));
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    caught_up(&views);
    views.close().expect("views can be closed");
    drop(views);
    assert_eq!(state_of(&place.store()), Ok(store.end()));
    let folder = place.store().join("views");
    let runs = folder.join("1");
    let run = std::fs::read_dir(&runs).expect("the folder of the lists is there");
    let run = run.map(|entry| entry.expect("a folder can be listed").path());
    let run = run
        .filter(|path| path.is_dir())
        .min()
        .expect("there is a run");
    std::fs::write(run.join("db"), "nothing of what was written").expect("a file can be written");
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    let reason = views.made_again().expect("the damage was noticed");
    assert!(reason.contains("is not what was written"), "{reason}");
    check(&caught_up(&views), &gathered(&store));
    drop(views);
    std::fs::remove_dir_all(&folder).expect("a folder can be removed");
    assert_eq!(state_of(&place.store()), Err("there is none".to_owned()));
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    assert_eq!(views.made_again(), Some("there is none"));
    check(&caught_up(&views), &gathered(&store));
}

#[test]
fn views_made_again_take_the_place_of_those_in_use_while_they_are_read() {
    let place = Place::new();
    let store = create(&place.store());
    append(&store, &shuffled(6));
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    let held = caught_up(&views);
    let histories = gathered(&store);
    let state = |source: &Stored| {
        let point = Point::valid(histories.latest_occurred().expect("there are events"));
        state_hash(&Seen::new(source, point)).expect("lists can be read")
    };
    let before = state(&held);
    let again = views.rebuild(&|_, _| {}).expect("views can be made again");
    assert!(
        matches!(again, Rebuilding::Swapped { state: Ok(_), .. }),
        "{again:?}"
    );
    // Whoever held the old ones can go on reading them.
    check(&held, &histories);
    check(&views.source(), &histories);
    assert_eq!(state(&views.source()), before);
    drop(held);
    views.close().expect("views can be closed");
    drop(views);
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    assert_eq!((views.made_again(), views.lag()), (None, 0));
    check(&views.source(), &histories);
    let folder = std::fs::read_dir(place.store().join("views")).expect("it is there");
    let mut names: Vec<_> = folder
        .map(|entry| entry.expect("a folder can be listed").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["2", "current"]);
}

/// Views of another log under the same name: what a mistake in taking in would look like.
#[test]
fn views_that_differ_from_those_in_use_do_not_take_their_place() {
    let (place, other) = (Place::new(), Place::new());
    let facts = shuffled(7);
    let store = create(&place.store());
    append(&store, &facts);
    let differing = create(&other.store());
    let mut changed = facts.clone();
    let at = changed
        .iter()
        .position(|fact| fact.kind().name == "KeysRedeemed")
        .expect("a story has a redemption");
    changed[at].payload = changed
        .iter()
        .find(|fact| fact.kind().name == "TenantCreated")
        .expect("a story has a tenant")
        .payload
        .clone();
    append(&differing, &changed);
    let views = Views::open_with(&differing, SMALL).expect("views can be opened");
    caught_up(&views);
    views.close().expect("views can be closed");
    drop(views);
    copy(&other.store().join("views"), &place.store().join("views"));
    let views = Views::open_with(&store, SMALL).expect("views can be opened");
    assert_eq!(views.lag(), 0, "they are taken for those of this store");
    let again = views.rebuild(&|_, _| {}).expect("views can be made again");
    let Rebuilding::Differs {
        in_use,
        made_again,
        first,
        at,
    } = again
    else {
        panic!("{again:?}");
    };
    assert!(in_use != made_again && first.is_some() && at == store.end());
}

#[test]
fn nothing_that_is_kept_of_views_holds_ciphertext() {
    let store = Store::in_memory(clock()).expect("a store in memory can be made");
    append(&store, &shuffled(9));
    let views = Views::open(&store).expect("views can be opened");
    let stored = caught_up(&views);
    let mut sealed = 0;
    for kind in SubjectKind::ALL {
        for id in subjects(&stored, *kind, 1_000) {
            let found = stored.inputs(&Subject::new(*kind, &id));
            for input in found.expect("inputs can be read") {
                let mut fact = input.event.fact.clone();
                fact.visit_sealed(&mut |_, part| {
                    sealed += 1;
                    assert!(part.ciphertext.is_empty(), "{}", input.event.position);
                });
            }
        }
    }
    assert!(sealed > 100, "{sealed} sealed parts were seen");
}
