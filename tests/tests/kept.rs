//! Findings that are kept follow the log event by event. In whatever batches and order events arrive, whatever
//! is late, corrected, told again or dated in the future, and whenever one asks: the report is the one that is made
//! of all events at once.

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::lists::RunSize;
use ledger::store::{Known, Store};
use ledger::time::Timestamp;
use projections::stored::Views;
use projections::{Histories, Point};
use replay::audit::audit;
use replay::audit::kept::{KeptFindings, Sizes};
use std::collections::BTreeSet;
use tests::arbitrary::{self, Dice};
use tests::facts::{self, latest};
use tests::stores::{Place, create};
use tests::story;
use tools::simulate::noise::Noise;

struct Followed {
    store: Store,
    views: Views,
    kept: KeptFindings,
    events: Vec<Event>,
}

impl Followed {
    fn new(sizes: Sizes) -> Self {
        Self::over(
            Store::in_memory(facts::clock()).expect("a store in memory"),
            sizes,
        )
    }

    fn over(store: Store, sizes: Sizes) -> Self {
        Self {
            views: Views::open(&store).expect("views"),
            kept: KeptFindings::open_with(&store, sizes).expect("findings"),
            store,
            events: Vec::new(),
        }
    }

    fn append(&mut self, facts: &[Fact]) {
        for some in facts.chunks(512) {
            let appended = self.store.append(some.to_vec(), &[], Known::Skip);
            appended.expect("it can be appended");
        }
        let after = self
            .events
            .last()
            .map_or(Position(0), |event| event.position);
        let new = self.store.read(after);
        self.events
            .extend(new.map(|event| event.expect("it can be read")));
    }

    /// Holds the report that is kept against the one that is made of everything: the families in it.
    fn assert_same(&self, valid_at: Timestamp, what: &str) -> BTreeSet<String> {
        self.views.catch_up(&|_, _| {}).expect("views follow");
        let report = self.kept.report(&self.views.source(), valid_at);
        let report = report.expect("it can be read").expect("time goes forward");
        let histories = Histories::gather(self.events.iter().cloned());
        let whole = audit(&histories.at(Point::valid(valid_at)));
        let codes = whole.findings.iter().flat_map(|finding| &finding.codes);
        let families = codes.map(|code| code[..3].to_owned()).collect();
        let (kept, whole) = (format!("{report:#?}"), format!("{whole:#?}"));
        if kept != whole {
            let lines: Vec<_> = kept.lines().zip(whole.lines()).collect();
            let at = lines.iter().position(|(one, other)| one != other);
            let at = at.unwrap_or(lines.len());
            let from = at.saturating_sub(30);
            for (one, other) in &lines[from..(at + 12).min(lines.len())] {
                println!("{one:<100} | {other}");
            }
            panic!("{what}: {} events, line {at}", self.events.len());
        }
        families
    }
}

/// Small batches and few units at once, so that what is judged apart has to agree.
fn small() -> Sizes {
    Sizes {
        batch: 7,
        units: 3,
        ..Sizes::default()
    }
}

/// Appends facts in some batches, and compares after each; `now` says when that is.
fn follow(
    facts: &[Fact],
    sizes: Sizes,
    batches: usize,
    now: &mut dyn FnMut(usize) -> Timestamp,
    what: &str,
) -> BTreeSet<String> {
    let mut followed = Followed::new(sizes);
    let mut families = BTreeSet::new();
    let length = facts.len().div_ceil(batches.max(1)).max(1);
    for (number, batch) in facts.chunks(length).enumerate() {
        followed.append(batch);
        let valid_at = now(number);
        families.extend(followed.assert_same(valid_at, &format!("{what}, batch {number}")));
    }
    families
}

#[test]
fn every_story_by_itself_is_followed_event_by_event() {
    let mut families = BTreeSet::new();
    for story in story::all() {
        let valid_at = latest(&story.facts);
        families.extend(follow(
            &story.facts,
            small(),
            6,
            &mut |_| valid_at,
            &story.name,
        ));
    }
    for family in ["WTR", "SEA", "REV", "INV", "EML", "CHO"] {
        assert!(families.contains(family), "no finding of {family}");
    }
}

#[test]
fn all_stories_together_are_followed_in_any_order() {
    let mut all: Vec<Fact> = story::all()
        .into_iter()
        .flat_map(|story| story.facts)
        .collect();
    let valid_at = latest(&all);
    for seed in 0..2 {
        Dice::new(seed + 1).shuffle(&mut all);
        let sizes = match seed {
            0 => Sizes::default(),
            _ => Sizes {
                batch: 100,
                units: 16,
                ..Sizes::default()
            },
        };
        follow(
            &all,
            sizes,
            4,
            &mut |_| valid_at,
            &format!("shuffle {seed}"),
        );
    }
}

