//! Keys are redeemed at the portal, from the window that opens to the counters that follow.

use super::session::{self, Visitor};
use super::subscription::{self, Effect};
use super::{choice, credit, licences, mail, month, place, refusal, registration, trial};
use crate::simulate::cast::{Key, Order, Purpose};
use crate::simulate::outbox::System;
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;
use ledger::time::Date;

/// A redemption under way.
pub struct Redemption<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its session.
    pub session: &'a str,
    /// Who redeems.
    pub visitor: &'a Visitor,
    /// Under which agreement.
    pub a: usize,
    /// What is redeemed.
    pub order: &'a Order,
    /// In which tenant; a new one has no name until it is made.
    pub tenant: &'a str,
}

/// What a source saw of one subscription.
pub struct Seen {
    subscription: String,
    sku: &'static str,
    seats: (Option<u32>, u32),
    end: (Option<Date>, Date),
}

/// Redeems the keys of an agreement's pending order in the right tenant.
pub fn redeem(s: &mut Scene<'_>, a: usize, episode: Episode) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    if episode == Episode::NoRole {
        refusal::no_role(s, a, &order);
    }
    if episode == Episode::Abandoned {
        refusal::mistyped(s, a, &order);
    }
    let mut visitor = visitor(s, &order);
    let license_id = s.who.agreements[a].license_id.clone();
    let is_new = s.who.tenant.is_none();
    let flow = flow(s, is_new);
    let tenant = s.who.tenant.clone();
    let session = session::open(s, &visitor, tenant.as_deref(), Some(&license_id));
    if order.mail.is_some() {
        mail::open_link(s, a, &session, visitor.by());
    }
    if is_new {
        choice::make_tenant(s, a, &session, &mut visitor, "SetupBusiness");
        registration::domain_verified(s);
    }
    let tenant = s.who.tenant_id();
    let id = s.out.id("rd");
    let redemption = Redemption {
        id: &id,
        session: &session,
        visitor: &visitor,
        a,
        order: &order,
        tenant: &tenant,
    };
    started(s, &redemption, flow);
    keys_entered(s, &redemption);
    asked(s, &redemption);
    settle(s, &redemption, episode);
    session::close(s, &visitor, &session, "AfterAgreement");
    if is_new {
        registration::delegate(s);
        registration::meet(s);
    }
}

/// Who redeems an order: whoever the mail was forwarded to.
pub fn visitor(s: &Scene<'_>, order: &Order) -> Visitor {
    match order.by_reseller {
        true => Visitor::technician(s),
        false => Visitor::administrator(s),
    }
}

/// The flows of the time: handled keys until the portals changed in November 2014 (R19).
fn flow(s: &mut Scene<'_>, is_new: bool) -> &'static str {
    let keyless_since = Date::new(2014, 11, 17);
    let before = keyless_since.is_some_and(|day| s.today() < day);
    match s.who.random.below(10) {
        _ if is_new => "Setupbusiness",
        0 => "ManualEntry",
        1 if before => "Unknown",
        _ if before => "DualRedemption",
        2..=5 => "Keyless",
        _ => "Prepopulated",
    }
}

/// The window is opened and the right person confirmed.
pub fn started(s: &mut Scene<'_>, r: &Redemption<'_>, flow: &str) {
    let agreement = &s.who.agreements[r.a];
    let entry = match (flow, &r.order.mail, agreement.credit) {
        ("Unknown", ..) => "Unknown",
        ("Setupbusiness", None, _) => "PublicPage",
        (_, Some(_), _) => "EmailLink",
        (_, _, true) => "AzureKeysTab",
        _ => "Contracts",
    };
    s.out
        .fact("RedemptionStarted", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("redemption", r.id)
                .text("license_id", &agreement.license_id);
            f.text("order", &r.order.id).text("session", r.session);
            f.text("flow", flow).text("entry", entry);
        });
    s.wait_minutes(0, 1);
    let agreement = &s.who.agreements[r.a];
    s.out
        .fact("ConfirmationGiven", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("session", r.session).text("redemption", r.id);
            f.text("license_id", &agreement.license_id);
        });
    s.wait_minutes(0, 2);
}

