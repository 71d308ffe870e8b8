//! W15, the right tenant and the wrong subscription.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Key, Purpose};
use crate::simulate::chapter::mail;
use crate::simulate::chapter::redemption::{self, Redemption};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::subscription::in_tenant;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::System;
use crate::simulate::scene::Scene;

/// How long before today the first term began, in days: it ends within 90 days (W15).
const TERM_BEGAN_DAYS: i64 = 370;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 15,
    name: "landed in a wrong subscription of the right tenant",
    wrong: &[
        Act {
            name: "a renewal begins a subscription of its own",
            also: &[],
            play: |stage| renewal(stage, Line::TheSame, None),
            needs: a_live_one_ends_soon,
        },
        Act {
            name: "the keys take effect as another product than was ordered",
            also: &[],
            play: |stage| renewal(stage, Line::TheSame, Some("O365-BUSINESS")),
            needs: another_product,
        },
        Act {
            name: "the keys are added to the subscription of another plan (P7)",
            also: &[],
            play: added_to_another_plan,
            needs: another_product,
        },
    ],
    alike: &[Act {
        name: "the plan is changed on purpose",
        also: &[],
        play: |stage| renewal(stage, Line::AnotherPlan, None),
        needs: |_, _| Vec::new(),
    }],
};

#[derive(Clone, Copy)]
enum Line {
    TheSame,
    AnotherPlan,
}

/// An order near the end of a term whose keys begin a new subscription.
fn renewal(stage: &mut Stage<'_>, line: Line, becomes: Option<&'static str>) -> Option<Told> {
    stage.goes_back(TERM_BEGAN_DAYS);
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let live = s.who.subscriptions.first()?.clone();
        // Forty to seventy days before the end.
        let days = s.who.random.between(40, 70);
        s.now = s.now.max(live.end.plus_days(-i64::from(days)).start());
        let sku = match line {
            Line::TheSame => live.sku,
            Line::AnotherPlan => "O365-MIDSIZE",
        };
        let key = Key {
            key: s.who.random.key(),
            sku,
            seats: live.seats,
            credit: 0,
        };
        stage::ordered(s, 0, Purpose::Renew, vec![key], false);
        mail::suppress(s, 0, "AlreadyActivated");
        s.wait_days(1, 4);
        begins_anew(s, becomes.unwrap_or(sku)).map(Told::only)
    })
}

/// Keys of one plan grow the subscription of another one.
fn added_to_another_plan(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let live = s.who.subscriptions.first()?.clone();
        let plan = match live.sku {
            "O365-E3" => "O365-PROPLUS",
            _ => "O365-E3",
        };
        let key = Key {
            key: s.who.random.key(),
            sku: plan,
            seats: s.who.random.between(4, 9),
            credit: 0,
        };
        stage::ordered(s, 0, Purpose::Add, vec![key], false);
        mail::suppress(s, 0, "AlreadyActivated");
        s.wait_days(1, 4);
        // The window adds to what there is, whatever the keys are for.
        s.who.agreements[0].pending.as_mut()?.keys.first_mut()?.sku = live.sku;
        let visitor = Visitor::administrator(s);
        let session = set::session(s, 0, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Keyless",
        };
        set::redeem(s, 0, &way).map(Told::only)
    })
}

fn begins_anew(s: &mut Scene<'_>, sku: &'static str) -> Option<Subject> {
    let order = set::pending(s, 0)?;
    let tenant = s.who.tenant_id();
    let mut about = set::subject(s, 0, &tenant);
    let visitor = Visitor::administrator(s);
    let session = set::session(s, 0, &visitor, &tenant, "Interactive");
    let id = s.out.id("rd");
    let r = Redemption {
        id: &id,
        session: &session,
        visitor: &visitor,
        a: 0,
        order: &order,
        tenant: &tenant,
    };
    redemption::started(s, &r, "Prepopulated");
    redemption::keys_entered(s, &r);
    let end = s.today().plus_months(12, s.today().day_of_month());
    let subscription = s.out.id("sub");
    let line = Key {
        sku,
        ..order.keys.first()?.clone()
    };
    let effects = [redemption::seen_new(&subscription, &line, end)];
    redemption::redeemed(s, &r, "NewSubscription", &["end_on_anniversary"], &effects);
    s.wait_minutes(1, 9);
    let license_id = &s.who.agreements[0].license_id;
    s.out
        .fact("SubscriptionStarted", s.now, System::ADMIN)
        .by(in_tenant(&tenant))
        .data(|f| {
            f.text("subscription", &subscription).text("tenant", &tenant);
            f.text("sku", sku).text("license_id", license_id);
            f.text("redemption", &id).number("seats", line.seats);
            f.date("end", end);
        });
    redemption::finish(s, &r);
    about.redemption = Some(id);
    about.session = Some(session);
    Some(about)
}

fn effect<'l>(lines: &'l Lines, about: &Subject) -> Option<&'l serde_json::Value> {
    lines.landing(about)?["effects"].as_array()?.first()
}

fn a_live_one_ends_soon(lines: &Lines, about: &Subject) -> Vec<Need> {
    let effect = effect(lines, about);
    let sku = effect.and_then(|effect| effect["sku"].as_str());
    let new = effect.and_then(|effect| effect["subscription"].as_str());
    let fields = [
        ("tenant", about.tenant.as_str()),
        ("sku", sku.unwrap_or_default()),
    ];
    let mut started = lines.all("SubscriptionStarted", &fields);
    let live = started.any(|event| event["data"]["subscription"].as_str() != new);
    vec![
        lines.landed(about),
        need("the subscription that should have been renewed", live),
    ]
}

fn another_product(lines: &Lines, about: &Subject) -> Vec<Need> {
    let sku = effect(lines, about).and_then(|effect| effect["sku"].as_str());
    let order = about.order.as_deref().unwrap_or_default();
    let ordered = lines.data("OrderPlaced", &[("order", order)]);
    let ordered = ordered.and_then(|order| order["lines"][0]["sku"].as_str());
    vec![
        lines.landed(about),
        need(
            "what was ordered",
            ordered.is_some() && sku.is_some() && ordered != sku,
        ),
    ]
}
