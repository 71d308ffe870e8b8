//! Trials: kept by signing in, left behind by signing up, or run out.

use super::registration;
use super::subscription::Effect;
use crate::simulate::cast::{ADMINISTRATOR, PRIMARY_CONTACT};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// How long a trial lasts, and how long its data is kept afterwards (R11).
const TRIAL_DAYS: i64 = 30;

/// A customer without anything opens a trial, and with it its first tenant.
pub fn first(s: &mut Scene<'_>) {
    let tenant = s.who.initial_domain();
    let who = &*s.who;
    s.out
        .fact("TenantCreated", s.now, System::DIRECTORY)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).text("initial_domain", &tenant);
            f.text("company", &who.name).text("country", who.country);
            f.text("created_via", "Trial");
        });
    s.who.tenant = Some(tenant);
    s.wait_minutes(1, 5);
    registration::becomes_administrator(s);
    registration::delegate(s);
    started(s, 25);
}

/// A customer with a tenant tries something else, now and then; it runs out.
pub fn now_and_then(s: &mut Scene<'_>) {
    let staged = s.who.story.episode == Episode::Staged;
    if staged || s.who.trial.is_some() || !s.who.random.chance(120) {
        return;
    }
    s.wait_days(3, 60);
    started(s, 5);
    s.now = s.now.plus_days(TRIAL_DAYS);
    s.then_in_days(1, 2, Step::TrialEnds);
}

fn started(s: &mut Scene<'_>, seats: u32) {
    let subscription = s.out.id("trial");
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let ends = s.now.date().plus_days(TRIAL_DAYS);
    let contact = &who.people[PRIMARY_CONTACT];
    s.out
        .fact("TrialStarted", s.now, System::ADMIN)
        .by(By::customer(contact, Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant)
                .text("subscription", &subscription);
            f.text("customer", &who.id).person("contact", contact);
            f.text("sku", "O365-E3-TRIAL")
                .number("seats", seats)
                .date("ends", ends);
        });
    s.who.trial = Some((subscription, tenant));
}

/// The trial becomes the first subscription of an agreement, with its data.
pub fn converted(s: &mut Scene<'_>, a: usize, effects: &[Effect]) {
    let Some((subscription, tenant)) = s.who.trial.take() else {
        return;
    };
    let Some(first) = effects.first() else { return };
    let who = &mut *s.who;
    let sub = &mut who.subscriptions[first.index];
    sub.id.clone_from(&subscription);
    let (sub, license_id) = (&*sub, &who.agreements[a].license_id);
    s.out
        .fact("TrialConverted", s.now, System::ADMIN)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant)
                .text("subscription", &subscription);
            f.text("license_id", license_id).flag("retain", true);
            f.number("seats", sub.seats).date("end", sub.end);
        });
}

/// The trial is left behind for a new tenant; its data is deleted in time.
pub fn abandoned(s: &mut Scene<'_>) {
    s.wait_minutes(30, 400);
    say(s, "TrialAbandoned");
    s.then_in_days(24, 30, Step::TrialEnds);
}

/// The trial ends; the customer is told before data is deleted.
pub fn ends(s: &mut Scene<'_>) {
    say(s, "TrialExpired");
    s.wait_days(1, 6);
    let delete_on = s.today().plus_days(TRIAL_DAYS);
    if let Some((subscription, tenant)) = &s.who.trial {
        s.out
            .fact("TrialDeletionAdvised", s.now, System::MAIL)
            .by(By::SERVICE)
            .data(|f| {
                f.text("tenant", tenant).text("subscription", subscription);
                f.date("delete_on", delete_on);
            });
    }
    let at = s.office_hours(delete_on);
    s.then(at, Step::TrialDeleted);
}

/// The trial's data is deleted.
pub fn deleted(s: &mut Scene<'_>) {
    say(s, "TrialDataDeleted");
}

fn say(s: &mut Scene<'_>, kind: &'static str) {
    let Some((subscription, tenant)) = &s.who.trial else {
        return;
    };
    s.out
        .fact(kind, s.now, System::ADMIN)
        .by(By::SERVICE)
        .data(|f| {
            f.text("tenant", tenant).text("subscription", subscription);
        });
}