#[test]
fn time_changes_what_is_found_without_any_event() {
    for (seed, story) in story::all().into_iter().enumerate() {
        let mut instants: Vec<Timestamp> = Vec::new();
        for fact in &story.facts {
            let at = fact.occurred_at.start;
            instants.extend([at, at.plus_minutes(90), at.plus_days(2), at.plus_days(61)]);
        }
        instants.sort_unstable();
        let mut dice = Dice::new(seed as u64 + 3);
        let mut facts = story.facts;
        dice.shuffle(&mut facts);
        let mut followed = Followed::new(small());
        // Some of the events come first, the others while time goes on; many are in the future then.
        let (first, rest) = facts.split_at(facts.len() * 2 / 3);
        followed.append(first);
        let mut rest = rest.iter();
        let step = instants.len().div_ceil(8).max(1);
        for instant in instants.iter().step_by(step) {
            followed.assert_same(*instant, &format!("{} at {instant}", story.name));
            if let Some(fact) = rest.next() {
                followed.append(std::slice::from_ref(fact));
            }
        }
    }
}

#[test]
fn simulated_histories_with_mistakes_and_noise_are_followed_as_they_arrive() {
    let mut families = BTreeSet::new();
    for (seed, noise) in [(3, Noise::NONE), (4, Noise::DEFAULT)] {
        let facts = facts::simulated(seed, 6, noise);
        let valid_at = latest(&facts);
        let sizes = Sizes {
            batch: 64,
            ..Sizes::default()
        };
        let what = format!("seed {seed}");
        families.extend(follow(&facts, sizes, 10, &mut |_| valid_at, &what));
    }
    for family in ["WTR", "REV"] {
        assert!(families.contains(family), "no finding of {family}");
    }
}

/// Kinds that tell of machines month after month: most of a history, and of few units.
const OF_MACHINES: [&str; 4] = [
    "SeatRevalidated",
    "LicenseStateObserved",
    "UserPrompted",
    "UserNotified",
];

#[test]
fn simulated_histories_are_followed_in_any_order_and_in_many_small_batches() {
    for seed in 0..2 {
        let mut facts = facts::simulated(seed + 20, 2, Noise::DEFAULT);
        let mut dice = Dice::new(seed + 1);
        dice.shuffle(&mut facts);
        let mut machines = 0;
        facts.retain(|fact| {
            let is_of_machines = OF_MACHINES.contains(&fact.kind().name);
            machines += usize::from(is_of_machines);
            !is_of_machines || machines % 8 == 0
        });
        let valid_at = latest(&facts);
        let sizes = match seed % 2 {
            0 => small(),
            _ => Sizes::default(),
        };
        let what = format!("shuffled seed {seed}");
        follow(&facts, sizes, 16, &mut |_| valid_at, &what);
    }
}

#[test]
fn any_history_with_corrections_and_revised_records_is_followed() {
    for seed in 0..24 {
        let facts = arbitrary::history(seed, 120);
        let mut starts: Vec<Timestamp> = facts.iter().map(|f| f.occurred_at.start).collect();
        starts.sort_unstable();
        let mut now = |number: usize| starts[(starts.len() - 1) * (number + 2) / 12];
        follow(&facts, small(), 10, &mut now, &format!("seed {seed}"));
    }
}

/// Runs so small that a test has many.
const SMALL_RUNS: RunSize = RunSize {
    full: 48,
    at_close: 1,
    fan_out: 3,
};

#[test]
fn what_was_not_written_when_a_process_ended_is_judged_again_and_what_is_damaged_is_made_again() {
    let mut all: Vec<Fact> = story::all()
        .into_iter()
        .flat_map(|story| story.facts)
        .collect();
    let valid_at = latest(&all);
    Dice::new(9).shuffle(&mut all);
    all.truncate(480);
    let sizes = Sizes {
        runs: SMALL_RUNS,
        batch: 16,
        units: 64,
    };
    let place = Place::new();
    let folder = place.store().join("findings");
    let mut followed = Followed::over(create(&place.store()), sizes);
    for (number, batch) in all.chunks(60).enumerate() {
        followed.append(batch);
        followed.assert_same(valid_at, &format!("batch {number}"));
        let reached = followed.kept.end().expect("it can be read");
        assert_eq!(reached, followed.store.end());
        match number % 4 {
            0 => followed.kept.close().expect("it can be closed"),
            1 => followed.kept.settle().expect("it can be written"),
            _ => {}
        }
        // What is only in memory goes with the process.
        let store = followed.store.clone();
        let events = std::mem::take(&mut followed.events);
        drop(followed);
        match number {
            5 => std::fs::remove_dir_all(&folder).expect("a folder can be removed"),
            6 => damage(&folder),
            _ => {}
        }
        followed = Followed::over(store, sizes);
        followed.events = events;
        let kept = followed.kept.end().expect("it can be read");
        match number {
            5 => assert_eq!(kept, Position(0)),
            6 => assert!(kept < reached, "the damage was not noticed"),
            0 | 4 => assert_eq!(kept, reached),
            _ => assert!(kept <= reached),
        }
        followed.assert_same(valid_at, &format!("after batch {number}"));
    }
}

/// Overwrites the first run of the findings.
fn damage(folder: &std::path::Path) {
    let runs = std::fs::read_dir(folder.join("1")).expect("the folder of the lists is there");
    let runs = runs.map(|entry| entry.expect("a folder can be listed").path());
    let run = runs
        .filter(|path| path.is_dir())
        .min()
        .expect("there is a run");
    std::fs::write(run.join("db"), "nothing of what was written").expect("a file can be written");
}