/// The keys are entered, or stand in the window already; seats are shown.
pub fn keys_entered(s: &mut Scene<'_>, r: &Redemption<'_>) {
    for line in &r.order.keys {
        key_entered(s, r, &line.key);
    }
    let seats: u32 = r.order.keys.iter().map(|line| line.seats).sum();
    s.out
        .fact("RedemptionReviewed", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("redemption", r.id);
            if seats > 0 {
                f.number("shown_seats", seats);
            }
        });
    s.wait_minutes(0, 2);
    s.out
        .fact("RedemptionSubmitted", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("redemption", r.id);
        });
    s.wait_minutes(0, 1);
}

/// One key is entered.
pub fn key_entered(s: &mut Scene<'_>, r: &Redemption<'_>, key: &str) {
    s.out
        .fact("KeyEntered", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("redemption", r.id)
                .text("key", key)
                .text("tenant", r.tenant);
        });
    s.wait_minutes(0, 1);
}

/// Where there are subscriptions already, they are shown and the mode is asked.
fn asked(s: &mut Scene<'_>, r: &Redemption<'_>) {
    let today = s.today();
    let shown = s.who.subscriptions.iter().filter(|sub| sub.serves(today));
    let shown: Vec<_> = shown
        .map(|sub| (sub.id.clone(), sub.seats, sub.end))
        .collect();
    if shown.is_empty() && !s.who.agreements[r.a].credit {
        return;
    }
    if !shown.is_empty() {
        s.out
            .fact("ExistingSubscriptionsShown", s.now, System::PORTAL)
            .by(r.visitor.by())
            .with(r.id)
            .data(|f| {
                f.text("redemption", r.id);
                f.records("shown", &shown, |f, (id, seats, end)| {
                    f.text("subscription", id)
                        .number("seats", *seats)
                        .date("end", *end);
                });
            });
        s.wait_minutes(0, 2);
    }
    let mode = mode(s, r);
    s.out
        .fact("RedemptionModeChosen", s.now, System::PORTAL)
        .by(r.visitor.by())
        .with(r.id)
        .data(|f| {
            f.text("redemption", r.id).text("mode", mode);
        });
    s.wait_minutes(0, 1);
}

fn mode(s: &Scene<'_>, r: &Redemption<'_>) -> &'static str {
    let credit = s.who.agreements[r.a].credit;
    match (r.order.purpose, credit) {
        (Purpose::Begin, true) => "AzureNew",
        (_, true) => "AzureTopUp",
        (Purpose::Begin, false) => "NewSubscription",
        (Purpose::Add, false) => "AddKeepEnd",
        (Purpose::Renew, false) => "RenewPlus12",
    }
}

/// The keys take effect in the right tenant.
fn settle(s: &mut Scene<'_>, r: &Redemption<'_>, episode: Episode) {
    let purpose = r.order.purpose;
    let mode = mode(s, r);
    if s.who.agreements[r.a].credit {
        redeemed(s, r, mode, &["end_on_anniversary"], &[]);
        credit::activated(s, r);
        finish(s, r);
        return;
    }
    let effects = subscription::apply(s, r.a, purpose, &r.order.keys);
    let mut seen: Vec<Seen> = effects.iter().map(|effect| seen(s, effect)).collect();
    let diverges = s.who.story.episode == Episode::Diverged
        && purpose == Purpose::Renew
        && !s.who.episode_over;
    if diverges {
        // The portal counts from the redemption, although the rule counts from the end.
        let wrong = s.today().plus_months(12, s.today().day_of_month());
        seen.iter_mut().for_each(|seen| seen.end.1 = wrong);
    }
    let disabled = effects.iter().any(|effect| effect.was_disabled);
    redeemed(s, r, mode, policies(purpose, disabled), &seen);
    subscription::report(s, &effects, purpose, Some(r.id));
    if diverges {
        s.who.episode_over = true;
        super::cases::diverged(s, r, &effects, seen.first().map(|seen| seen.end.1));
    }
    if !s.who.agreements[r.a].landed {
        choice::bound(s, r.a, "Redemption", Some(r.session), Some(r.id));
    }
    finish(s, r);
    for effect in &effects {
        licences::assign(s, effect.index);
    }
    if purpose == Purpose::Begin && s.who.random.chance(350) && episode != Episode::Ended {
        s.then_in_days(60, 220, Step::AddSeats(place(r.a)));
    }
    trial::now_and_then(s);
}

