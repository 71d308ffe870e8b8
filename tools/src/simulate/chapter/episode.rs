//! Episodes that stand alone: what happens to a customer besides its orders.

use super::registration;
use crate::simulate::cast::{ADMINISTRATOR, MANAGER};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// Plays the customer's episode, if it is one of these and it is time.
pub fn play(s: &mut Scene<'_>) {
    let landed = s.who.agreements.first().is_some_and(|a| a.landed);
    if !landed || s.who.tenant.is_none() {
        s.then_in_days(20, 30, Step::Episode);
        return;
    }
    match s.who.story.episode {
        Episode::Merger => merger(s),
        Episode::Handover => handover(s),
        Episode::Reservation => reservation(s),
        Episode::Dismissed => dismissed(s),
        _ => {}
    }
}

/// The customer becomes one with another; its domain is taken out of its tenant and put back under
/// its new name.
fn merger(s: &mut Scene<'_>) {
    let draw = s.who.random.below(1000);
    let Some(other) = s.neighbours.other_than(&s.who.id, draw) else {
        return;
    };
    let today = s.now.date();
    let id = &s.who.id;
    s.out
        .fact("CustomersRelated", s.now, System::REGISTER)
        .by(By::VENDOR)
        .data(|f| {
            f.text("customer", &other.customer).text("related", id);
            f.text("relation", "ParentOf").date("from", today);
        });
    s.wait_days(5, 20);
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    s.out
        .fact("DomainRemoved", s.now, System::DIRECTORY)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).text("domain", &who.domain);
        });
    s.who.domain = format!("group-{}", s.who.domain);
    s.wait_minutes(20, 200);
    registration::domain_verified(s);
}

/// The reseller loses its delegation; the manager's roles end with a second one coming in.
fn handover(s: &mut Scene<'_>) {
    if !s.who.delegated {
        s.who.delegated = true;
        registration::delegate(s);
        s.wait_days(10, 40);
    }
    s.who.delegated = false;
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let (administrator, manager) = (&who.people[ADMINISTRATOR], &who.people[MANAGER]);
    let by = By::customer(administrator, Some(&tenant));
    let partner = &s.channel.resellers[who.reseller];
    s.out
        .fact("DelegatedAdminRevoked", s.now, System::DIRECTORY)
        .by(by)
        .data(|f| {
            f.text("tenant", &tenant)
                .text("partner_tenant", &partner.tenant);
        });
    for (kind, minutes) in [("TenantRoleAssigned", 30), ("TenantRoleRemoved", 20_000)] {
        let at = s.now.plus_minutes(minutes);
        s.out.fact(kind, at, System::DIRECTORY).by(by).data(|f| {
            f.text("tenant", &tenant).person("user", manager);
            f.text("role", "UserAdministrator");
        });
    }
    let Some(agreement) = who.agreements.first() else {
        return;
    };
    for (kind, minutes) in [("VlRoleAssigned", 40), ("VlRoleRemoved", 20_010)] {
        let at = s.now.plus_minutes(minutes);
        s.out.fact(kind, at, System::ADMIN).by(by).data(|f| {
            f.text("license_id", &agreement.license_id)
                .person("user", manager);
            f.text("role", "LicensePositionReader")
                .person("by", administrator);
        });
    }
}

/// Licences are reserved for later; the second reservation is cancelled in time (P33).
fn reservation(s: &mut Scene<'_>) {
    let usage = s.today().plus_days(30);
    for cancelled in [false, true] {
        let order = s.out.id("RES");
        let seats = s.who.random.between(2, 9);
        let tenant = s.who.tenant_id();
        let who = &*s.who;
        let Some(agreement) = who.agreements.first() else {
            return;
        };
        let by = By::customer(&who.people[MANAGER], Some(&tenant));
        s.out
            .fact("ReservationPlaced", s.now, System::ORDERS)
            .by(by)
            .data(|f| {
                f.text("order", &order)
                    .text("license_id", &agreement.license_id);
                f.text("sku", "O365-E1").number("seats", seats);
                f.date("usage_date", usage);
            });
        if cancelled {
            let at = usage.start().plus_days(-9);
            s.out
                .fact("ReservationCancelled", at, System::ORDERS)
                .by(by)
                .data(|f| {
                    f.text("order", &order);
                });
        }
        s.wait_days(1, 4);
    }
}

/// A finding turned out to be none.
fn dismissed(s: &mut Scene<'_>) {
    let (finding, digest) = (s.out.id("F"), s.who.random.hex(32));
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let by = &who.people[MANAGER];
    s.out
        .fact("FindingDismissed", s.now, System::REVIEW)
        .by(By::customer(by, Some(&tenant)))
        .data(|f| {
            f.text("finding", &finding).text("evidence_digest", &digest);
            f.person("by", by);
            f.text(
                "reason",
                "The administrator works for both companies of the group.",
            );
        });
}
