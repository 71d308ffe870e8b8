//! Licences are assigned to users, taken away, and given back.

use super::{order, place};
use crate::simulate::cast::{ADMINISTRATOR, Person, Seat, SeatState};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// How many users one record names at most.
const BATCH_MAX: usize = 20;
/// How many machines the user of the sixth install has.
const MACHINES_OF_THE_BUSIEST: u32 = 6;

/// Assigns most of what is free of a subscription; Office goes onto machines in the next weeks.
pub fn assign(s: &mut Scene<'_>, index: usize) {
    let sub = &s.who.subscriptions[index];
    let office = order::has_office(sub.sku);
    let wanted = sub.seats - sub.seats / 8;
    let free = wanted.saturating_sub(sub.assigned) as usize;
    s.who.subscriptions[index].assigned += place(free);
    let users: Vec<usize> = match office {
        true => (0..free).map(|_| s.who.hire()).collect(),
        // An extra goes to people who work here already.
        false => (0..free).map(|nth| nth % s.who.people.len()).collect(),
    };
    s.wait_minutes(30, 600);
    for batch in users.chunks(BATCH_MAX) {
        assigned(s, index, batch);
    }
    if office {
        for user in users {
            machines(s, index, user);
        }
    }
}

fn machines(s: &mut Scene<'_>, index: usize, user: usize) {
    let busiest = s.who.seats.is_empty() && s.who.story.episode == Episode::SixthInstall;
    let count = match s.who.random.below(100) {
        _ if busiest => MACHINES_OF_THE_BUSIEST,
        0..=77 => 1,
        78..=95 => 2,
        _ => 3,
    };
    for nth in 0..count {
        let number = s.who.seats.len();
        let kind = s.who.random.pick(&["lt", "ws", "tab"]);
        s.who.seats.push(Seat {
            machine: format!("c{:05}-{kind}{number:04}", s.who.number),
            user,
            subscription: index,
            valid_until: s.now,
            key_last5: String::new(),
            state: SeatState::Live,
        });
        s.then_in_days(1 + nth * 5, 21 + nth * 12, Step::Install(place(number)));
    }
}

fn people<'a>(all: &'a [Person], which: &'a [usize]) -> impl Iterator<Item = &'a Person> {
    which.iter().map(|user| &all[*user])
}

/// Licences are assigned to users.
pub fn assigned(s: &mut Scene<'_>, index: usize, users: &[usize]) {
    say(s, "LicensesAssigned", index, users);
}

/// Licences are taken from users.
pub fn unassigned(s: &mut Scene<'_>, index: usize, users: &[usize]) {
    say(s, "LicensesUnassigned", index, users);
}

fn say(s: &mut Scene<'_>, kind: &'static str, index: usize, users: &[usize]) {
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let sub = &who.subscriptions[index];
    s.out
        .fact(kind, s.now, System::DIRECTORY)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).text("sku", sub.sku);
            f.text("subscription", &sub.id);
            f.people("users", people(&who.people, users));
        });
}

/// A user loses the subscription; half of them get it again some weeks later.
pub fn deprovision(s: &mut Scene<'_>, seat: usize) {
    let (user, index) = (s.who.seats[seat].user, s.who.seats[seat].subscription);
    for seat in s.who.seats.iter_mut().filter(|seat| seat.user == user) {
        if seat.state == SeatState::Live {
            seat.state = SeatState::Deprovisioned;
        }
    }
    s.who.subscriptions[index].assigned = s.who.subscriptions[index].assigned.saturating_sub(1);
    provisioning(s, "UserDeprovisioned", user, index);
    s.wait_minutes(0, 1);
    unassigned(s, index, &[user]);
    if s.who.random.chance(500) {
        s.then_in_days(15, 40, Step::Reprovision(place(user)));
    }
}

/// A user gets the subscription again, if it still serves.
pub fn reprovision(s: &mut Scene<'_>, user: usize) {
    let today = s.today();
    let held = s
        .who
        .seats
        .iter()
        .find(|seat| seat.user == user && seat.state == SeatState::Deprovisioned);
    let Some(index) = held.map(|seat| seat.subscription) else {
        return;
    };
    let sub = &mut s.who.subscriptions[index];
    if !sub.serves(today) || sub.assigned >= sub.seats {
        return;
    }
    sub.assigned += 1;
    for seat in s.who.seats.iter_mut().filter(|seat| seat.user == user) {
        if seat.state == SeatState::Deprovisioned {
            seat.state = SeatState::Live;
        }
    }
    assigned(s, index, &[user]);
    s.wait_minutes(0, 1);
    provisioning(s, "UserReprovisioned", user, index);
}

fn provisioning(s: &mut Scene<'_>, kind: &'static str, user: usize, index: usize) {
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    s.out
        .fact(kind, s.now, System::SUBSCRIPTIONS)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).person("user", &who.people[user]);
            f.text("sku", who.subscriptions[index].sku);
        });
}

/// Takes licences from users until no more are assigned than there are seats.
pub fn shrink(s: &mut Scene<'_>, index: usize) {
    loop {
        let sub = &s.who.subscriptions[index];
        if sub.assigned <= sub.seats {
            return;
        }
        let last = s
            .who
            .seats
            .iter()
            .rposition(|seat| seat.subscription == index && seat.state == SeatState::Live);
        let Some(last) = last else { return };
        deprovision(s, last);
        s.wait_minutes(0, 2);
    }
}