/// The policies that decide what keys do.
fn policies(purpose: Purpose, disabled: bool) -> &'static [&'static str] {
    match purpose {
        Purpose::Begin => &["end_on_anniversary"],
        Purpose::Add => &["end_on_anniversary", "AddKeepEnd"],
        Purpose::Renew if disabled => &[
            "end_on_anniversary",
            "RenewFromRedemption",
            "renew_sets_seats",
        ],
        Purpose::Renew => &["end_on_anniversary", "RenewFromEnd", "renew_sets_seats"],
    }
}

/// The keys take effect in the tenant that the customer is thought to have at the moment, and
/// nothing follows from it.
pub fn lands(s: &mut Scene<'_>, r: &Redemption<'_>) {
    let mode = mode(s, r);
    if s.who.agreements[r.a].credit {
        redeemed(s, r, mode, &["end_on_anniversary"], &[]);
        credit::activated(s, r);
    } else {
        let effects = subscription::apply(s, r.a, r.order.purpose, &r.order.keys);
        let seen: Vec<Seen> = effects.iter().map(|effect| seen(s, effect)).collect();
        let disabled = effects.iter().any(|effect| effect.was_disabled);
        redeemed(s, r, mode, policies(r.order.purpose, disabled), &seen);
        subscription::report(s, &effects, r.order.purpose, Some(r.id));
        if !s.who.agreements[r.a].landed {
            choice::bound(s, r.a, "Redemption", Some(r.session), Some(r.id));
        }
    }
    finish(s, r);
}

/// Somebody looks at what came of it, the portal's status follows, and nothing is pending any more.
pub fn finish(s: &mut Scene<'_>, r: &Redemption<'_>) {
    let visitor = r.visitor;
    month::subscriptions_reviewed(s, visitor, r.session);
    let landed = s.now;
    month::status_observed(s, r.a, &r.order.id, landed);
    let agreement = &mut s.who.agreements[r.a];
    agreement.landed = true;
    agreement.pending = None;
}

fn seen(s: &Scene<'_>, effect: &Effect) -> Seen {
    let sub = &s.who.subscriptions[effect.index];
    Seen {
        subscription: sub.id.clone(),
        sku: sub.sku,
        seats: (effect.seats_before, sub.seats),
        end: (effect.end_before, sub.end),
    }
}

/// The outcome of a redemption that begins a subscription of its own.
pub fn seen_new(subscription: &str, line: &Key, end: Date) -> Seen {
    Seen {
        subscription: subscription.to_owned(),
        sku: line.sku,
        seats: (None, line.seats),
        end: (None, end),
    }
}

/// The keys are redeemed.
pub fn redeemed(
    s: &mut Scene<'_>,
    r: &Redemption<'_>,
    mode: &str,
    policies: &[&'static str],
    effects: &[Seen],
) {
    let agreement = &s.who.agreements[r.a];
    s.out
        .fact("KeysRedeemed", s.now, System::ADMIN)
        .by(r.visitor.by())
        .with(r.id)
        .policies(policies)
        .data(|f| {
            f.text("redemption", r.id)
                .text("license_id", &agreement.license_id);
            f.text("order", &r.order.id).text("tenant", r.tenant);
            f.text("session", r.session)
                .person("redeemer", &r.visitor.person);
            f.records("keys", &r.order.keys, |f, line| {
                f.text("key", &line.key);
                if line.seats > 0 {
                    f.number("seats", line.seats);
                }
            });
            f.text("mode", mode);
            f.records("effects", effects, |f, seen| {
                f.text("subscription", &seen.subscription)
                    .text("sku", seen.sku);
                if let Some(before) = seen.seats.0 {
                    f.number("seats_before", before);
                }
                f.number("seats_after", seen.seats.1);
                f.maybe_date("end_before", seen.end.0)
                    .date("end_after", seen.end.1);
            });
        });
    s.wait_minutes(0, 1);
}
