//! One trial: something goes wrong, and what is left is judged.

use super::check::{Question, Verdict};
use super::image::{self, Cut, Survival};
use super::medium::Medium;
use super::panics::Panics;
use super::plan::Plan;
use super::processes::Scene;
use super::random::Random;
use super::trace::{self, Operation};
use super::victim::Orders;
use super::{damage, witness};
use std::collections::BTreeMap;
use std::fs;
use std::ops::AddAssign;
use std::path::Path;
use std::time::Duration;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The process is killed, at a named point or at any moment.
    Kill,
    /// The power is cut.
    PowerCut,
    /// Writes, syncs and names fail, or the disk is full.
    Fault,
    /// Sled's files become an old copy, empty or garbage, or go away.
    OldFiles,
    /// Bytes rot, pages and tails are lost, files go away.
    Damage,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Kill,
        Self::PowerCut,
        Self::Fault,
        Self::OldFiles,
        Self::Damage,
    ];

    /// Its name in commands and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::PowerCut => "power-cut",
            Self::Fault => "fault",
            Self::OldFiles => "old-files",
            Self::Damage => "damage",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How many of what is counted one trial makes: a store is killed several times, and the power is
    /// cut at several moments of one trace.
    pub fn per_trial(self) -> usize {
        match self {
            Self::Kill | Self::PowerCut => 5,
            Self::Fault | Self::OldFiles | Self::Damage => 1,
        }
    }
}

/// What came of trials.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How often something went wrong.
    pub trials: usize,
    /// Events that were acknowledged, over all checks.
    pub acknowledged: u64,
    /// See [`Verdict`].
    pub lost: u64,
    /// See [`Verdict`].
    pub duplicated: u64,
    /// See [`Verdict`].
    pub reordered: u64,
    /// See [`Verdict`].
    pub altered: u64,
    /// Answers that nothing allows.
    pub wrong: usize,
    /// Stores that could not be read to their end, where the kind of trial allows that.
    pub errors: usize,
    /// How many of those errors name a position or a file.
    pub named: usize,
    /// Events that could not be read, of stores that could be opened.
    pub unreadable: u64,
    /// Damaged stores that were salvaged, and had every event as it was or named as lost.
    pub salvaged: usize,
    /// Events that those had lost.
    pub salvage_lost: u64,
    /// Stores that said that something unacknowledged was cut.
    pub recovered: usize,
    /// Stores that said that their index was built again.
    pub rebuilt: usize,
    /// Panics.
    pub panics: Panics,
    /// What is not as it must be.
    pub failures: Vec<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.trials += other.trials;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.altered += other.altered;
        self.wrong += other.wrong;
        self.errors += other.errors;
        self.named += other.named;
        self.unreadable += other.unreadable;
        self.salvaged += other.salvaged;
        self.salvage_lost += other.salvage_lost;
        self.recovered += other.recovered;
        self.rebuilt += other.rebuilt;
        self.panics.caught += other.panics.caught;
        self.panics.loose += other.panics.loose;
        self.failures.extend(other.failures);
    }
}

impl Tally {
    /// Notes that something is not as it must be.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// Counts a verdict, and says whether there is one.
    pub fn count(&mut self, what: &str, verdict: Result<Verdict, String>) -> Option<Verdict> {
        self.trials += 1;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                self.fail(format!("{what}: {error}"));
                return None;
            }
        };
        self.acknowledged += verdict.acknowledged;
        self.lost += verdict.lost;
        self.duplicated += verdict.duplicated;
        self.reordered += verdict.reordered;
        self.altered += verdict.altered;
        self.wrong += verdict.wrong.len();
        self.unreadable += verdict.unreadable;
        self.salvaged += usize::from(verdict.salvage_lost.is_some());
        self.salvage_lost += verdict.salvage_lost.unwrap_or(0);
        self.recovered += usize::from(verdict.recovered);
        self.rebuilt += usize::from(verdict.rebuilt);
        Some(verdict)
    }

    /// Counts a verdict that has to be wholly right.
    pub fn count_right(&mut self, what: &str, verdict: Result<Verdict, String>) {
        self.count_whole(what, verdict, false);
    }

    /// The same of a store that nothing but a stop happened to: what its index lists is there.
    fn count_stopped(&mut self, what: &str, verdict: Result<Verdict, String>) {
        self.count_whole(what, verdict, true);
    }

    fn count_whole(&mut self, what: &str, verdict: Result<Verdict, String>, stopped: bool) {
        if let Some(verdict) = self.count(what, verdict)
            && (!verdict.is_right() || stopped && verdict.lacking)
        {
            self.fail(format!("{what}: {verdict:?}"));
        }
    }
}

