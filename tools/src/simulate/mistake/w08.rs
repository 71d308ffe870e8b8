//! W8, a key is tried or redeemed in two tenants: mostly its owner is looking for it.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::redemption::{self, Redemption};
use crate::simulate::chapter::session::{self, Visitor};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::System;
use crate::simulate::scene::Scene;
use crate::simulate::cast::Order;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 8,
    name: "one key, two tenants",
    wrong: &[
        Act {
            name: "the owner tries a key that was redeemed elsewhere",
            also: &[2, 3, 4, 5, 9],
            play: |stage| in_two_tenants(stage, false),
            needs: tried,
        },
        Act {
            name: "the key is redeemed a second time in the right tenant",
            also: &[2, 3, 4, 5, 9],
            play: |stage| in_two_tenants(stage, true),
            needs: redeemed_twice,
        },
    ],
    alike: &[Act {
        name: "the same person tries again in the same tenant",
        also: &[],
        play: again_in_the_same,
        needs: |_, _| Vec::new(),
    }],
};

fn in_two_tenants(stage: &mut Stage<'_>, succeeds: bool) -> Option<Told> {
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
        let wrong = set::redeem(s, a, &way)?;
        session::close(s, &visitor, &session, "AfterAgreement");
        s.wait_days(3, 12);
        let mut beside = Vec::new();
        if succeeds {
            let at_home = Visitor::administrator(s);
            let own = s.who.tenant_id();
            let session = set::session(s, a, &at_home, &own, "Interactive");
            s.who.agreements[a].pending = Some(order);
            let way = Way {
                visitor: &at_home,
                session: &session,
                tenant: &own,
                flow: "ManualEntry",
            };
            beside.push((set::redeem(s, a, &way)?, &[8][..]));
        } else {
            refused(s, a, &order);
        }
        Some(Told {
            subject: wrong,
            beside,
        })
    })
}

fn again_in_the_same(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let order = set::pending(s, a)?;
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        session::close(s, &visitor, &session, "Timeout");
        s.wait_minutes(2, 20);
        refused(s, a, &order);
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

/// The administrator tries the keys at home: they were used already.
fn refused(s: &mut Scene<'_>, a: usize, order: &Order) {
    let visitor = Visitor::administrator(s);
    let tenant = s.who.tenant_id();
    let session = set::session(s, a, &visitor, &tenant, "Interactive");
    let id = s.out.id("rd");
    let r = Redemption {
        id: &id,
        session: &session,
        visitor: &visitor,
        a,
        order,
        tenant: &tenant,
    };
    redemption::started(s, &r, "ManualEntry");
    for line in &order.keys {
        redemption::key_entered(s, &r, &line.key);
        s.out
            .fact("KeyRejected", s.now, System::PORTAL)
            .by(visitor.by())
            .with(&id)
            .data(|f| {
                f.text("redemption", &id).text("key", &line.key);
                f.text("code", "AlreadyUsed").text("tenant", &tenant);
                f.text("session", &session);
            });
    }
    s.wait_minutes(1, 4);
    session::close(s, &visitor, &session, "SignedOut");
}

fn keys<'l>(lines: &'l Lines, about: &'l Subject) -> impl Iterator<Item = &'l str> {
    let landing = lines.landing(about);
    let keys = landing.and_then(|landing| landing["keys"].as_array());
    keys.into_iter()
        .flatten()
        .filter_map(|key| key["key"].as_str())
}

fn tried(lines: &Lines, about: &Subject) -> Vec<Need> {
    let mut keys = keys(lines, about);
    let refused = keys.any(|key| {
        let fields = [("key", key), ("code", "AlreadyUsed")];
        let mut tries = lines.all("KeyRejected", &fields);
        tries.any(|event| event["data"]["tenant"] != about.tenant.as_str())
    });
    vec![
        lines.landed(about),
        need("the attempt in another tenant", refused),
    ]
}

fn redeemed_twice(lines: &Lines, about: &Subject) -> Vec<Need> {
    let own: Vec<&str> = keys(lines, about).collect();
    let twice = lines.all("KeysRedeemed", &[]).any(|event| {
        let data = &event["data"];
        let keys = data["keys"].as_array().into_iter().flatten();
        let mut keys = keys.filter_map(|key| key["key"].as_str());
        data["tenant"] != about.tenant.as_str() && keys.any(|key| own.contains(&key))
    });
    vec![
        lines.landed(about),
        need("the redemption in another tenant", twice),
    ]
}
