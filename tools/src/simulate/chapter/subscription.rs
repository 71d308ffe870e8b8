//! Subscriptions: what an order does to them, and how their terms end.

use super::{order, place};
use crate::simulate::cast::{Key, Purpose, Subscription};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;
use ledger::time::Date;

/// How long an Open subscription stays in grace (E7).
const GRACE_OPEN_DAYS: i64 = 30;
/// How long an Enterprise subscription stays in grace (E7).
const GRACE_ENTERPRISE_DAYS: i64 = 90;
/// How long an Open subscription stays disabled.
const DISABLED_OPEN_DAYS: i64 = 90;
/// How long an Enterprise subscription stays disabled.
const DISABLED_ENTERPRISE_DAYS: i64 = 60;

/// What an order did to one subscription.
pub struct Effect {
    /// Which one, in the customer's list.
    pub index: usize,
    /// Its seats before; absent for a new one.
    pub seats_before: Option<u32>,
    /// Its last day before; absent for a new one.
    pub end_before: Option<Date>,
    /// Whether it was disabled until then.
    pub was_disabled: bool,
}

/// Does to the customer's subscriptions what an order is meant to do, on a day. An agreement without
/// keys ends with its agreement, one with keys twelve months after it began (E7).
pub fn apply(s: &mut Scene<'_>, a: usize, purpose: Purpose, lines: &[Key]) -> Vec<Effect> {
    let mut effects: Vec<Effect> = Vec::new();
    for line in lines {
        let known = s
            .who
            .subscriptions
            .iter()
            .position(|sub| sub.agreement == a && sub.sku == line.sku && sub.closed.is_none());
        let known = known.filter(|index| s.can_be_renewed(*index));
        match known {
            None => effects.push(begin(s, a, line)),
            Some(index) if effects.iter().any(|effect| effect.index == index) => {
                s.who.subscriptions[index].seats += line.seats;
            }
            Some(index) => effects.push(change(s, index, purpose, line.seats)),
        }
    }
    for effect in &effects {
        let end = s.who.subscriptions[effect.index].end;
        if effect.end_before != Some(end) {
            plan_term(s, effect.index);
        }
    }
    effects
}

impl Scene<'_> {
    fn can_be_renewed(&self, index: usize) -> bool {
        let sub = &self.who.subscriptions[index];
        self.today() <= sub.end.plus_days(sub.grace_days + DISABLED_ENTERPRISE_DAYS)
    }
}

fn begin(s: &mut Scene<'_>, a: usize, line: &Key) -> Effect {
    let today = s.today();
    let agreement = &s.who.agreements[a];
    let (end, grace_days) = match agreement.open {
        true => (today.plus_months(12, today.day_of_month()), GRACE_OPEN_DAYS),
        false => (agreement.end, GRACE_ENTERPRISE_DAYS),
    };
    let id = s.out.id("sub");
    s.who.subscriptions.push(Subscription {
        id,
        agreement: a,
        sku: line.sku,
        seats: line.seats,
        assigned: 0,
        end,
        anchor_day: end.day_of_month(),
        grace_days,
        closed: None,
    });
    Effect {
        index: s.who.subscriptions.len() - 1,
        seats_before: None,
        end_before: None,
        was_disabled: false,
    }
}

fn change(s: &mut Scene<'_>, index: usize, purpose: Purpose, seats: u32) -> Effect {
    let today = s.today();
    let sub = &mut s.who.subscriptions[index];
    let was_disabled = today > sub.end.plus_days(sub.grace_days);
    let effect = Effect {
        index,
        seats_before: Some(sub.seats),
        end_before: Some(sub.end),
        was_disabled,
    };
    match purpose {
        Purpose::Begin | Purpose::Add => sub.seats += seats,
        Purpose::Renew if was_disabled => {
            sub.seats = seats;
            sub.anchor_day = today.day_of_month();
            sub.end = today.plus_months(12, sub.anchor_day);
        }
        Purpose::Renew => {
            sub.seats = seats;
            sub.end = sub.end.plus_months(12, sub.anchor_day);
        }
    }
    effect
}