/// Which folders of trials stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None.
    Nothing,
    /// Those in which something was not as it must be.
    Failed,
    /// All.
    Everything,
}

/// Makes one trial with an engine.
pub fn run(kind: Kind, engine: &str, seed: u64, keep: Keep) -> Tally {
    let scene = Scene::new();
    let mut trial = Trial {
        scene: &scene,
        engine,
        random: Random::new(seed),
        tally: Tally::default(),
    };
    match kind {
        Kind::Kill => trial.kills(),
        Kind::PowerCut => trial.power_cuts(),
        Kind::Fault => trial.faults(),
        Kind::OldFiles => damage::old_files(&mut trial),
        Kind::Damage => damage::damage(&mut trial),
    }
    let mut tally = trial.tally;
    tally.panics = scene.panics();
    if tally.panics.loose > 0 {
        tally.fail(format!("{} panics were not caught", tally.panics.loose));
    }
    let failed = !tally.failures.is_empty();
    if keep == Keep::Everything || keep == Keep::Failed && failed {
        let folder = scene.keep();
        eprintln!(
            "the files of trial {} {engine} {seed} are in {}",
            kind.name(),
            folder.display()
        );
    }
    tally
}

/// Lets a victim work under a plan, and cuts the power at each moment at which it noted something.
pub fn cut_at_every_acknowledgement(engine: &str, plan: &str, cut: Cut) -> Tally {
    let scene = Scene::new();
    let mut trial = Trial {
        scene: &scene,
        engine,
        random: Random::new(0),
        tally: Tally::default(),
    };
    let orders = Orders {
        window: 4,
        close_every: 10,
        ..trial.orders(24)
    };
    trial.traced(&orders, plan);
    let operations = trial.operations();
    let moments = witness::moments(&scene.witness());
    let mut medium = Medium::default();
    let mut next = 0;
    for (number, (operation, end)) in operations.iter().enumerate() {
        medium.take(operation);
        if moments[next..].first().is_some_and(|moment| moment <= end) {
            next += moments[next..].partition_point(|moment| moment <= end);
            let verdict = trial.after(&medium, cut, *end);
            trial
                .tally
                .count_stopped(&format!("after {} operations", number + 1), verdict);
        }
    }
    trial.compare(&medium);
    trial.tally
}

/// A trial that is being made.
pub struct Trial<'a> {
    /// Where.
    pub scene: &'a Scene,
    /// The engine of the store.
    pub engine: &'a str,
    /// Every choice.
    pub random: Random,
    /// What came of it so far.
    pub tally: Tally,
}

/// Classes of operations and parts of paths that name a point of the store's work.
const POINTS: &[&str] = &[
    "write/log/",
    "write/log/",
    "sync/log/",
    "sync/log/",
    "write",
    "sync",
    "write/manifest",
    "sync/manifest",
    "rename/manifest",
    "syncdir",
    "syncdir/log",
    "write/index",
    "sync/index",
    "rename/index",
    "rename",
    "create",
    "create/log/",
    "resize/log/",
    "mkdir",
    "remove",
];

