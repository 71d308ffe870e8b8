//! Attempts at a redemption that come to nothing.

use super::redemption::{self, Redemption};
use super::session::{self, Visitor};
use crate::simulate::cast::{MANAGER, Order};
use crate::simulate::outbox::System;
use crate::simulate::scene::Scene;

/// Somebody with the mail but without the role tries first.
pub fn no_role(s: &mut Scene<'_>, a: usize, order: &Order) {
    let visitor = Visitor::employee(s, MANAGER);
    attempt(s, a, order, &visitor, "NotAdministrator");
    s.wait_days(1, 3);
}

/// A key is mistyped, and the attempt given up.
pub fn mistyped(s: &mut Scene<'_>, a: usize, order: &Order) {
    let visitor = redemption::visitor(s, order);
    attempt(s, a, order, &visitor, "Invalid");
    s.wait_days(1, 3);
}

fn attempt(s: &mut Scene<'_>, a: usize, order: &Order, visitor: &Visitor, code: &str) {
    let tenant = s.who.tenant_id();
    let license_id = s.who.agreements[a].license_id.clone();
    let known = s.who.tenant.clone();
    let session = session::open(s, visitor, known.as_deref(), Some(&license_id));
    let id = s.out.id("rd");
    let r = Redemption {
        id: &id,
        session: &session,
        visitor,
        a,
        order,
        tenant: &tenant,
    };
    redemption::started(s, &r, "ManualEntry");
    let key = match code {
        "Invalid" => s.who.random.key(),
        _ => order
            .keys
            .first()
            .map(|line| line.key.clone())
            .unwrap_or_default(),
    };
    redemption::key_entered(s, &r, &key);
    s.out
        .fact("KeyRejected", s.now, System::PORTAL)
        .by(visitor.by())
        .with(&id)
        .data(|f| {
            f.text("redemption", &id)
                .text("key", &key)
                .text("code", code);
            f.text("tenant", &tenant).text("session", &session);
        });
    s.wait_minutes(1, 5);
    s.out
        .fact("RedemptionAbandoned", s.now, System::PORTAL)
        .by(visitor.by())
        .with(&id)
        .data(|f| {
            f.text("redemption", &id).text("last_step", "KeyEntered");
        });
    session::close(s, visitor, &session, "SignedOut");
}
