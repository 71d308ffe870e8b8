//! W23, seats are left behind: a landing was compensated, and users still hold its seats.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::Mistake as Landed;
use crate::simulate::chapter::{cases, reissue};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::System;
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 23,
    name: "seats left behind after a compensation",
    wrong: &[Act {
        name: "six weeks after the reversal users still hold licences there",
        also: &[2, 3, 4, 5, 7],
        play: |stage| reversed(stage, 45, false),
        needs,
    }],
    alike: &[
        Act {
            name: "the licences are taken away within two weeks",
            also: &[2, 3, 4, 5, 7],
            play: |stage| reversed(stage, 45, true),
            needs: |_, _| Vec::new(),
        },
        Act {
            name: "seen a week after the reversal, and taken away afterwards",
            also: &[2, 3, 4, 5, 7],
            play: |stage| reversed(stage, 7, true),
            needs: |_, _| Vec::new(),
        },
    ],
};

/// A landing astray is used, reversed and reissued; then the tenant's counters are looked at.
fn reversed(stage: &mut Stage<'_>, seen_after_days: u32, cleared: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let visitor = set::administers(s, &other);
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let order = set::pending(s, a)?;
        let session = set::session(s, a, &visitor, &other.tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &other.tenant,
            flow: "Prepopulated",
        };
        let mut about = set::redeem(s, a, &way)?;
        set::used(s, a, &other.tenant);
        let sub = s.who.subscriptions.iter().rposition(|sub| sub.agreement == a)?;
        let users = set::holders(s, a).into_iter().flat_map(|(_, users)| users);
        let users: Vec<usize> = users.collect();
        s.wait_days(4, 9);
        let right = s.who.tenant_id();
        let tenants = Some((other.tenant.as_str(), right.as_str()));
        let case = cases::open_about(s, "Reissue", &[a], None, tenants);
        let landed = Landed {
            tenant: other.tenant.clone(),
            customer: other.customer.clone(),
            administrator: other.administrator.clone(),
            redemption: about.redemption.clone(),
            subscriptions: vec![(
                s.who.subscriptions[sub].id.clone(),
                s.who.subscriptions[sub].seats,
            )],
            users: Vec::new(),
            order: order.clone(),
        };
        reissue::reversed(s, a, &case, &landed);
        let keys = reissue::reissued(s, a, &case, &landed);
        let today = s.today();
        s.who.subscriptions[sub].closed = Some(today);
        let reversal = s.now;
        redeemed_again(s, a, order, keys)?;
        s.now = reversal;
        let (seats, consumed) = (s.who.subscriptions[sub].sku, users.len());
        if seen_after_days < 14 {
            s.wait_days(seen_after_days, seen_after_days);
            counted(s, sub, &other.tenant, seats, consumed);
        }
        if cleared {
            s.wait_days(3, 5);
            set::inside(s, &other.tenant, |s| {
                crate::simulate::chapter::licences::unassigned(s, sub, &users);
            });
        }
        if seen_after_days >= 14 {
            s.wait_days(seen_after_days, seen_after_days + 5);
            let left = if cleared { 0 } else { consumed };
            counted(s, sub, &other.tenant, seats, left);
        }
        about.case = Some(case);
        Some(Told::only(about))
    })
}

fn redeemed_again(
    s: &mut Scene<'_>,
    a: usize,
    order: crate::simulate::cast::Order,
    keys: Vec<crate::simulate::cast::Key>,
) -> Option<()> {
    s.who.agreements[a].pending = Some(crate::simulate::cast::Order { keys, ..order });
    s.wait_days(1, 2);
    let visitor = crate::simulate::chapter::session::Visitor::administrator(s);
    let tenant = s.who.tenant_id();
    let session = set::session(s, a, &visitor, &tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant: &tenant,
        flow: "ManualEntry",
    };
    set::redeem(s, a, &way)?;
    Some(())
}

/// A portal shows how many seats are assigned of those that are gone.
fn counted(s: &mut Scene<'_>, sub: usize, tenant: &str, sku: &str, consumed: usize) {
    let subscription = &s.who.subscriptions[sub].id;
    let consumed = u32::try_from(consumed).unwrap_or(0);
    s.out
        .fact("SubscriptionObserved", s.now, System::ADMIN)
        .data(|f| {
            f.text("tenant", tenant).text("sku", sku);
            f.text("subscription", subscription);
            f.number("enabled", 0).number("warning", 0);
            f.number("suspended", 0).number("consumed", consumed);
        });
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redemption = about.redemption.as_deref().unwrap_or_default();
    let tenant = about.tenant.as_str();
    let held = lines.all("SubscriptionObserved", &[("tenant", tenant)]).any(|event| {
        let data = &event["data"];
        data["consumed"].as_u64() > data["enabled"].as_u64()
    });
    vec![
        need(
            "the reversal",
            lines.has("RedemptionReversed", &[("redemption", redemption)]),
        ),
        need(
            "the assignments",
            lines.has("LicensesAssigned", &[("tenant", tenant)]),
        ),
        need("the counters", held),
    ]
}
