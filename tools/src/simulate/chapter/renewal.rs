//! Later orders of an agreement: more seats, and another term.

use super::{agreement, choice, credit, licences, mail, month, order, place, subscription};
use crate::simulate::cast::{Key, Purpose, SeatState};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// Some more seats in the middle of a term.
pub fn add_seats(s: &mut Scene<'_>, a: usize) {
    let today = s.today();
    if s.who.agreements[a].credit {
        credit::top_up(s, a);
        return;
    }
    let live = s.who.subscriptions.iter().find(|sub| {
        // Close to the end of a term one renews instead.
        sub.agreement == a
            && order::has_office(sub.sku)
            && sub.closed.is_none()
            && today.plus_days(75) < sub.end
    });
    let Some((sku, seats)) = live.map(|sub| (sub.sku, sub.seats)) else {
        return;
    };
    if s.who.agreements[a].pending.is_some() {
        return;
    }
    let more = s.who.random.between(1, 2 + seats / 5);
    let key = s.who.random.key();
    order::place_order(s, a, Purpose::Add, vec![order::line(key, sku, more)]);
    announce(s, a);
}

/// The keys of a later order are issued; no mail is sent, because the agreement is activated.
fn announce(s: &mut Scene<'_>, a: usize) {
    s.wait_days(1, 2);
    order::issue_keys(s, a);
    mail::suppress(
        s,
        a,
        if s.who.agreements[a].open {
            "AlreadyActivated"
        } else {
            "AutoAssigned"
        },
    );
    s.then_in_days(1, 6, Step::Land(place(a)));
}

/// A later order of an agreement without keys: assigned without a choice (E2 b).
pub fn added(s: &mut Scene<'_>, a: usize) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    choice::reported_assigned(s, a, "AgreementActivated");
    let effects = subscription::apply(s, a, order.purpose, &order.keys);
    subscription::report(s, &effects, order.purpose, None);
    let landed = s.now;
    month::status_observed(s, a, &order.id, landed);
    s.who.agreements[a].pending = None;
    for effect in &effects {
        licences::assign(s, effect.index);
    }
}

/// Renews what an agreement has: by keys, or under a new number that follows the old one.
pub fn renew(s: &mut Scene<'_>, a: usize) {
    if s.who.agreements[a].pending.is_some() {
        s.then_in_days(3, 5, Step::Renew(place(a)));
        return;
    }
    let lines = lines(s, a);
    if lines.is_empty() {
        return;
    }
    if s.who.agreements[a].open {
        order::place_order(s, a, Purpose::Renew, lines);
        announce(s, a);
    } else {
        succeed(s, a, lines);
    }
}

/// One line for each subscription that is to go on, its seats a little more or fewer.
fn lines(s: &mut Scene<'_>, a: usize) -> Vec<Key> {
    let who = &mut *s.who;
    let reduced = who.story.episode == Episode::Reduced && a == 0;
    let mut lines = Vec::new();
    for sub in &who.subscriptions {
        if sub.agreement != a || sub.closed.is_some() {
            continue;
        }
        let seats = match who.random.below(10) {
            _ if reduced => sub.seats.div_ceil(2),
            0..=1 => sub.seats + who.random.between(1, 3),
            _ => sub.seats,
        };
        lines.push(order::line(who.random.key(), sub.sku, seats));
    }
    lines
}

/// The agreement is renewed under a new number; services of the same customer number are assigned
/// without a choice (E2 c), and the users move from the old subscriptions to the new ones.
fn succeed(s: &mut Scene<'_>, old: usize, lines: Vec<Key>) {
    let new = agreement::renew_as(s, old);
    s.wait_days(1, 3);
    order::place_order(s, new, Purpose::Begin, lines);
    s.wait_days(1, 2);
    mail::suppress(s, new, "AutoAssigned");
    s.wait_minutes(60, 600);
    let Some(order) = s.who.agreements[new].pending.clone() else {
        return;
    };
    choice::reported_assigned(s, new, "CustomerNumberAssigned");
    s.wait_minutes(1, 30);
    let effects = subscription::apply(s, new, Purpose::Begin, &order.keys);
    subscription::report(s, &effects, Purpose::Begin, None);
    let landed = s.now;
    month::status_observed(s, new, &order.id, landed);
    s.who.agreements[new].landed = true;
    s.who.agreements[new].pending = None;
    for effect in &effects {
        move_users(s, old, effect.index);
    }
}

fn move_users(s: &mut Scene<'_>, old: usize, index: usize) {
    let sku = s.who.subscriptions[index].sku;
    let former = s
        .who
        .subscriptions
        .iter()
        .position(|sub| sub.agreement == old && sub.sku == sku && sub.closed.is_none());
    let Some(former) = former else { return };
    let mut users: Vec<usize> = Vec::new();
    for seat in s
        .who
        .seats
        .iter_mut()
        .filter(|seat| seat.subscription == former)
    {
        seat.subscription = index;
        if seat.state == SeatState::Live {
            users.push(seat.user);
        }
    }
    users.sort_unstable();
    users.dedup();
    let who = &mut *s.who;
    let end = who.subscriptions[former].end;
    who.subscriptions[former].closed = Some(end);
    who.subscriptions[former].assigned = 0;
    who.subscriptions[index].assigned = place(users.len());
    if !order::has_office(sku) {
        licences::assign(s, index);
    }
    s.wait_minutes(10, 200);
    for batch in users.chunks(20) {
        licences::unassigned(s, former, batch);
        licences::assigned(s, index, batch);
    }
}
