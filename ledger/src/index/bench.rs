//! What the index costs, without a log. Every test run makes a small one, which shows that it finds what
//! it should; what it prints means something only of a large one, by hand:
//! `INDEX_BENCH_EVENTS=20000000 cargo test --release -p ledger --lib index::bench -- --nocapture`
//!
//! Each event has an id, a kind and four or five subjects: a person of whom there is one for every four
//! events, seen about sixteen times in a short while, an order, a session of a few events, and a tenant
//! and a customer of which there are few and which come all the time.

#![expect(clippy::print_stdout, reason = "its output is the measurement")]

use super::entry::{Entry, hash_of};
use super::{Listing, RunSize, Table, disk};
use crate::id::{EventId, Position};
use crate::subject::{Subject, SubjectKind};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const BATCH_EVENTS: u64 = 256;

fn mix(number: u64) -> u64 {
    hash_of(Table::Ids, &number.to_le_bytes())
}

fn id(number: u64) -> EventId {
    let halves = [mix(number).to_le_bytes(), mix(!number).to_le_bytes()];
    EventId(halves.concat().try_into().unwrap())
}

/// The number of the person of an event: each comes sixteen times, mostly within some thousand events.
fn person(number: u64) -> u64 {
    let near = number / 4 + mix(number) % 1_000;
    match number % 64 {
        0 => mix(number) % (number / 4 + 1),
        _ => near / 4 * 4 / 4,
    }
}

fn subjects(number: u64) -> Vec<Subject> {
    let person = person(number);
    let mut subjects = vec![
        Subject::new(
            SubjectKind::Person,
            format_args!("{:016x}{:016x}", mix(person), person),
        ),
        Subject::new(SubjectKind::Order, format_args!("PO-{:07}", number / 20)),
        Subject::new(
            SubjectKind::Session,
            format_args!("s-{:08x}", mix(number / 6) >> 32),
        ),
        Subject::new(
            SubjectKind::Tenant,
            format_args!("tenant{}.onmicrosoft.example", person % 50_000),
        ),
    ];
    if number.is_multiple_of(2) {
        subjects.push(Subject::new(
            SubjectKind::Customer,
            format_args!("C-{:06}", person % 40_000),
        ));
    }
    subjects
}

fn entry(number: u64) -> Entry {
    let mut names = vec![(mix(number) as u16 % 60).to_be_bytes().to_vec()];
    names.extend(subjects(number).iter().map(|s| Listing::subject(s).name));
    Entry::of_names(id(number), names.iter().map(Vec::as_slice))
}

/// What this thread has taken of a processor: other work on the machine does not count.
fn busy() -> Duration {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = times.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn status(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.unwrap_or_default().replace('\t', " ")
}

fn cpu() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let words: Vec<_> = stat.split(' ').collect();
    format!(
        "user {} system {} (hundredths of a second)",
        words[13], words[14]
    )
}

fn length(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let lengths = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => length(&entry.path()),
        false => std::os::unix::fs::MetadataExt::blocks(&entry.metadata().unwrap()) * 512,
    });
    lengths.sum()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    println!(
        "{what}: median {:?}, p99 {:?}, most {:?}",
        at(500),
        at(990),
        at(1000)
    );
}

/// How many events a measurement by hand asks for.
fn asked_events() -> Option<u64> {
    let asked = std::env::var("INDEX_BENCH_EVENTS").ok();
    asked.map(|text| text.parse().unwrap())
}

