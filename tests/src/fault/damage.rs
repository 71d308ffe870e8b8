//! Damage to a store that nobody has open.
//!
//! What is left is right, or there is an error; nothing is ever silently missing, changed or added.

use super::check::{Question, Verdict};
use super::random::Random;
use super::remains::Before;
use super::trial::Trial;
use crate::stores::copy;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The unit in which a medium loses content.
const PAGE_LENGTH_BYTES: usize = 4_096;

/// Damage at the end of what a file holds is within so many bytes of it.
const TAIL_LENGTH_BYTES: usize = 600;

/// The copy of a store from before it is damaged.
const BEFORE: &str = "before";

/// Parts of a store, as far as their damage differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The truth.
    Log,
    /// Derived: it has to be right afterwards, at the second opening at the latest.
    Index,
    /// The manifest, the lock and anything else.
    Other,
}

impl Part {
    fn of(relative: &Path) -> Self {
        match relative.iter().next().and_then(|name| name.to_str()) {
            Some("log") => Self::Log,
            Some("index") => Self::Index,
            _ => Self::Other,
        }
    }
}

/// Judges what became of a store that was closed and then damaged.
fn judge(trial: &mut Trial<'_>, part: Part, what: &str, must_say: bool) {
    let question = Question {
        before: (part == Part::Log).then(|| Before {
            store: trial.scene.beside(BEFORE),
            salvaged: trial.scene.beside("salvaged"),
        }),
        ..trial.question(false)
    };
    let verdict = trial.scene.check(&question);
    let Some(verdict) = trial.tally.count(what, verdict) else {
        return;
    };
    if verdict.is_right() {
        if must_say && !verdict.rebuilt {
            trial
                .tally
                .fail(format!("{what}: the index was not said to be built again"));
        }
        return;
    }
    if verdict.is_true() && verdict.index_error.is_some() && part != Part::Log {
        // The answer was an error, not a wrong one; the next opening has to be right.
        trial.tally.errors += 1;
        trial.tally.named += 1;
        let again = trial.scene.check(&question);
        return trial
            .tally
            .count_right(&format!("{what}, the second time"), again);
    }
    match &verdict {
        Verdict {
            error: Some(error), ..
        } if verdict.is_true() && part != Part::Index => {
            trial.tally.errors += 1;
            trial.tally.named += usize::from(is_named(error));
        }
        _ => trial.tally.fail(format!("{what}: {verdict:?}")),
    }
}

/// Whether an error says where the damage is.
fn is_named(error: &str) -> bool {
    error.contains("position") || error.contains("manifest") || error.contains('/')
}

/// Makes a store and closes it.
fn closed_store(trial: &mut Trial<'_>, appends: usize) {
    let mut orders = trial.orders(appends);
    orders.close = true;
    trial.traced(&orders, "");
}

/// The files of a store, below it.
fn files(store: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    let below = |path: PathBuf| path.strip_prefix(store).map(Path::to_owned).ok();
    let mut found: Vec<_> = found.into_iter().filter_map(below).collect();
    found.sort();
    found
}

/// Bytes rot, pages and tails are lost, files go away.
pub fn damage(trial: &mut Trial<'_>) {
    let appends = 20 + trial.random.below(80);
    closed_store(trial, appends);
    let store = trial.scene.store();
    copy(&store, &trial.scene.beside(BEFORE));
    let in_log = trial.random.percent(50);
    let mut candidates = files(&store);
    candidates.retain(|file| (Part::of(file) == Part::Log) == in_log);
    if candidates.is_empty() {
        return trial.tally.fail("there is nothing to damage");
    }
    let file = candidates.swap_remove(trial.random.below(candidates.len()));
    let path = store.join(&file);
    let what = match in_log && trial.engine == "sled" && trial.random.percent(30) {
        true => flip_in_sled(&store, &mut trial.random),
        false => damage_file(&path, &mut trial.random),
    };
    let what = format!("{}: {what}", file.display());
    judge(trial, Part::of(&file), &what, false);
}

