//! Whatever is added in whatever portions, and wherever the process is stopped, the index answers as a
//! list of entries does; and what is not what was written is noticed.

use super::entry::{Entry, HashedId, Name, hash_of};
use super::{Core, Index, IndexError, Listing, RunSize, Table, disk};
use crate::id::{EventId, Position};
use crate::runs::keep::{Chunk, Chunks, MemoryShelf, RunHash, Shelf, Sink};
use crate::runs::{RunInfo, Target};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const STORE: [u8; 16] = [3; 16];

/// Runs so small that there are four tiers of them.
const SIZE: RunSize = RunSize {
    full: 8,
    at_close: 1,
    fan_out: 3,
};

fn name(number: u64) -> Vec<u8> {
    // Some names are the beginning of others but for their end, as `s-1` is of `s-10`.
    format!("\u{5}s-{number}\0").into_bytes()
}

/// An event of one of three kinds with up to three subjects: one that is everywhere, one that comes
/// again now and then, and one that comes once.
fn entry(number: u64) -> Entry {
    let mut names = vec![vec![0, (number % 3) as u8], name(0)];
    if !number.is_multiple_of(4) {
        names.push(name(1 + number * number % 17));
    }
    if number.is_multiple_of(2) {
        names.push(name(1_000 + number));
    }
    Entry::of_names(id(number), names.iter().map(Vec::as_slice))
}

fn id(number: u64) -> EventId {
    let digest = blake3::hash(&number.to_le_bytes());
    EventId(*digest.as_bytes().first_chunk().unwrap())
}

/// Adds events up to one, from where the index ends, in portions of some size.
fn add_up_to(index: &Index, last: u64, portion: u64) -> Result<(), IndexError> {
    let mut next = index.watermark().0 + 1;
    while next <= last {
        let end = last.min(next + portion - 1);
        let entries: Vec<_> = (next..=end).map(entry).collect();
        index.add(Position(next), &entries);
        index.make_room()?;
        next = end + 1;
    }
    Ok(())
}

fn listing(table: Table, name: &[u8]) -> Listing {
    Listing::new(table, name.to_vec())
}

/// Compares every answer with what a scan over the entries finds.
fn check(index: &Index, last: u64) {
    let entries: Vec<_> = (1..=last)
        .map(|number| (Position(number), entry(number)))
        .collect();
    for (position, entry) in &entries {
        assert_eq!(index.position(entry.id()).unwrap(), Some(*position));
    }
    assert_eq!(index.position(id(last + 1)).unwrap(), None);
    let subjects = (0..30).chain(1_000..1_000 + last + 3).map(name);
    let all = subjects.map(|name| (Table::Subjects, name));
    let kinds = (0..4).map(|kind| (Table::Kinds, vec![0, kind]));
    for (table, bytes) in all.chain(kinds) {
        let hash = hash_of(table, &bytes);
        let bytes = &bytes;
        let wanted = Name { table, bytes, hash };
        let holds = |entry: &Entry| entry.names().any(|other| other == wanted);
        let positions = entries.iter().filter(|(_, entry)| holds(entry));
        let positions: Vec<_> = positions.map(|(position, _)| *position).collect();
        let listing = listing(table, bytes);
        assert_eq!(index.count(&listing).unwrap().0, positions.len() as u64);
        for (after, limit) in [(0, 1_000), (0, 1), (last / 2, 7), (last - 1, 5), (last, 1)] {
            let later = positions.iter().filter(|position| position.0 > after);
            let later: Vec<_> = later.take(limit).copied().collect();
            let found = index.positions(&listing, Position(after), limit).unwrap();
            assert_eq!(found, later, "{bytes:?} after {after}");
        }
    }
}

fn open(place: &Path) -> (Index, Option<disk::Rebuilt>) {
    disk::open(place, STORE, SIZE).unwrap()
}

#[test]
fn an_index_answers_as_a_scan_does_whatever_the_portions_and_however_often_it_is_closed() {
    for portion in [1, 5, 40] {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("index");
        let mut last = 0;
        for more in [3, 30, 1, 170, 60] {
            let (index, rebuilt) = open(&place);
            assert_eq!(rebuilt.is_none(), last > 0, "{rebuilt:?}");
            assert_eq!(index.watermark(), Position(last));
            last += more;
            add_up_to(&index, last, portion).unwrap();
            check(&index, last);
            index.close().unwrap();
            check(&index, last);
        }
        let (index, _) = open(&place);
        let runs = index.core.state().runs.len();
        assert!(runs < 20, "{runs} runs were not merged");
        while index.core.merge_some(&|| false).unwrap() {}
        check(&index, last);
    }
}

