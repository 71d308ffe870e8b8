//! Whatever is gathered in whatever portions, lists answer as a map of vectors does; and what is not what
//! was written is noticed.

use super::*;
use crate::runs::keep::Chunk;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

const STORE: [u8; 16] = [5; 16];

/// Runs so small that there are four tiers of them.
const SIZE: RunSize = RunSize {
    full: 8,
    at_close: 1,
    fan_out: 3,
};

type Oracle = BTreeMap<(u8, Vec<u8>), Vec<Vec<u8>>>;

fn mix(number: u64) -> u64 {
    let digest = blake3::hash(&number.to_le_bytes());
    u64::from_le_bytes(*digest.as_bytes().first_chunk().unwrap())
}

/// Names of which some are the beginning of others but for their end.
fn name(number: u64) -> Vec<u8> {
    format!("s-{number}\0").into_bytes()
}

/// What an event adds: some lists share its value, which is nothing, a few bytes, or more than a chunk
/// takes, packed or not.
fn additions(number: u64) -> (Vec<(u8, Vec<u8>)>, Vec<u8>) {
    let mut names = vec![(1, name(0))];
    if !number.is_multiple_of(3) {
        names.push((1, name(1 + number * number % 17)));
        names.push((4, name(number)));
    }
    if number.is_multiple_of(5) {
        names.clear();
    }
    let value = match number % 23 {
        0 => Vec::new(),
        1 => (0..9_000).map(|at| mix(number + at) as u8).collect(),
        2 => vec![7; 70_000],
        _ => number.to_string().into_bytes(),
    };
    (names, value)
}

fn gather(first: u64, last: u64) -> Gathering {
    let mut gathered = Gathering::default();
    for number in first..=last {
        gathered.cover(Position(number), Position(number));
        let (names, value) = additions(number);
        let names: Vec<_> = names
            .iter()
            .map(|(table, name)| ListName::new(Table(*table), name))
            .collect();
        for name in &names {
            gathered.name(ListName::new(Table(7), name.bytes));
        }
        gathered.add(names, &value);
    }
    gathered
}

fn oracle(last: u64) -> Oracle {
    let mut lists = Oracle::new();
    for number in 1..=last {
        let (names, value) = additions(number);
        for (table, name) in names {
            lists.entry((7, name.clone())).or_default();
            lists.entry((table, name)).or_default().push(value.clone());
        }
    }
    lists
}

fn add_up_to(lists: &Lists, last: u64, portion: u64) -> Result<(), ListsError> {
    let mut next = lists.end().0 + 1;
    while next <= last {
        let end = last.min(next + portion - 1);
        lists.add(gather(next, end))?;
        next = end + 1;
    }
    Ok(())
}

fn read(lists: &Lists, table: u8, name: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let name = ListName::new(Table(table), name);
    let mut visit = |value: &[u8]| values.push(value.to_vec());
    lists.read(name, &mut visit).unwrap();
    assert_eq!(lists.last(name).unwrap(), values.last().cloned());
    values
}

fn check(lists: &Lists, last: u64) {
    assert_eq!(lists.end(), Position(last));
    let wanted = oracle(last);
    for table in [1, 2, 4, 7] {
        let names = (0..20).chain(last.saturating_sub(10)..last + 2).map(name);
        for name in names {
            let values = wanted.get(&(table, name.clone())).cloned();
            assert_eq!(read(lists, table, &name), values.unwrap_or_default());
        }
        let all: Vec<_> = wanted.keys().filter(|(t, _)| *t == table).collect();
        assert_eq!(lists.has_any(Table(table)).unwrap(), !all.is_empty());
        for prefix in [&b""[..], b"s-1", b"t"] {
            let all = all.iter().map(|(_, name)| name);
            let all: Vec<_> = all.filter(|name| name.starts_with(prefix)).collect();
            let mut found: Vec<Vec<u8>> = Vec::new();
            loop {
                let after = found.last().map(Vec::as_slice);
                let page = lists.names(Table(table), prefix, after, 7).unwrap();
                assert!(page.len() <= 7);
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(found.iter().collect::<Vec<_>>(), all);
        }
        check_pass(lists, &wanted, Table(table));
    }
}

/// Passing over a table in any parts visits each list once, whole and in order.
fn check_pass(lists: &Lists, wanted: &Oracle, table: Table) {
    let wanted: Vec<_> = wanted
        .iter()
        .filter(|((of, _), _)| *of == table.0)
        .map(|((_, name), values)| (name.clone(), values.clone()))
        .collect();
    for parts in [1, 2, 5] {
        let cuts = lists.cuts(table, b"", parts).unwrap();
        assert!(cuts.is_sorted() && cuts.len() < parts.max(2));
        let starts = [Vec::new()].into_iter().chain(cuts.iter().cloned());
        let ends = cuts.iter().cloned().map(Some).chain([None]);
        let mut passed = Vec::new();
        for (from, until) in starts.zip(ends) {
            let visit = |name: &[u8], stream: &[u8]| {
                let values = ListValues::of(stream).map(|value| value.map(<[u8]>::to_vec));
                passed.push((name.to_vec(), values.collect::<Result<_, _>>()?));
                Ok::<_, ListsError>(())
            };
            lists.pass(table, &from, until.as_deref(), visit).unwrap();
        }
        assert_eq!(passed, wanted);
    }
}

fn open(place: &Path, made_by: &str) -> (Lists, Option<Rebuilt>) {
    Lists::open(place, STORE, made_by, SIZE).unwrap()
}

#[test]
fn lists_answer_as_a_map_does_whatever_the_portions_and_however_often_they_are_closed() {
    for portion in [1, 3, 20] {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("lists");
        let mut last = 0;
        for more in [3, 30, 1, 90] {
            let (lists, rebuilt) = open(&place, "v1");
            assert_eq!(rebuilt.is_none(), last > 0, "{rebuilt:?}");
            assert_eq!(lists.watermark(), Position(last));
            last += more;
            add_up_to(&lists, last, portion).unwrap();
            check(&lists, last);
            lists.close().unwrap();
            check(&lists, last);
        }
        let (lists, _) = open(&place, "v1");
        lists.settle().unwrap();
        assert!(lists.runs() < 8, "{} runs were not merged", lists.runs());
        check(&lists, last);
    }
}

#[test]
fn what_was_not_in_a_run_when_the_process_ended_is_added_again() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().join("lists");
    let (lists, _) = open(&place, "v1");
    add_up_to(&lists, 37, 2).unwrap();
    drop(lists);
    let (lists, rebuilt) = open(&place, "v1");
    assert_eq!(rebuilt, None);
    assert!(lists.watermark() <= Position(37));
    add_up_to(&lists, 40, 7).unwrap();
    check(&lists, 40);
}

