//! A tenant with very many seats: its counters are series of changes.

use super::Figures;
use crate::contender::open_store;
use crate::fault::{About, Outcome};
use crate::report::Site;
use ledger::event::{Fact, json::read_fact};
use ledger::id::{EventId, Position};
use ledger::secret::{PersonId, PublicKeyring};
use ledger::store::Known;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::stored::Views;
use projections::view::projection;
use projections::{Point, Seen};
use serde_json::json;
use std::fs;
use std::time::Instant;

const TENANT: &str = "manyseats.onmicrosoft.example";
const APPEND_EVENTS: u64 = 2_048;
const SECOND_MICROS: i64 = 1_000_000;

/// Assigns seats and takes every fifth back, and looks at the tenant at points in both times.
pub(super) fn run(site: &Site, seats: u64, figures: &mut Figures) -> Outcome<()> {
    let path = site.directory.join("views-seats");
    if path.exists() {
        fs::remove_dir_all(&path).about(&path)?;
    }
    let store = open_store("journal", &path)?;
    let given = template("LicensesAssigned")?;
    let taken = template("LicensesUnassigned")?;
    let mut number = 0;
    while number < seats {
        let last = (number + APPEND_EVENTS).min(seats);
        let facts = (number..last).map(|number| match number % 5 {
            4 => change(&taken, number, number - 4),
            _ => change(&given, number, number),
        });
        store.append(facts.collect(), &[], Known::Refuse)?;
        number = last;
    }
    let views = Views::open(&store)?;
    views.catch_up(&|_, _| {})?;
    views.settle()?;
    let subject = Subject::new(SubjectKind::Tenant, TENANT);
    let projection = projection(subject.kind).ok_or("tenants have no view")?;
    let source = views.source();
    let start = given.occurred_at.start.as_micros();
    let points = [(1, 1), (2, 1), (2, 2)].map(|(recorded, valid)| Point {
        as_of: Position(seats * recorded / 2),
        valid_at: Timestamp::from_micros(start + seats as i64 * SECOND_MICROS * valid / 2),
    });
    for point in points {
        let begun = Instant::now();
        let seen = Seen::new(&source, point);
        let view = projection
            .fold(&seen, &subject)
            .ok_or("the tenant has no view")?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        if let Some(error) = seen.trouble() {
            return Err(error.to_string().into());
        }
        let counted = point
            .as_of
            .0
            .min((point.valid_at.as_micros() - start) as u64 / 1_000_000 + 1);
        let expected = counted.min(seats) - 2 * (counted.min(seats) / 5);
        if view["assigned"].as_u64() != Some(expected) {
            return Err(format!("{} users instead of {expected}", view["assigned"]).into());
        }
        figures.add(&format!("tenant with {expected} users, ms"), took, 1);
    }
    drop(views);
    store.close()?;
    fs::remove_dir_all(&path).about(&path)?;
    Ok(())
}

fn template(kind: &str) -> Outcome<Fact> {
    let value = json!({
        "kind": kind,
        "occurred_at": "2024-01-01T00:00:00Z",
        "source": { "system": "bench" },
        "data": { "tenant": TENANT, "sku": "O365-E3", "users": ["somebody@contoso.example"] }
    });
    let fact = read_fact(&value, &mut PublicKeyring);
    Ok(fact.map_err(|error| format!("{}: {}", error.path.join("."), error.reason))?)
}

/// A seat of a user is given or taken, so many seconds later.
fn change(template: &Fact, number: u64, user: u64) -> Fact {
    use ledger::event::Payload;
    let mut fact = template.clone();
    let digest =
        |number: u64| u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    fact.id = EventId(digest(number).to_le_bytes());
    let start = fact.occurred_at.start.as_micros() + number as i64 * SECOND_MICROS;
    fact.occurred_at.start = Timestamp::from_micros(start);
    let who = PersonId(digest(user + 1_000_000_007).to_be_bytes());
    match &mut fact.payload {
        Payload::LicensesAssigned(given) => given.users.iter_mut().for_each(|user| user.id = who),
        Payload::LicensesUnassigned(taken) => taken.users.iter_mut().for_each(|user| user.id = who),
        _ => {}
    }
    fact
}