/// Reports what became of subscriptions: begun, renewed, reactivated, grown or shrunk.
pub fn report(s: &mut Scene<'_>, effects: &[Effect], purpose: Purpose, redemption: Option<&str>) {
    s.wait_minutes(1, 10);
    let tenant = s.who.tenant_id();
    for effect in effects {
        let who = &*s.who;
        let sub = &who.subscriptions[effect.index];
        let license_id = &who.agreements[sub.agreement].license_id;
        let kind = match (effect.seats_before, purpose) {
            (None, _) => "SubscriptionStarted",
            (_, Purpose::Renew) if effect.was_disabled => "SubscriptionReactivated",
            (_, Purpose::Renew) => "SubscriptionRenewed",
            (_, Purpose::Begin | Purpose::Add) => "SeatsAdded",
        };
        let before = effect.seats_before.unwrap_or(0);
        s.out
            .fact(kind, s.now, System::ADMIN)
            .by(in_tenant(&tenant))
            .data(|f| {
                f.text("subscription", &sub.id);
                match kind {
                    "SubscriptionStarted" => {
                        f.text("tenant", &tenant).text("sku", sub.sku);
                        f.text("license_id", license_id)
                            .maybe("redemption", redemption);
                        f.number("seats", sub.seats).date("end", sub.end);
                    }
                    "SubscriptionRenewed" => {
                        f.number("seats", sub.seats).date("end", sub.end);
                        f.maybe("redemption", redemption);
                    }
                    "SubscriptionReactivated" => {
                        f.date("end", sub.end);
                    }
                    _ => {
                        f.number("added", sub.seats - before)
                            .maybe("redemption", redemption);
                    }
                }
            });
        if purpose == Purpose::Renew && sub.seats < before {
            s.out
                .fact("SeatsReduced", s.now, System::ADMIN)
                .by(in_tenant(&tenant))
                .data(|f| {
                    f.text("subscription", &sub.id)
                        .number("removed", before - sub.seats);
                });
        }
    }
}

/// A service that acts in a tenant.
pub fn in_tenant(tenant: &str) -> By<'_> {
    By {
        home_tenant: Some(tenant),
        ..By::SERVICE
    }
}

fn plan_term(s: &mut Scene<'_>, index: usize) {
    let sub = &s.who.subscriptions[index];
    let (end, a, suite) = (sub.end, sub.agreement, order::has_office(sub.sku));
    let after = s.office_hours(end.plus_days(1));
    s.then(after, Step::TermEnds(place(index)));
    if !suite {
        return;
    }
    let episode = match a {
        0 if !s.who.episode_over => s.who.story.episode,
        _ => Episode::Plain,
    };
    if episode == Episode::Ended {
        s.then_in_days(60, 150, Step::Cancel(place(index)));
        return;
    }
    let days = match episode {
        Episode::Lapsed => return,
        Episode::RenewedLate => i64::from(s.who.random.between(3, 15)),
        Episode::RenewedVeryLate => i64::from(s.who.random.between(45, 70)),
        _ => -i64::from(s.who.random.between(14, 45)),
    };
    let at = s.office_hours(end.plus_days(days));
    s.then(at, Step::Renew(place(a)));
}

/// A term is over: if the subscription was not renewed, a portal reports that its grace began.
pub fn term_ends(s: &mut Scene<'_>, index: usize) {
    let sub = &s.who.subscriptions[index];
    if s.today() <= sub.end || sub.closed.is_some_and(|day| day < sub.end) {
        return;
    }
    let after = sub.end.plus_days(sub.grace_days + 1);
    ended(s, index, "SubscriptionExpired");
    let after = s.office_hours(after);
    s.then(after, Step::GraceEnds(place(index)));
}

/// The grace is over: if the subscription was not renewed, it is disabled.
pub fn grace_ends(s: &mut Scene<'_>, index: usize) {
    let sub = &s.who.subscriptions[index];
    if s.today() <= sub.end.plus_days(sub.grace_days) {
        return;
    }
    let disabled = match s.who.agreements[sub.agreement].open {
        true => DISABLED_OPEN_DAYS,
        false => DISABLED_ENTERPRISE_DAYS,
    };
    let after = sub.end.plus_days(sub.grace_days + disabled + 1);
    ended(s, index, "SubscriptionDisabled");
    let after = s.office_hours(after);
    s.then(after, Step::Deletion(place(index)));
}

/// Nobody renewed in time: the subscription is deleted for ever.
pub fn deleted(s: &mut Scene<'_>, index: usize) {
    let sub = &mut s.who.subscriptions[index];
    let today = s.now.date();
    if today <= sub.end.plus_days(sub.grace_days) && sub.closed.is_none() {
        return;
    }
    sub.closed = Some(sub.closed.unwrap_or(today));
    ended(s, index, "SubscriptionDeleted");
}

/// The customer cancels in the middle of a term: disabled without grace (P13), deleted later.
pub fn cancelled(s: &mut Scene<'_>, index: usize) {
    s.who.subscriptions[index].closed = Some(s.today());
    ended(s, index, "SubscriptionCancelled");
    s.then_in_days(90, 92, Step::Deletion(place(index)));
}

fn ended(s: &mut Scene<'_>, index: usize, kind: &'static str) {
    let tenant = s.who.tenant_id();
    let sub = &s.who.subscriptions[index];
    s.out
        .fact(kind, s.now, System::ADMIN)
        .by(in_tenant(&tenant))
        .data(|f| {
            f.text("subscription", &sub.id);
        });
}
