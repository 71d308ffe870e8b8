//! Following a store that grows: batches of 256 events, and an event that arrives late.

use super::Figures;
use crate::contender::open_store;
use crate::data::read::Feed;
use crate::fault::{About, Outcome};
use crate::report::{Site, part_of};
use ledger::event::{Fact, json::read_fact};
use ledger::secret::PublicKeyring;
use ledger::store::{Known, Store};
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::stored::Views;
use projections::view::projection;
use serde_json::json;
use std::fs;
use std::time::Instant;

/// What the store has before.
const BEFORE_EVENTS: usize = 400_000;
const BATCH_EVENTS: usize = 256;
const BATCHES: usize = 400;

/// Grows a store, and takes in what it has.
pub(super) fn run(site: &Site, figures: &mut Figures) -> Outcome<()> {
    let path = site.directory.join("views-live");
    if path.exists() {
        fs::remove_dir_all(&path).about(&path)?;
    }
    let store = open_store("journal", &path)?;
    let feed = Feed::once(&site.data)?;
    let mut appended = 0;
    while let Some(block) = feed.block()?.filter(|_| appended < BEFORE_EVENTS) {
        let facts: Outcome<Vec<Fact>> = block.events().map(|event| Ok(event?.fact)).collect();
        appended += block.stored().len();
        store.append(facts?, &[], Known::Skip)?;
    }
    let views = Views::open(&store)?;
    views.catch_up(&|_, _| {})?;
    views.settle()?;
    let mut waits = Vec::new();
    let mut events = 0;
    for _ in 0..BATCHES {
        let Some(block) = feed.block()? else {
            break;
        };
        let facts: Outcome<Vec<Fact>> = block.events().map(|event| Ok(event?.fact)).collect();
        let facts = facts?;
        let count = facts.len().min(BATCH_EVENTS);
        store.append(facts, &[], Known::Skip)?;
        let start = Instant::now();
        views.catch_up(&|_, _| {})?;
        waits.push(start.elapsed().as_secs_f64() * 1e6 / count as f64);
        events += count;
    }
    let mean = waits.iter().sum::<f64>() / waits.len().max(1) as f64;
    waits.sort_by(f64::total_cmp);
    figures.add("taken in, batches of 256: events", events as f64, 0);
    figures.add("us an event, mean", mean, 2);
    figures.add(
        "us an event, slowest batch of 100",
        part_of(&waits, 0.99),
        2,
    );
    for length in [10, 100, 1_000, 10_000] {
        late(&store, &views, length, figures)?;
    }
    drop(views);
    store.close()?;
    fs::remove_dir_all(&path).about(&path)?;
    Ok(())
}

/// A machine is seen again on a day of its own.
fn seen_again(machine: &str, day: usize) -> Outcome<Fact> {
    let month = day / 28 % 12 + 1;
    let year = 1990 + day / 336;
    let of_month = day % 28 + 1;
    let value = json!({
        "kind": "AgentStarted",
        "occurred_at": format!("{year:04}-{month:02}-{of_month:02}T08:00:00Z"),
        "source": { "system": "bench", "record": format!("{machine} {day}") },
        "data": { "machine": machine }
    });
    let fact = read_fact(&value, &mut PublicKeyring);
    Ok(fact.map_err(|error| format!("{}: {}", error.path.join("."), error.reason))?)
}

/// An event that comes before all others of a subject that has so many.
fn late(store: &Store, views: &Views, length: usize, figures: &mut Figures) -> Outcome<()> {
    let machine = format!("B{length}");
    let mut subject = None;
    let facts: Outcome<Vec<Fact>> = (1..=length).map(|day| seen_again(&machine, day)).collect();
    for part in facts?.chunks(BATCH_EVENTS) {
        store.append(part.to_vec(), &[], Known::Refuse)?;
        let subjects = part[0].subjects().into_iter();
        subject = subjects.into_iter().find(|s| s.kind == SubjectKind::Seat);
    }
    views.catch_up(&|_, _| {})?;
    let subject: Subject = subject.ok_or("the event names no machine")?;
    let projection = projection(subject.kind).ok_or("seats have no view")?;
    store.append(vec![seen_again(&machine, 0)?], &[], Known::Refuse)?;
    let start = Instant::now();
    views.catch_up(&|_, _| {})?;
    let source = views.source();
    let seen = Seen::new(&source, super::now(store)?);
    let shown = (projection.view)(&seen, &subject).is_some();
    let late = start.elapsed().as_secs_f64() * 1e3;
    if !shown && length > 0 {
        return Err(format!("{subject} has no view").into());
    }
    figures.add(
        &format!("late event and view, {length} before, ms"),
        late,
        3,
    );
    Ok(())
}
