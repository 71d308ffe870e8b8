//! A customer becomes known, with the tenant that it has already.

use super::{agreement, channel, place, trial};
use crate::simulate::cast::{ADMINISTRATOR, Customer, Neighbour, Partner};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::{Episode, Origin};

/// Registers the customer, signs its first agreement and plans what comes regularly.
pub fn join(s: &mut Scene<'_>) {
    register(s);
    let origin = s.who.story.origin;
    match origin {
        Origin::OpenExisting | Origin::ExistingPaid | Origin::Automatic => has_tenant(s),
        Origin::OpenPartner => {
            has_tenant(s);
            is_partner(s);
        }
        Origin::Bypass => {
            has_tenant(s);
            was_never_activated(s);
        }
        Origin::TrialRetain | Origin::TrialFresh => {
            s.wait_minutes(30, 600);
            trial::first(s);
        }
        Origin::OpenSetup | Origin::New => {}
    }
    s.wait_days(1, 4);
    let first = agreement::sign(s, origin.is_open(), false);
    s.then_in_days(2, 9, Step::FirstOrder(place(first)));
    if s.who.random.chance(650) {
        s.then_in_days(40, 200, Step::Sign);
    }
    if s.who.random.chance(250) {
        s.then_in_days(90, 300, Step::Sign);
    }
    if matches!(
        s.who.story.episode,
        Episode::Credit | Episode::CreditForfeited
    ) {
        s.then_in_days(15, 30, Step::Sign);
    }
    s.then_in_days(28, 34, Step::Month);
    s.then_in_days(50, 80, Step::Episode);
}

/// The register of customers names the customer.
pub fn register(s: &mut Scene<'_>) {
    let who = &*s.who;
    s.out
        .fact("CustomerRegistered", s.now, System::REGISTER)
        .by(By::VENDOR)
        .data(|f| {
            f.text("customer", &who.id);
            f.texts("names", [who.name.as_str()]);
            f.texts("pcns", [who.pcn.as_str()]);
            f.texts("verified_domains", [who.domain.as_str()]);
            f.text("country", who.country);
        });
}

/// The customer has a tenant already.
pub fn has_tenant(s: &mut Scene<'_>) {
    s.who.tenant = Some(s.who.initial_domain());
    s.wait_minutes(5, 300);
    observe_tenant(s, "Purchase");
    becomes_administrator(s);
    domain_verified(s);
    delegate(s);
    meet(s);
}

/// The directory describes the customer's tenant.
pub fn observe_tenant(s: &mut Scene<'_>, created_via: &str) {
    let (who, tenant) = (&*s.who, s.who.tenant_id());
    s.out
        .fact("TenantObserved", s.now, System::DIRECTORY)
        .data(|f| {
            f.text("tenant", &tenant).text("initial_domain", &tenant);
            f.texts("domains", [who.domain.as_str()]);
            f.text("name", &who.name).text("country", who.country);
            f.text("cloud", "Public").text("created_via", created_via);
            f.text("owner", &who.id);
        });
}

/// The administrator gets the role in the customer's tenant.
pub fn becomes_administrator(s: &mut Scene<'_>) {
    let (who, tenant) = (&*s.who, s.who.tenant_id());
    let administrator = &who.people[ADMINISTRATOR];
    s.out
        .fact("TenantRoleAssigned", s.now, System::DIRECTORY)
        .by(By::customer(administrator, Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).person("user", administrator);
            f.text("role", "GlobalAdministrator");
        });
}

/// The customer's domain is verified in its tenant.
pub fn domain_verified(s: &mut Scene<'_>) {
    let (who, tenant) = (&*s.who, s.who.tenant_id());
    s.out
        .fact("DomainVerified", s.now, System::DIRECTORY)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).text("domain", &who.domain);
        });
}

/// The reseller may administer the customer's tenant, where the customer wants that.
pub fn delegate(s: &mut Scene<'_>) {
    let (who, tenant) = (&*s.who, s.who.tenant_id());
    if !who.delegated {
        return;
    }
    let partner = &s.channel.resellers[who.reseller];
    s.out
        .fact("DelegatedAdminGranted", s.now, System::DIRECTORY)
        .by(By::customer(&who.people[ADMINISTRATOR], Some(&tenant)))
        .data(|f| {
            f.text("tenant", &tenant).text("partner", &partner.id);
            f.text("partner_tenant", &partner.tenant);
            f.texts("roles", ["GlobalAdministrator"])
                .text("kind", "Delegated");
        });
}

/// Other stories can see the customer from now on.
pub fn meet(s: &mut Scene<'_>) {
    s.neighbours.meet(Neighbour {
        customer: s.who.id.clone(),
        tenant: s.who.tenant_id(),
        administrator: s.who.people[ADMINISTRATOR].clone(),
        name: s.who.name.clone(),
        is_partner: s.who.story.origin == Origin::OpenPartner,
        country: s.who.country,
    });
}

/// The customer is a reseller itself and buys for its own use.
pub fn is_partner(s: &mut Scene<'_>) {
    let Customer {
        id,
        name,
        domain,
        people,
        ..
    } = &*s.who;
    let partner = Partner {
        id: format!("part-of-{id}"),
        name: name.clone(),
        domain: domain.clone(),
        tenant: s.who.tenant_id(),
        technician: people[ADMINISTRATOR].clone(),
    };
    channel::register(&partner, "Reseller", Some(id), s.out, s.now);
}

/// Records of 2011: BPOS-S was bought, never activated, and transitioned (R3).
fn was_never_activated(s: &mut Scene<'_>) {
    let known_at = s.now;
    let bought = s.who.random.between(1, 25);
    let day = |text: &str| ledger::time::Timestamp::parse(text).unwrap_or(known_at);
    let signed = day("2010-05-03T00:00:00Z").plus_days(i64::from(bought));
    let moved = day("2011-06-02T00:00:00Z").plus_days(i64::from(bought));
    let license_id = agreement::license_id(s);
    let subscription = s.out.id("bpos");
    let (who, tenant) = (&*s.who, s.who.tenant_id());
    s.out
        .fact("AgreementSigned", signed, System::ARCHIVE)
        .known_at(known_at)
        .data(|f| {
            f.text("license_id", &license_id)
                .text("program", "Enterprise");
            f.text("pcn", &who.pcn).text("customer", &who.id);
            f.date("start", signed.date());
            f.date(
                "end",
                signed.date().plus_months(36, signed.date().day_of_month()),
            );
        });
    s.out
        .fact("BypassTransitioned", moved, System::ARCHIVE)
        .known_at(known_at)
        .by(By::VENDOR)
        .data(|f| {
            f.text("license_id", &license_id);
            f.text("bpos_subscription", &subscription);
            f.text("tenant", &tenant);
            f.flag("never_activated", true).flag("trial", false);
        });
}
