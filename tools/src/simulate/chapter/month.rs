//! What comes back every month: portals and tools are looked at, and small things change.

use super::session::{self, Visitor};
use super::{agreement, cases, licences, registration, revalidation, subscription};
use crate::simulate::cast::SeatState;
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use ledger::time::Timestamp;

/// How many customers go by between two whose month brings a record of an import.
const IMPORTS_EVERY: u32 = 50;

/// The look of one month.
pub fn look(s: &mut Scene<'_>) {
    s.then_in_days(28, 34, Step::Month);
    if s.who.number.is_multiple_of(IMPORTS_EVERY) {
        imported(s);
    }
    // Before there is a tenant, or while a landing is in dispute, there is nothing to look at.
    if s.who.tenant.is_none() || s.who.mistake.is_some() {
        return;
    }
    counters(s);
    seats_observed(s);
    for _ in 0..s.who.random.between(1, 3) {
        administrator_looks(s);
    }
    if s.who.random.chance(250) {
        registration::observe_tenant(s, "Unknown");
    }
    if s.who.random.chance(220) {
        somebody_leaves(s);
    }
    fill_and_shrink(s);
    if s.who.random.chance(40) {
        somebody_takes_over(s);
    }
    if s.who.random.chance(50) {
        cases::harmless(s);
    }
}

/// Portals show the counters of every subscription; now and then a figure is revised.
fn counters(s: &mut Scene<'_>) {
    let today = s.today();
    let tenant = s.who.tenant_id();
    for index in 0..s.who.subscriptions.len() {
        let revised = s.who.random.chance(10);
        let sub = &s.who.subscriptions[index];
        if sub.closed.is_some() || today > sub.end.plus_days(sub.grace_days + 60) {
            continue;
        }
        let owner = &s.channel.resellers[s.who.reseller].tenant;
        let (enabled, warning, suspended) = match sub {
            _ if today <= sub.end => (sub.seats, 0, 0),
            _ if sub.serves(today) => (0, sub.seats, 0),
            _ => (0, 0, sub.seats),
        };
        let by_partner = s.who.delegated;
        let mut show = |consumed: u32, minutes: i64, corrects: Option<u64>| {
            let at = s.now.plus_minutes(minutes);
            let mut draft = s.out.fact("SubscriptionObserved", at, System::ADMIN);
            draft = draft.by(subscription::in_tenant(&tenant));
            if let Some(record) = corrects {
                draft = draft.corrects(record);
            }
            draft.data(|f| {
                f.text("tenant", &tenant).text("sku", sub.sku);
                f.text("subscription", &sub.id).number("enabled", enabled);
                f.number("warning", warning).number("suspended", suspended);
                f.number("consumed", consumed)
                    .date("next_lifecycle", sub.end.plus_days(1));
                f.maybe("owner_tenant", Some(owner.as_str()).filter(|_| by_partner));
            })
        };
        if revised {
            let first = show(sub.assigned.saturating_sub(1), 0, None);
            show(sub.assigned, 200, Some(first));
        } else {
            show(sub.assigned, 0, None);
        }
    }
}

/// Tools are run on some machines.
fn seats_observed(s: &mut Scene<'_>) {
    for index in 0..s.who.seats.len() {
        let seat = &s.who.seats[index];
        let licensed = seat.state == SeatState::Live && seat.valid_until > s.now;
        if licensed && !seat.key_last5.is_empty() && s.who.random.chance(60) {
            revalidation::observed(s, index, "Licensed");
        }
    }
}

fn administrator_looks(s: &mut Scene<'_>) {
    s.wait_minutes(5, 4000);
    let visitor = match s.who.delegated && s.who.random.chance(300) {
        true => Visitor::technician(s),
        false => Visitor::administrator(s),
    };
    let tenant = s.who.tenant_id();
    let session = session::open(s, &visitor, Some(&tenant), None);
    subscriptions_reviewed(s, &visitor, &session);
    session::close(s, &visitor, &session, "SignedOut");
}

/// Somebody looks at the subscriptions of the tenant.
pub fn subscriptions_reviewed(s: &mut Scene<'_>, visitor: &Visitor, session: &str) {
    let today = s.today();
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let shown = who.subscriptions.iter().filter(|sub| sub.serves(today));
    s.out
        .fact("SubscriptionsReviewed", s.now, System::ADMIN)
        .by(visitor.by())
        .data(|f| {
            f.text("tenant", &tenant).text("session", session);
            f.person("person", &visitor.person);
            f.texts("subscriptions", shown.map(|sub| sub.id.as_str()));
        });
}

/// Portals show the status of an activation: not yet, then activated within a day (R16).
pub fn status_observed(s: &mut Scene<'_>, a: usize, order: &str, landed: Timestamp) {
    let most = s.out.noise().status_lag_minutes_max;
    let lag = i64::from(s.who.random.between(60, most));
    let tenant = s.who.tenant_id();
    let license_id = &s.who.agreements[a].license_id;
    for (status, at) in [
        ("NotActivated", landed.plus_minutes(lag / 3)),
        ("Activated", landed.plus_minutes(lag)),
    ] {
        s.out
            .fact("ActivationStatusObserved", at, System::ADMIN)
            .by(subscription::in_tenant(&tenant))
            .data(|f| {
                f.text("license_id", license_id).text("order", order);
                f.text("status", status);
            });
    }
}

fn somebody_leaves(s: &mut Scene<'_>) {
    let count = super::place(s.who.seats.len());
    if count == 0 {
        return;
    }
    let chosen = s.who.random.below(count) as usize;
    let today = s.today();
    let seat = &s.who.seats[chosen];
    if seat.state == SeatState::Live && s.who.subscriptions[seat.subscription].serves(today) {
        licences::deprovision(s, chosen);
    }
}

/// Free seats go to new people; where there are too few, some people lose theirs.
fn fill_and_shrink(s: &mut Scene<'_>) {
    let today = s.today();
    for index in 0..s.who.subscriptions.len() {
        let sub = &s.who.subscriptions[index];
        if sub.closed.is_some() || today > sub.end {
            continue;
        }
        if sub.assigned > sub.seats {
            licences::shrink(s, index);
        } else if sub.assigned < sub.seats - sub.seats / 8 {
            licences::assign(s, index);
        }
    }
}

fn somebody_takes_over(s: &mut Scene<'_>) {
    let settled = s
        .who
        .agreements
        .iter()
        .position(|a| a.landed && a.pending.is_none());
    let Some(a) = settled else { return };
    let via = s
        .who
        .random
        .pick(&["ChangeRequestForm", "Partner", "Support"]);
    agreement::contact_changed(s, a, via);
}

/// An importer takes in the files of a month and keeps what it could not read.
fn imported(s: &mut Scene<'_>) {
    let random = &mut s.who.random;
    let (read, known) = (random.between(800, 9000), random.between(0, 400));
    let digest = random.hex(64);
    let record = random.hex(64);
    let name = format!("export-{}.jsonl", s.now.date());
    s.out
        .fact("ImportRecorded", s.now, System::IMPORTER)
        .by(By::SERVICE)
        .data(|f| {
            f.records("files", [()], |f, ()| {
                f.text("name", &name).text("digest", &digest);
            });
            f.number("read", read).number("appended", read - known - 1);
            f.number("known", known)
                .number("refused", 1)
                .text("importer", "jsonl");
        });
    s.out
        .fact("SourceRecordKept", s.now, System::IMPORTER)
        .by(By::SERVICE)
        .data(|f| {
            f.text("format", "audit-log").text("digest", &record);
            f.text("reason", "no event kind fits the operation");
        });
}