#[test]
fn a_listing_of_many_positions_is_in_many_entries_and_chunks_and_still_counted_at_once() {
    let size = RunSize {
        full: 6_000,
        at_close: 1,
        fan_out: 2,
    };
    let index = Index::in_memory(size);
    for first in (1..=20_000).step_by(1_000) {
        let entries: Vec<_> = (first..first + 1_000).map(entry).collect();
        index.add(Position(first), &entries);
        index.make_room().unwrap();
    }
    index.close().unwrap();
    let everywhere = listing(Table::Subjects, &name(0));
    assert_eq!(index.count(&everywhere).unwrap().0, 20_000);
    for after in [0, 1, 255, 256, 257, 5_999, 6_000, 13_337, 19_999, 20_000] {
        let found = index.positions(&everywhere, Position(after), 600).unwrap();
        let wanted: Vec<_> = (after + 1..=20_000).take(600).map(Position).collect();
        assert_eq!(found, wanted);
    }
    let absent = listing(Table::Subjects, &name(999));
    assert_eq!(index.count(&absent).unwrap().0, 0);
}

/// A shelf that fails at a step, as a process that is killed there never comes further. What was done
/// before stays on the medium, and nothing is tidied up.
struct Stopping {
    shelf: Box<dyn Shelf>,
    steps: Arc<Steps>,
}

struct Steps {
    left: AtomicUsize,
    /// What would have been tidied up by dropping it.
    left_lying: Mutex<Vec<Box<dyn Sink>>>,
}

impl Steps {
    fn step(&self) -> Result<(), IndexError> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        left.map(|_| ()).map_err(|_| IndexError::Failed {
            doing: "stopping",
            reason: "the test says so".to_owned(),
        })
    }
}

struct StoppingSink {
    sink: Option<Box<dyn Sink>>,
    steps: Arc<Steps>,
}

impl Shelf for Stopping {
    fn create(&self, number: u64) -> Result<Box<dyn Sink>, IndexError> {
        self.steps.step()?;
        let steps = Arc::clone(&self.steps);
        let sink = Some(self.shelf.create(number)?);
        Ok(Box::new(StoppingSink { sink, steps }))
    }

    fn commit(&self, runs: &[RunInfo]) -> Result<(), IndexError> {
        self.steps.step()?;
        self.shelf.commit(runs)?;
        self.steps.step()
    }

    fn distrust(&self) {}

    fn close(&self, _: &[(u64, Vec<String>)]) {}
}

impl Sink for StoppingSink {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), IndexError> {
        self.steps.step()?;
        self.sink.as_mut().unwrap().put(key, value)
    }

    fn seal(mut self: Box<Self>) -> Result<(RunHash, Arc<dyn Chunks>), IndexError> {
        self.steps.step()?;
        self.sink.take().unwrap().seal()
    }
}

impl Drop for StoppingSink {
    fn drop(&mut self) {
        let lying = self.sink.take();
        self.steps.left_lying.lock().unwrap().extend(lying);
    }
}