#[test]
fn what_another_version_made_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().join("lists");
    let (lists, _) = open(&place, "v1");
    add_up_to(&lists, 20, 4).unwrap();
    lists.close().unwrap();
    drop(lists);
    let (lists, rebuilt) = open(&place, "v2");
    let kept = rebuilt.map(|rebuilt| rebuilt.kept);
    assert_eq!((kept, lists.end()), (Some(Position(0)), Position(0)));
}

#[test]
fn what_does_not_follow_is_refused() {
    let lists = Lists::in_memory(SIZE);
    add_up_to(&lists, 4, 4).unwrap();
    lists.add(gather(6, 7)).unwrap_err();
    lists.add(gather(4, 7)).unwrap_err();
    lists.add(gather(5, 7)).unwrap();
    check(&lists, 7);
}

/// A run in memory of which one chunk is lost, another one's place is taken, or a byte is changed.
struct Damaged {
    chunks: Vec<Chunk>,
    reads: AtomicUsize,
}

impl Chunks for Damaged {
    fn at_or_before(&self, key: &[u8]) -> Result<Option<Chunk>, ListsError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let mut before = self.chunks.iter().filter(|(at, _)| at.as_slice() <= key);
        Ok(before.next_back().cloned())
    }

    fn from(&self, key: &[u8], max: usize) -> Result<Vec<Chunk>, ListsError> {
        let from = self.chunks.iter().filter(|(at, _)| at.as_slice() >= key);
        Ok(from.take(max).cloned().collect())
    }

    fn pass(&self, key: &[u8], max: usize) -> Result<Vec<Chunk>, ListsError> {
        self.from(key, max)
    }

    fn open(&self) -> Result<(), ListsError> {
        Ok(())
    }

    fn discard(&self) {}

    fn let_go(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_lost_or_changed_chunk_is_an_error_or_does_not_matter_to_the_answer() {
    let last = 60;
    let shelf = MemoryShelf;
    let kept = Kept::default();
    let target = Target {
        shelf: &shelf,
        store_id: STORE,
        kept: &kept,
    };
    let run = write::write(target, 1, &gather(1, last)).unwrap().unwrap();
    let chunks = run.chunks.from(&[], usize::MAX).unwrap();
    assert!(chunks.len() > 8, "{}", chunks.len());
    let wanted = oracle(last);
    type Damage = fn(&mut Vec<Chunk>, usize);
    let damages: [(Damage, bool); 4] = [
        (|chunks, at| drop(chunks.remove(at)), true),
        (|chunks, at| *chunks[at].1.last_mut().unwrap() ^= 4, true),
        (
            |chunks, at| chunks[at].1 = chunks[(at + 1) % chunks.len()].1.clone(),
            true,
        ),
        (|_, _| {}, false),
    ];
    for (damage, must_fail) in damages {
        for at in 0..chunks.len() {
            let mut damaged = chunks.clone();
            damage(&mut damaged, at);
            let damaged = Damaged {
                chunks: damaged,
                reads: AtomicUsize::new(0),
            };
            let run = Run::new(STORE, run.info, Arc::new(damaged), &Kept::default());
            let mut errors = Table::all().filter(|t| run.has_any(*t).is_err()).count();
            for ((table, name), values) in &wanted {
                let mut stream = Vec::new();
                let mut found = Vec::new();
                let name = ListName::new(Table(*table), name);
                match run.read(name, &mut stream) {
                    Ok(()) => {
                        let mut visit = |value: &[u8]| found.push(value.to_vec());
                        visit_values(&stream, &mut visit).unwrap();
                        assert_eq!(found, *values, "chunk {at}");
                    }
                    Err(_) => errors += 1,
                }
            }
            assert_eq!(errors > 0, must_fail, "chunk {at}");
        }
    }
}

#[test]
fn a_list_that_is_not_there_is_mostly_not_looked_for() {
    let last = 200;
    let shelf = MemoryShelf;
    let kept = Kept::default();
    let target = Target {
        shelf: &shelf,
        store_id: STORE,
        kept: &kept,
    };
    let run = write::write(target, 1, &gather(1, last)).unwrap().unwrap();
    let counted = Arc::new(Damaged {
        chunks: run.chunks.from(&[], usize::MAX).unwrap(),
        reads: AtomicUsize::new(0),
    });
    let run = Run::new(STORE, run.info, Arc::clone(&counted) as _, &Kept::default());
    for number in 0..1_000 {
        let mut stream = Vec::new();
        let absent = name(10_000 + number);
        run.read(ListName::new(Table(1), &absent), &mut stream)
            .unwrap();
        assert!(stream.is_empty());
    }
    let reads = counted.reads.load(Ordering::Relaxed);
    assert!(reads < 3, "{reads} look-ups");
}
