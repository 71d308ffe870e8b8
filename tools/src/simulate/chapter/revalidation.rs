//! A machine contacts the service: revalidated most of the time, and what happens otherwise.

use super::install::{self, TTL_DAYS, told};
use super::place;
use crate::simulate::cast::SeatState;
use crate::simulate::outbox::System;
use crate::simulate::scene::{Scene, Step};

/// How long after the end of its validity a machine is still looked after, in days.
const GIVEN_UP_AFTER_DAYS: i64 = 40;

/// One contact of a machine.
pub fn revalidate(s: &mut Scene<'_>, index: usize) {
    let today = s.today();
    let seat = &s.who.seats[index];
    if seat.valid_until > s.now.plus_days(TTL_DAYS) {
        // It was set up again by a step that ran ahead of this one.
        let at = seat.valid_until.plus_days(-3);
        s.then(at, Step::Revalidate(place(index)));
        return;
    }
    let serves = s.who.subscriptions[seat.subscription].serves(today);
    match seat.state {
        SeatState::Gone => {}
        SeatState::Bumped => {
            failed(s, index, "Bumped");
            notified(s, index, "SignInNeeded");
            s.who.seats[index].state = SeatState::Gone;
        }
        SeatState::Deprovisioned => refused(s, index, "Deprovisioned"),
        SeatState::Live if !serves => refused(s, index, "Cancelled"),
        SeatState::Live => in_order(s, index),
    }
}

/// Nothing stands against the seat; now and then something does go wrong on the machine.
fn in_order(s: &mut Scene<'_>, index: usize) {
    match s.who.random.below(1000) {
        0..=19 => offline(s, index),
        20..=24 => clock(s, index),
        25..=28 => component_missing(s, index),
        29..=32 => service(s, index),
        33..=37 => authentication(s, index),
        38..=43 => reset(s, index),
        _ => succeeds(s, index),
    }
}

fn succeeds(s: &mut Scene<'_>, index: usize) {
    let before = s.who.seats[index].valid_until;
    let after = s.now.plus_days(TTL_DAYS);
    let subscription = s.who.subscriptions[s.who.seats[index].subscription]
        .id
        .clone();
    told(s, index, "SeatRevalidated", 0, System::AGENT, |f| {
        f.text("subscription", &subscription);
        f.instant("valid_until_before", before);
        f.instant("valid_until", after);
    });
    s.who.seats[index].valid_until = after;
    install::next_contact(s, index);
}

/// No connection: the machine comes back within days, or after its validity in extended grace.
fn offline(s: &mut Scene<'_>, index: usize) {
    failed(s, index, "Offline");
    s.now = s
        .now
        .plus_minutes(i64::from(s.who.random.between(2 * 1440, 25 * 1440)));
    if s.now > s.who.seats[index].valid_until {
        install::with_user(s, index, "UserPrompted", 0, System::AGENT);
        notified(s, index, "CannotConnect");
        observed(s, index, "ExtendedGrace");
        s.now = s.now.plus_minutes(25);
    }
    succeeds(s, index);
}

fn clock(s: &mut Scene<'_>, index: usize) {
    let days = i64::from(s.who.random.between(2, 45));
    let offset = if s.who.random.chance(500) {
        -days
    } else {
        days
    } * 86_400;
    told(s, index, "ClockSkewObserved", 0, System::AGENT, |f| {
        f.number("offset_seconds", offset);
    });
    failed(s, index, "Clock");
    s.wait_minutes(60, 1440);
    succeeds(s, index);
}

fn component_missing(s: &mut Scene<'_>, index: usize) {
    failed(s, index, "ComponentMissing");
    s.wait_minutes(60, 1440);
    told(s, index, "AgentStarted", 0, System::AGENT, |_| {});
    install::with_user(s, index, "NotifierStarted", 1, System::AGENT);
    s.wait_minutes(2, 10);
    succeeds(s, index);
}

fn service(s: &mut Scene<'_>, index: usize) {
    failed(s, index, "Service");
    s.wait_minutes(60, 600);
    succeeds(s, index);
}

fn authentication(s: &mut Scene<'_>, index: usize) {
    failed(s, index, "Authentication");
    notified(s, index, "SignInNeeded");
    s.wait_minutes(10, 600);
    install::sign_in(s, index, 0);
    s.wait_minutes(2, 10);
    succeeds(s, index);
}

/// The licence is removed with a tool and set up again.
fn reset(s: &mut Scene<'_>, index: usize) {
    let tool = s
        .who
        .random
        .pick(&["OsauiReactivate", "OsppRemoveKey", "VnextdiagRemove"]);
    set_up_again(s, index, tool);
    install::next_contact(s, index);
}

/// The licence is removed with a tool, the user signs in, and the seat is licensed anew.
pub fn set_up_again(s: &mut Scene<'_>, index: usize, tool: &str) {
    told(s, index, "SeatReset", 0, System::AGENT, |f| {
        f.text("tool", tool);
    });
    install::sign_in(s, index, 4);
    install::issue_key(s, index, 6);
    s.now = s.now.plus_minutes(7);
    install::license(s, index);
}

/// The service refuses. The machine tries again for as long as anybody looks after it.
fn refused(s: &mut Scene<'_>, index: usize, cause: &str) {
    failed(s, index, cause);
    let over = s.who.seats[index].valid_until;
    if s.now > over.plus_days(30) {
        notified(s, index, "ReducedFunctionality");
        observed(s, index, "Notifications");
    } else {
        notified(s, index, "SubscriptionExpired");
        observed(s, index, "ExtendedGrace");
    }
    if s.now > over.plus_days(GIVEN_UP_AFTER_DAYS) {
        s.who.seats[index].state = SeatState::Gone;
        return;
    }
    let minutes = i64::from(s.who.random.between(20 * 1440, 28 * 1440));
    let at = s.now.plus_minutes(minutes);
    s.then(at, Step::Revalidate(place(index)));
}

fn failed(s: &mut Scene<'_>, index: usize, cause: &str) {
    told(s, index, "RevalidationFailed", 0, System::AGENT, |f| {
        f.text("cause", cause);
    });
}

fn notified(s: &mut Scene<'_>, index: usize, condition: &str) {
    let user = s.who.people[s.who.seats[index].user].clone();
    told(s, index, "UserNotified", 1, System::AGENT, |f| {
        f.person("user", &user).text("condition", condition);
    });
}

/// A tool prints the state of the licence; the newer one says the tenant as well.
pub fn observed(s: &mut Scene<'_>, index: usize, state: &str) {
    let newer = s.who.random.chance(300);
    let system = if newer {
        System::VNEXTDIAG
    } else {
        System::OSPP
    };
    let tool = if newer { "vnextdiag" } else { "ospp.vbs" };
    let seat = &s.who.seats[index];
    let minutes = (seat.valid_until.as_micros() - s.now.as_micros()) / 60_000_000;
    let (last5, user) = (seat.key_last5.clone(), s.who.people[seat.user].clone());
    let tenant = s.who.tenant.clone().filter(|_| newer);
    told(s, index, "LicenseStateObserved", 2, system, |f| {
        f.person("user", &user).maybe("tenant", tenant.as_deref());
        f.text(
            "product",
            "Office 15, OfficeO365ProPlusR_Subscription1 edition",
        );
        f.text("description", "Office 15, TIMEBASED_SUB channel");
        f.text("state", state);
        match state {
            "Licensed" => {
                f.number("remaining_minutes", minutes.max(0));
            }
            "Notifications" => {
                f.text("error_code", "0xC004F009");
            }
            _ => {}
        }
        f.text("machine_key_last5", &last5).text("tool", tool);
    });
}
