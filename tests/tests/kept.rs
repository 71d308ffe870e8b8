//! Findings that are kept follow the log event by event. In whatever batches and order events arrive, whatever
//! is late, corrected, told again or dated in the future, and whenever one asks: the report is the one that is made
//! of all events at once.

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::store::{Known, Store};
use ledger::time::Timestamp;
use projections::stored::Views;
use projections::{Histories, Point};
use replay::audit::audit;
use replay::audit::kept::{KeptFindings, Sizes};
use std::collections::BTreeSet;
use tests::arbitrary::{self, Dice};
use tests::{facts, story};
use tools::simulate::noise::Noise;
use tools::simulate::{Plan, Simulation, Trouble};

struct Followed {
    store: Store,
    views: Views,
    kept: KeptFindings,
    events: Vec<Event>,
}

impl Followed {
    fn new(sizes: Sizes) -> Self {
        let store = Store::in_memory(facts::clock()).expect("a store in memory");
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

fn latest(facts: &[Fact]) -> Timestamp {
    let latest = facts.iter().map(|fact| fact.occurred_at.last());
    latest.max().expect("there are events")
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
            8,
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
        let step = instants.len().div_ceil(14).max(1);
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
        let plan = Plan {
            seed,
            customers: 12,
            months: 14,
            start: Plan::default_start(),
        };
        let trouble = Trouble {
            wrong_ppm: 300_000,
            noise,
        };
        let lines = Simulation::new(plan, trouble);
        let facts: Vec<Fact> = lines
            .map(|line| facts::fact(&serde_json::from_str(&line).expect("JSON")))
            .collect();
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
