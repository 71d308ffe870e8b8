//! How good the audit is: simulated histories whose mistakes are known, audited, and every rule's
//! findings counted against the labels.
//!
//! Rules and generator share nothing but the event kinds. The evidence that a mistake needs is looked
//! for by the generator in the lines that it wrote, so that what the noise took is not held against a
//! rule; a look-alike that nothing in the record clears is counted by itself.

mod families;
mod index;
mod judge;
mod table;

use crate::story;
use families::Findings;
use index::Index;
use ledger::event::json::read_fact;
use ledger::secret::PublicKeyring;
use projections::{Histories, Point};
use replay::audit::audit;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use tools::format::audit::{Origins, json};
use tools::simulate::label::Label;
use tools::simulate::noise::Noise;
use tools::simulate::{Plan, Simulation, Trouble};

/// What is measured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Customers of each run, besides those of the scenes.
    pub customers: u32,
    /// Months of each run.
    pub months: u32,
    /// Landings in a million that bring a mistake, with two look-alikes each.
    pub wrong_ppm: u32,
}

/// The counts of one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Mistakes of its kind.
    pub mistakes: usize,
    /// Those whose evidence survived.
    pub decidable: usize,
    /// Those of the decidable ones that it found.
    pub found: usize,
    /// Mistakes without evidence that it found all the same.
    pub found_without: usize,
    /// Findings of it that are right: of its own kind, or of a kind that it holds for too.
    pub right: usize,
    /// False alarms about look-alikes.
    pub false_on_look_alikes: usize,
    /// False alarms about landings that are wrong in another way.
    pub false_on_others: usize,
    /// False alarms about ordinary landings.
    pub false_on_ordinary: usize,
    /// Findings about innocents that nothing in the record clears.
    pub unclear: usize,
}

impl Marks {
    /// Mistakes with evidence that it did not find.
    pub fn missed(&self) -> usize {
        self.decidable - self.found
    }

    /// All false alarms.
    pub fn false_alarms(&self) -> usize {
        self.false_on_look_alikes + self.false_on_others + self.false_on_ordinary
    }

    /// Share of the decidable mistakes that were found.
    pub fn recall(&self) -> Option<f64> {
        (self.decidable > 0).then(|| self.found as f64 / self.decidable as f64)
    }

    /// Share of the findings that are right.
    pub fn precision(&self) -> Option<f64> {
        let all = self.right + self.false_alarms();
        (all > 0).then(|| self.right as f64 / all as f64)
    }

    fn add(&mut self, other: &Self) {
        self.mistakes += other.mistakes;
        self.decidable += other.decidable;
        self.found += other.found;
        self.found_without += other.found_without;
        self.right += other.right;
        self.false_on_look_alikes += other.false_on_look_alikes;
        self.false_on_others += other.false_on_others;
        self.false_on_ordinary += other.false_on_ordinary;
        self.unclear += other.unclear;
    }
}

/// The findings of one rule that judges no wrong tenant. The world of a seed is the same with and
/// without noise, and so are the identities of findings: what is found with noise only is the work of
/// the noise, and what is found without it only was lost to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaches {
    /// Findings.
    pub found: usize,
    /// Those of them that the same world has with noise only: false alarms.
    pub by_noise: usize,
    /// Findings that the same world has without noise, and not with it.
    pub lost: usize,
}

impl Breaches {
    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.by_noise += other.by_noise;
        self.lost += other.lost;
    }
}

/// What the audit says of a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The rule of its kind found it.
    Found,
    /// Another rule found it.
    FoundByAnother,
    /// It is reported as not judged.
    NotJudged,
    /// It is reported as elsewhere than expected, and no rule accuses it.
    Unexplained,
    /// It is reported as clean.
    Clean,
    /// Nothing is said of it.
    NotMentioned,
}

impl Fate {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::FoundByAnother => "found by another rule",
            Self::NotJudged => "not judged",
            Self::Unexplained => "elsewhere than expected, unaccused",
            Self::Clean => "called clean",
            Self::NotMentioned => "not mentioned",
        }
    }
}