/// Damages a file, and says how.
fn damage_file(path: &Path, random: &mut Random) -> String {
    let mut bytes = fs::read(path).unwrap_or_default();
    // What follows the last byte that is not zero was never written by anybody.
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let at = match random.percent(40) {
        true => used.saturating_sub(1 + random.below(TAIL_LENGTH_BYTES)),
        false => random.below(used.max(1)),
    };
    let what = match random.below(if used == 0 { 1 } else { 7 }) {
        0 => {
            drop(fs::remove_file(path));
            return "it was removed".to_owned();
        }
        1..=3 => {
            let bit = random.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} was flipped")
        }
        4 | 5 => {
            let page = at / PAGE_LENGTH_BYTES * PAGE_LENGTH_BYTES;
            let end = bytes.len().min(page + PAGE_LENGTH_BYTES);
            bytes[page..end].fill(0);
            format!("the page at {page} was zeroed")
        }
        _ => {
            bytes.truncate(at);
            format!("it was cut at {at}")
        }
    };
    drop(fs::write(path, bytes));
    what
}

/// Flips a bit of a value of the sled engine without sled noticing: only the frame's hash is left.
fn flip_in_sled(store: &Path, random: &mut Random) -> String {
    let mut flip = || {
        let database = sled::Config::new().path(store.join("log")).open()?;
        let tree = database.open_tree("frames")?;
        let keys = tree.iter().keys().collect::<Result<Vec<_>, _>>()?;
        let chosen = match random.percent(40) {
            true => keys.len() - 1,
            false => random.below(keys.len()),
        };
        let mut value = tree
            .get(&keys[chosen])?
            .map(|value| value.to_vec())
            .unwrap_or_default();
        let at = random.below(value.len());
        value[at] ^= 1 << random.below(8);
        tree.insert(&keys[chosen], value)?;
        database.flush()?;
        Ok::<_, sled::Error>(format!("byte {at} of value {chosen} of {}", keys.len()))
    };
    flip().unwrap_or_else(|error| error.to_string())
}

/// What becomes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Become {
    Old,
    Empty,
    Garbage,
    Gone,
}

/// Sled's files become an old copy, empty or garbage, or go away: those of the log, those of the index,
/// those of one run of it, or one file.
pub fn old_files(trial: &mut Trial<'_>) {
    let appends = 20 + trial.random.below(60);
    closed_store(trial, appends);
    let (store, old) = (trial.scene.store(), trial.scene.beside("old"));
    copy(&store, &old);
    closed_store(trial, appends);
    copy(&store, &trial.scene.beside(BEFORE));
    let mut targets = vec!["log".to_owned(), "index".to_owned()];
    targets.extend(runs(&store));
    let target = targets[trial.random.below(targets.len())].clone();
    let becomes = [Become::Old, Become::Empty, Become::Garbage, Become::Gone];
    let mut becomes = trial.random.pick(&becomes);
    if becomes == Become::Old && !old.join(&target).exists() {
        becomes = Become::Gone;
    }
    let (present, old) = (store.join(&target), old.join(&target));
    let before = contents(&present);
    let mut names: Vec<_> = before.keys().cloned().collect();
    if trial.random.percent(50) && !names.is_empty() {
        names = vec![names.swap_remove(trial.random.below(names.len()))];
    }
    for name in &names {
        let path = present.join(name);
        let content = match becomes {
            Become::Old => fs::read(old.join(name)).ok(),
            Become::Empty => Some(Vec::new()),
            Become::Garbage => {
                let garbage = std::iter::repeat_with(|| trial.random.number() as u8);
                Some(garbage.take(before[name].len()).collect())
            }
            Become::Gone => None,
        };
        drop(match content {
            Some(content) => fs::write(path, content),
            None => fs::remove_file(path),
        });
    }
    let part = Part::of(Path::new(&target));
    let after = contents(&present);
    let changed: Vec<_> = names
        .iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    // An old copy of the whole index is right as far as it goes, and what was noted of its files only
    // saves reading them.
    let is_old_index = target == "index" && becomes == Become::Old && names.len() > 1;
    let matters = changed.iter().any(|name| !name.ends_with("seen"));
    let must_say = part == Part::Index && matters && !is_old_index;
    let names: Vec<_> = changed
        .iter()
        .map(|name| name.display().to_string())
        .collect();
    let what = format!("{target} ({}) became {becomes:?}", names.join(", "));
    judge(trial, part, &what, must_say);
}

/// The directories in the index, below the store.
fn runs(store: &Path) -> Vec<String> {
    let entries = fs::read_dir(store.join("index"))
        .into_iter()
        .flatten()
        .flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.map(|name| format!("index/{name}")).collect();
    names.sort();
    names
}

/// The files below a path, with their content.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |file: PathBuf| fs::read(path.join(&file)).ok().map(|bytes| (file, bytes));
    files(path).into_iter().filter_map(read).collect()
}