impl Trial<'_> {
    /// Orders as chance will have them.
    pub fn orders(&mut self, appends: usize) -> Orders {
        Orders {
            store: self.scene.store(),
            witness: self.scene.witness(),
            engine: self.engine.to_owned(),
            appends,
            window: 1 + self.random.below(24),
            close_every: 5 + self.random.below(60),
            close: self.random.percent(50),
        }
    }

    /// A point of the store's work, early or late, as a rule without its action.
    fn point(&mut self) -> String {
        let point = self.random.pick(POINTS);
        let limit = self.random.pick(&[3, 10, 40]);
        format!("{point}@{}", 1 + self.random.below(limit))
    }

    /// The question about the store itself.
    pub fn question(&self, goes_on: bool) -> Question {
        Question {
            store: self.scene.store(),
            witness: self.scene.witness(),
            until: u64::MAX,
            engine: self.engine.to_owned(),
            goes_on,
            before: None,
        }
    }

    fn kills(&mut self) {
        for _ in 0..Kind::Kill.per_trial() {
            let orders = self.orders(100_000);
            let what = match self.random.percent(60) {
                true => {
                    let action = self
                        .random
                        .pick(&["kill-before", "kill-after", "kill-halfway"]);
                    let plan = format!("{}={action}", self.point());
                    let victim = self.scene.victim(&orders, &plan, false);
                    // The point may never come; then the moment decides.
                    victim.kill_after(Duration::from_millis(700));
                    plan
                }
                false => {
                    let time = Duration::from_micros(2_000 + self.random.number() % 200_000);
                    self.scene.victim(&orders, "", false).kill_after(time);
                    format!("kill after {time:?}")
                }
            };
            let verdict = self.scene.check(&self.question(true));
            self.tally.count_stopped(&what, verdict);
        }
    }

    /// Lets a victim work under a trace until it ends as the plan says. Says what was done.
    pub fn traced(&mut self, orders: &Orders, plan: &str) -> String {
        debug_assert!(Plan::parse(plan).is_some());
        let ended = self.scene.victim(orders, plan, true).wait();
        if ended.is_none() {
            self.tally.fail(format!("under `{plan}` the victim hangs"));
        }
        let ended = ended.map_or_else(|| "hung".to_owned(), |status| status.to_string());
        format!("`{plan}` ({ended})")
    }

    fn power_cuts(&mut self) {
        let mut done = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let appends = 5 + self.random.below(50);
            let orders = self.orders(appends);
            let mut plan = match self.random.percent(50) {
                true => "sync@1+=slow".to_owned(),
                false => String::new(),
            };
            let point = self.point();
            match self.random.below(4) {
                0 => {
                    let action = self
                        .random
                        .pick(&["kill-before", "kill-after", "kill-halfway"]);
                    plan = format!("{plan};{point}={action}");
                }
                1 => plan = format!("{plan};sync/log/@{}=lost", 2 + self.random.below(30)),
                _ => {}
            }
            done.push(self.traced(&orders, &plan));
        }
        let done = done.join(", ");
        let cuts = Kind::PowerCut.per_trial();
        self.cut(cuts, &done);
    }

    fn operations(&self) -> Vec<(Operation, u64)> {
        trace::read(&fs::read(self.scene.trace()).unwrap_or_default())
    }

    /// Cuts the power at some moments of the trace.
    fn cut(&mut self, cuts: usize, done: &str) {
        let operations = self.operations();
        if operations.is_empty() {
            return;
        }
        let noted = witness::moments(&self.scene.witness());
        let mut moments: BTreeMap<usize, usize> = BTreeMap::new();
        for _ in 0..cuts {
            let moment = match self.random.percent(50) && !noted.is_empty() {
                // As soon as something was acknowledged.
                true => {
                    let at = noted[self.random.below(noted.len())];
                    operations.partition_point(|(_, end)| *end <= at)
                }
                false => 1 + self.random.below(operations.len()),
            };
            *moments.entry(moment).or_default() += 1;
        }
        let mut medium = Medium::default();
        let mut number = 0;
        for (operation, end) in &operations {
            medium.take(operation);
            number += 1;
            for _ in 0..moments.remove(&number).unwrap_or(0) {
                let cut = Cut::any(&mut self.random);
                let verdict = self.after(&medium, cut, *end);
                let all = operations.len();
                let what = format!("{done}, cut after {number} of {all} operations, {cut:?}");
                let failed = self.tally.failures.len();
                self.tally.count_stopped(&what, verdict);
                if self.tally.failures.len() > failed {
                    let kept = self.scene.beside(&format!("failed-{failed}"));
                    drop(fs::rename(self.scene.beside("image"), kept));
                }
            }
        }
        self.compare(&medium);
    }

    fn after(&mut self, medium: &Medium, cut: Cut, until: u64) -> Result<Verdict, String> {
        let to = self.scene.beside("image");
        drop(fs::remove_dir_all(&to));
        fs::create_dir(&to).map_err(|error| error.to_string())?;
        let written = image::write(medium, cut, &mut self.random, &to);
        written.map_err(|error| error.to_string())?;
        let question = Question {
            store: to.join("store"),
            until,
            ..self.question(false)
        };
        self.scene.check(&question)
    }

    /// The trace has to lead to exactly the files that are there, or it is not worth anything.
    fn compare(&mut self, medium: &Medium) {
        let to = self.scene.beside("whole");
        drop(fs::remove_dir_all(&to));
        let everything = Cut {
            content: Survival::Seen,
            names: Survival::Seen,
            in_order: true,
        };
        let written = fs::create_dir(&to)
            .and_then(|()| image::write(medium, everything, &mut self.random, &to));
        if let Err(error) = written {
            self.tally.fail(format!("no image can be written: {error}"));
        }
        if let Some(path) = difference(&to, &self.scene.watched()) {
            self.tally
                .fail(format!("the trace is not complete: {path} differs"));
        }
    }

    fn faults(&mut self) {
        let mut rules = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let point = self.point();
            let number = 1 + self.random.below(40);
            let rule = match self.random.below(8) {
                0 => format!("{point}=eio"),
                1 => format!("{point}=enospc"),
                2 => format!("write/log/@{number}=eio"),
                3 => format!("write@{number}-{}=short", number + 2),
                4 => format!("sync/log/@{number}=lost"),
                5 => format!("sync@{number}=eio"),
                6 => format!("write/log/@{number}=short;write/log/@{}=enospc", number + 1),
                _ => {
                    let bytes = self.random.pick(&[20_000, 300_000, 700_000, 1_500_000]);
                    let bytes = bytes + self.random.below(bytes);
                    format!("space={bytes}:{}", 1 + self.random.below(40))
                }
            };
            rules.push(rule);
        }
        let plan = match std::env::var("FAULT_PLANS") {
            Ok(plan) if !plan.is_empty() => plan,
            _ => rules.join(";"),
        };
        let orders = self.orders(60);
        let done = self.traced(&orders, &plan);
        let verdict = self.scene.check(&self.question(false));
        // The checker goes on from here, so the images come from the trace as it is.
        self.tally.count_right(&done, verdict);
    }
}

/// A path that is not the same below two directories.
fn difference(one: &Path, other: &Path) -> Option<String> {
    let list = |path: &Path| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let names = list(one);
    if names != list(other) {
        return Some(format!(
            "{}: {names:?} and {:?}",
            other.display(),
            list(other)
        ));
    }
    names.into_iter().find_map(|name| {
        let (one, other) = (one.join(&name), other.join(&name));
        match one.is_dir() && other.is_dir() {
            true => difference(&one, &other),
            false => {
                (fs::read(&one).ok() != fs::read(&other).ok()).then(|| other.display().to_string())
            }
        }
    })
}