#[test]
fn bench() {
    let asked = asked_events();
    let events = asked.unwrap_or(20_000);
    let place = tempfile::tempdir().unwrap();
    let place = &place.path().join("index");
    let (index, _) = disk::open(place, [1; 16], RunSize::default()).unwrap();
    let (mut making, mut checking, mut adding, mut waiting) = [Duration::ZERO; 4].into();
    let start = Instant::now();
    let mut names = 0;
    for first in (1..=events).step_by(BATCH_EVENTS as usize) {
        let now = busy();
        let batch: Vec<_> = (first..=events.min(first + BATCH_EVENTS - 1))
            .map(entry)
            .collect();
        names += batch
            .iter()
            .map(|entry| entry.names().count())
            .sum::<usize>();
        making += busy() - now;
        let now = busy();
        for entry in &batch {
            assert_eq!(index.position(entry.id()).unwrap(), None);
        }
        checking += busy() - now;
        let now = busy();
        index.add(Position(first), &batch);
        adding += busy() - now;
        let now = busy();
        index.make_room().unwrap();
        waiting += busy() - now;
        if first / 1_000_000 != (first + BATCH_EVENTS) / 1_000_000 {
            let runs = index.core.state().runs.len();
            println!(
                "{first}: {:?}, {runs} runs, {}",
                start.elapsed(),
                status("VmRSS")
            );
        }
    }
    println!("{events} events, {names} names: {:?}", start.elapsed());
    println!("making {making:?} checking {checking:?} adding {adding:?} waiting {waiting:?}");
    let runs = std::sync::Arc::clone(&index.core.state().runs);
    let absent = (0..events).map(|n| hash_of(Table::Ids, &id(u64::MAX / 2 + n).0));
    let now = Instant::now();
    let passed = absent.filter(|hash| runs.iter().any(|run| run.may_hold_id(*hash)));
    println!(
        "{} of {events} absent ids pass the filters of {} runs; {:?}",
        passed.count(),
        runs.len(),
        now.elapsed()
    );
    drop(runs);
    let now = Instant::now();
    index.close().unwrap();
    println!("close {:?}; {}; {}", now.elapsed(), status("VmHWM"), cpu());
    let runs: Vec<_> = index
        .core
        .state()
        .runs
        .iter()
        .map(|run| run.info.events())
        .collect();
    println!(
        "{} bytes an event; runs {runs:?}",
        length(place) as f64 / events as f64
    );
    drop(index);
    let now = Instant::now();
    let (index, rebuilt) = disk::open(place, [1; 16], RunSize::default()).unwrap();
    println!("open {:?}, {rebuilt:?}", now.elapsed());
    let now = Instant::now();
    index.open_runs().unwrap();
    println!("open runs {:?}", now.elapsed());
    if asked.is_some() {
        let dropped = fs::write("/proc/sys/vm/drop_caches", "3");
        println!("the system's caches dropped: {}", dropped.is_ok());
    }
    for round in ["cold", "warm"] {
        let mut histories = Vec::new();
        let mut absences = Vec::new();
        let mut ids = Vec::new();
        for number in 0..events.min(2_000) {
            let number = mix(number) % events + 1;
            let some = subjects(number);
            let listing = Listing::subject(&some[0]);
            let now = Instant::now();
            let found = index.positions(&listing, Position(0), 50).unwrap();
            histories.push(now.elapsed());
            assert!(!found.is_empty());
            let absent = Listing::subject(&Subject::new(
                SubjectKind::Person,
                format_args!("{number:032x}"),
            ));
            let now = Instant::now();
            assert_eq!(index.count(&absent).unwrap().0, 0);
            absences.push(now.elapsed());
            let now = Instant::now();
            assert_eq!(index.position(id(number)).unwrap(), Some(Position(number)));
            ids.push(now.elapsed());
        }
        report(&format!("{round} history"), histories);
        report(&format!("{round} absent"), absences);
        report(&format!("{round} id"), ids);
    }
    println!("{}; {}", status("VmHWM"), status("VmRSS"));
}

#[test]
fn bench_of_reading_events() {
    let fact = |number: u64| {
        let fact = serde_json::json!({
            "kind": "SessionStarted",
            "occurred_at": "2024-03-11T09:31:00Z",
            "source": { "system": "portal", "record": format!("r-{number}") },
            "actor": { "kind": "Customer", "person": "jo.blake@contoso.example" },
            "data": {
                "session": format!("s-{number}"),
                "resource_tenant": format!("t{}.onmicrosoft.example", number % 500),
                "home_tenant": format!("t{}.onmicrosoft.example", number % 300),
                "principal": format!("p{}@contoso.example", number / 10),
                "license_id": format!("{:08}", number % 3_000),
                "auth": "Unknown"
            }
        });
        crate::event::json::read_fact(&fact, &mut crate::secret::PublicKeyring).unwrap()
    };
    let stored: Vec<_> = (1..=20_000)
        .map(|number| {
            let event = crate::event::Event {
                position: Position(number),
                recorded_at: crate::time::Timestamp::from_micros(0),
                fact: fact(number),
            };
            event.encode().unwrap()
        })
        .collect();
    let bytes: usize = stored.iter().map(Vec::len).sum();
    let rounds = if asked_events().is_some() { 20 } else { 1 };
    let each = |time: Duration| time / (rounds * stored.len() as u32);
    let now = busy();
    for _ in 0..rounds {
        for bytes in &stored {
            std::hint::black_box(crate::event::Event::decode(bytes).unwrap());
        }
    }
    let decoding = each(busy() - now);
    let events: Vec<_> = stored
        .iter()
        .map(|b| crate::event::Event::decode(b).unwrap())
        .collect();
    let now = busy();
    for _ in 0..rounds {
        for event in &events {
            std::hint::black_box(Entry::of(event));
        }
    }
    let entries = each(busy() - now);
    let names: usize = events
        .iter()
        .map(|event| Entry::of(event).names().count())
        .sum();
    let now = busy();
    for _ in 0..rounds {
        for event in &events {
            std::hint::black_box(event.encode_checked().unwrap());
        }
    }
    println!(
        "{} bytes and {} names an event; decoding {decoding:?}, entry {entries:?}, encoding {:?}",
        bytes / stored.len(),
        names as f64 / stored.len() as f64,
        each(busy() - now)
    );
}
