//! Damage to a store that nobody has open.
//!
//! What is left is right, or there is an error; nothing is ever silently missing, changed or added.

use super::check::Verdict;
use super::random::Random;
use super::trial::Trial;
use crate::stores::copy;
use std::fs;
use std::path::{Path, PathBuf};

/// The unit in which a medium loses content.
const PAGE_LENGTH_BYTES: usize = 4_096;

/// Damage at the end of what a file holds is within so many bytes of it.
const TAIL_LENGTH_BYTES: usize = 600;

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
    let question = trial.question(false);
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

/// Sled's files become an old copy, empty or garbage, or go away.
pub fn old_files(trial: &mut Trial<'_>) {
    let appends = 20 + trial.random.below(60);
    closed_store(trial, appends);
    let (store, old) = (trial.scene.store(), trial.scene.beside("old"));
    copy(&store, &old);
    closed_store(trial, appends);
    let target = match trial.random.below(5) {
        0 => "log",
        1 => "index",
        _ => "index/sled",
    };
    let becomes = [Become::Old, Become::Empty, Become::Garbage, Become::Gone];
    let becomes = trial.random.pick(&becomes);
    // Either all of its files, or one.
    let mut of = files(&store.join(target));
    let whole = trial.random.percent(50);
    if !whole && !of.is_empty() {
        of = vec![of[trial.random.below(of.len())].clone()];
    }
    if whole && matches!(becomes, Become::Old | Become::Gone) {
        drop(fs::remove_dir_all(store.join(target)));
    }
    for file in &of {
        let (path, old) = (store.join(target).join(file), old.join(target).join(file));
        let length = fs::metadata(&path).map_or(1_000, |file| file.len() as usize);
        match becomes {
            Become::Old if whole => {}
            Become::Old => drop(fs::copy(old, path)),
            Become::Empty => drop(fs::write(path, "")),
            Become::Garbage => {
                let garbage = std::iter::repeat_with(|| trial.random.number() as u8);
                drop(fs::write(path, garbage.take(length).collect::<Vec<_>>()));
            }
            Become::Gone => drop(fs::remove_file(path)),
        }
    }
    if whole && becomes == Become::Old {
        copy(&old.join(target), &store.join(target));
    }
    let part = Part::of(Path::new(target));
    // An old copy of all of the index is right as far as it goes.
    let must_say = part == Part::Index && whole && !(target == "index" && becomes == Become::Old);
    let names: Vec<_> = of.iter().map(|file| file.display().to_string()).collect();
    let what = format!("{target} ({}) became {becomes:?}", names.join(", "));
    judge(trial, part, &what, must_say);
}