/// What came of some runs.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The counts of every rule, by the number of its kind.
    pub rules: BTreeMap<u8, Marks>,
    /// What became of the mistakes without evidence.
    pub without_evidence: BTreeMap<Fate, usize>,
    /// A line for every miss and every false alarm, with its cause.
    pub notes: Vec<String>,
    /// Landings that belong to no scene.
    pub ordinary: usize,
    /// Events that were audited, repeats left out.
    pub events: usize,
    /// Findings of the rules that judge no wrong tenant, by their codes.
    pub families: BTreeMap<&'static str, Breaches>,
    /// How many scenes of each role there were.
    pub look_alikes: usize,
}

impl Tally {
    /// All rules together.
    pub fn all(&self) -> Marks {
        let mut all = Marks::default();
        for marks in self.rules.values() {
            all.add(marks);
        }
        all
    }

    fn add(&mut self, other: Self) {
        for (kind, marks) in other.rules {
            self.rules.entry(kind).or_default().add(&marks);
        }
        for (fate, count) in other.without_evidence {
            *self.without_evidence.entry(fate).or_default() += count;
        }
        for (code, breaches) in other.families {
            self.families.entry(code).or_default().add(breaches);
        }
        self.notes.extend(other.notes);
        self.ordinary += other.ordinary;
        self.events += other.events;
        self.look_alikes += other.look_alikes;
    }

    /// What is below a bar: recall and precision over all rules, and of every rule.
    pub fn below(&self, over_all: f64, each: f64) -> Vec<String> {
        let mut below = Vec::new();
        let mut hold = |name: &str, what: &str, value: Option<f64>, bar: f64| {
            if value.is_some_and(|value| value < bar) {
                let value = value.unwrap_or(0.0);
                below.push(format!("{name}: {what} {value:.3} is below {bar}"));
            }
        };
        let all = self.all();
        hold("all rules", "recall", all.recall(), over_all);
        hold("all rules", "precision", all.precision(), over_all);
        for (kind, marks) in &self.rules {
            let name = format!("WTR{kind:03}");
            hold(&name, "recall", marks.recall(), each);
            hold(&name, "precision", marks.precision(), each);
        }
        let clean = self.without_evidence.get(&Fate::Clean);
        if let Some(count) = clean {
            below.push(format!(
                "{count} mistakes without evidence are called clean"
            ));
        }
        below
    }

    /// The table of the rules, for people.
    pub fn table(&self) -> String {
        table::table(self)
    }
}

/// Simulates and audits every seed with each noise; a tally for each, in their order.
pub fn measure(settings: &Settings, noises: &[Noise]) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); noises.len()];
    for seed in &settings.seeds {
        let (quiet, of_quiet) = measure_seed(settings, Noise::NONE, *seed);
        for (tally, noise) in tallies.iter_mut().zip(noises) {
            tally.add(match *noise == Noise::NONE {
                true => quiet.clone(),
                false => {
                    let (mut noisy, of_noisy) = measure_seed(settings, *noise, *seed);
                    families::compare(&mut noisy, &of_quiet, &of_noisy, *seed);
                    noisy
                }
            });
        }
    }
    tallies
}

/// One run: the tally, and the findings of the rules that judge no wrong tenant.
fn measure_seed(settings: &Settings, noise: Noise, seed: u64) -> (Tally, Findings) {
    let plan = Plan {
        seed,
        customers: settings.customers,
        months: settings.months,
        start: Plan::default_start(),
    };
    let trouble = Trouble {
        wrong_ppm: settings.wrong_ppm,
        noise,
    };
    let mut simulation = Simulation::new(plan, trouble);
    let mut index = Index::default();
    let (mut facts, mut seen) = (Vec::new(), HashSet::new());
    for line in simulation.by_ref() {
        let value: Value = serde_json::from_str(&line).expect("a generated line is JSON");
        let fact = read_fact(&value, &mut PublicKeyring).expect("a generated line is a fact");
        if seen.insert(fact.id) {
            index.take(&value);
            facts.push(fact);
        }
    }
    let labels: Vec<Label> = simulation.take_labels();
    index.lost(&simulation.take_lost());
    let histories = Histories::gather(story::record(facts));
    let latest = histories.latest_occurred().expect("there are events");
    let report = json(&audit(&histories.at(Point::valid(latest))), &Origins::new());
    let run = format!("seed {seed}, noise {}", noise.name);
    let tally = judge::judge(&labels, &index, &report, &run);
    (tally, families::findings(&report))
}