#[test]
fn wherever_writing_and_merging_are_stopped_the_next_opening_answers_as_before() {
    let last = 26;
    for steps in 0.. {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("index");
        let (index, _) = open(&place);
        drop(index);
        let steps = Arc::new(Steps {
            left: AtomicUsize::new(steps),
            left_lying: Mutex::default(),
        });
        let shelf = Stopping {
            shelf: Box::new(disk::shelf(&place, STORE)),
            steps: Arc::clone(&steps),
        };
        let core = Core::new(Box::new(shelf), STORE, Vec::new(), SIZE, Arc::default());
        let index = Index::over(core);
        // In this thread, so that each number of steps is another place to stop at.
        let stopped = (1..=last).try_for_each(|number| {
            index.add(Position(number), &[entry(number)]);
            if index.core.freeze_if_full() {
                index.core.write_frozen()?;
                while index.core.merge_some(&|| false)? {}
            }
            Ok(())
        });
        let is_through = stopped.is_ok();
        drop::<Result<(), IndexError>>(stopped);
        // What is in memory is right until the process ends, whatever could not be written.
        drop(index);
        // A killed process holds no locks. What it left is on the medium, whole or not.
        let lying = std::mem::take(&mut *steps.left_lying.lock().unwrap());
        let copied = place.with_extension("killed");
        copy(&place, &copied);
        drop(lying);
        let (index, rebuilt) = open(&copied);
        assert_eq!(rebuilt, None);
        let runs = index.watermark().0;
        assert!(runs.is_multiple_of(8) && runs <= last);
        add_up_to(&index, last, 4).unwrap();
        check(&index, last);
        index.close().unwrap();
        drop(index);
        let (index, _) = open(&copied);
        assert_eq!(index.watermark(), Position(last));
        check(&index, last);
        if is_through {
            break;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A run in memory of which one chunk is lost, another one's place is taken, or a byte is changed.
struct Damaged {
    chunks: Arc<dyn Chunks>,
    damage: Box<dyn Fn(Vec<Chunk>) -> Vec<Chunk> + Send + Sync>,
}

impl Damaged {
    fn all(&self) -> Vec<Chunk> {
        (self.damage)(self.chunks.from(&[], usize::MAX).unwrap())
    }
}

impl Chunks for Damaged {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, IndexError> {
        let mut before = self
            .all()
            .into_iter()
            .filter(|(at, _)| at.as_slice() <= key);
        Ok(before.next_back())
    }

    fn from(&self, key: &[u8], max: usize) -> Result<Vec<Chunk>, IndexError> {
        let from = self
            .all()
            .into_iter()
            .filter(|(at, _)| at.as_slice() >= key);
        Ok(from.take(max).collect())
    }

    fn pass(&self, key: &[u8], max: usize) -> Result<Vec<Chunk>, IndexError> {
        self.from(key, max)
    }

    fn open(&self) -> Result<(), IndexError> {
        Ok(())
    }

    fn discard(&self) {}

    fn let_go(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_lost_or_changed_chunk_is_an_error_or_does_not_matter_to_the_answer() {
    use super::run::Run;
    let events = 1_000;
    let shelf = MemoryShelf;
    let mut overlay = super::overlay::Overlay::default();
    (1..=events).for_each(|number| overlay.add(Position(number), &entry(number)));
    let kept = Arc::default();
    let target = Target {
        shelf: &shelf,
        store_id: STORE,
        kept: &kept,
    };
    let run = super::write::write_overlay(target, 1, &overlay)
        .unwrap()
        .unwrap();
    let chunks = Arc::clone(run.chunks());
    let count = chunks.from(&[], usize::MAX).unwrap().len();
    assert!(count > 8, "{count}");
    type Damage = fn(&mut Vec<Chunk>, usize);
    let damages: [(Damage, bool); 4] = [
        (|chunks, at| drop(chunks.remove(at)), true),
        (|chunks, at| chunks[at].1[20] ^= 4, true),
        (
            |chunks, at| {
                let other = chunks[(at + 1) % chunks.len()].1.clone();
                chunks[at].1 = other;
            },
            true,
        ),
        (|_, _| {}, false),
    ];
    for (damage, must_fail) in damages {
        for at in 0..count {
            let damaged = Damaged {
                chunks: Arc::clone(&chunks),
                damage: Box::new(move |mut chunks| {
                    damage(&mut chunks, at);
                    chunks
                }),
            };
            let kept = Arc::default();
            let run = Run::new(STORE, run.info, Arc::new(damaged), &kept);
            let mut errors = 0;
            for number in 1..=events + 20 {
                let wanted = (number <= events).then_some(Position(number));
                match run.position(HashedId::new(id(number))) {
                    Ok(found) => assert_eq!(found, wanted, "chunk {at}"),
                    Err(_) => errors += 1,
                }
                for name in entry(number).names() {
                    let wanted = overlay.count(name);
                    match run.count(name) {
                        Ok(found) => assert_eq!(found, wanted, "chunk {at}"),
                        Err(_) => errors += 1,
                    }
                }
            }
            assert_eq!(errors > 0, must_fail, "chunk {at}");
        }
    }
}

#[test]
fn runs_are_removed_only_after_the_manifest_without_them_is_written() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().join("index");
    let (index, _) = open(&place);
    for number in 1..=24 {
        index.add(Position(number), &[entry(number)]);
        if index.core.freeze_if_full() {
            index.core.write_frozen().unwrap();
        }
    }
    // A directory where the new manifest is to be written, before it takes the place of the old one.
    let in_the_way = place.join("manifest.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let failed = index.core.merge_some(&|| false).unwrap_err();
    assert!(matches!(failed, IndexError::Failed { .. }), "{failed}");
    check(&index, 24);
    drop(index);
    let (index, rebuilt) = open(&place);
    assert_eq!((rebuilt, index.watermark()), (None, Position(24)));
    check(&index, 24);
    assert!(index.core.merge_some(&|| false).unwrap());
    drop(index);
    let (index, rebuilt) = open(&place);
    assert_eq!((rebuilt, index.core.state().runs.len()), (None, 1));
    check(&index, 24);
}

/// The runs tile the positions of lost events too, or every opening would begin anew.
#[test]
fn positions_of_lost_events_are_passed_over_wherever_they_are() {
    for (lost_from, lost_to) in [(1, 5), (8, 8), (9, 40), (41, 41)] {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("index");
        let (index, _) = open(&place);
        for number in 1..=60 {
            match (lost_from..=lost_to).contains(&number) {
                true => index.pass(Position(number)),
                false => index.add(Position(number), &[entry(number)]),
            }
            index.make_room().unwrap();
        }
        index.close().unwrap();
        drop(index);
        let (index, rebuilt) = open(&place);
        assert_eq!((rebuilt, index.watermark()), (None, Position(60)));
        for number in 1..=60 {
            let is_lost = (lost_from..=lost_to).contains(&number);
            let found = index.position(entry(number).id()).unwrap();
            assert_eq!(found, (!is_lost).then_some(Position(number)));
        }
    }
}
