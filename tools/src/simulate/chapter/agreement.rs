//! Agreements are signed, renewed under new numbers, and their people change.

use super::place;
use crate::simulate::cast::{ADMINISTRATOR, Agreement, MANAGER, NOTICES_CONTACT, PRIMARY_CONTACT};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::{Episode, Origin};

const OPEN: &[&str] = &["OpenLicense", "OpenValue", "OpenValueSubscription"];
const ENTERPRISE: &[&str] = &[
    "Enterprise",
    "Campus",
    "Schools",
    "Schools",
    "ProductsAndServices",
    "Campus",
];

/// A License ID that no other agreement has.
pub fn license_id(s: &mut Scene<'_>) -> String {
    const COUNT: u64 = 60_000_000;
    // The stride shares no factor with the count, so that no number comes twice.
    let number = s.out.serial().wrapping_mul(7919) % COUNT;
    format!("{}", 30_000_000 + number)
}

/// Signs an agreement and gives its people their roles. Returns which one it is.
pub fn sign(s: &mut Scene<'_>, open: bool, credit: bool) -> usize {
    let license_id = license_id(s);
    let program = s.who.random.pick(if open { OPEN } else { ENTERPRISE });
    let months = match program {
        "Campus" | "Schools" => 12,
        "OpenLicense" => 24,
        _ => 36,
    };
    let start = s.today();
    let (recipient_role, recipient) = match (open, s.who.story.origin, s.who.random.below(10)) {
        (true, ..) => ("PrimaryContact", PRIMARY_CONTACT),
        (false, Origin::Automatic, _) => ("OnlineServicesManager", ADMINISTRATOR),
        (false, _, 0) => ("OnlineAdministrator", MANAGER),
        (false, _, 1) => ("NoticesContact", NOTICES_CONTACT),
        (false, ..) => ("OnlineServicesManager", MANAGER),
    };
    s.who.agreements.push(Agreement {
        license_id,
        program,
        open,
        credit,
        pcn: s.who.pcn.clone(),
        recipient,
        recipient_role,
        end: start.plus_months(months, start.day_of_month()),
        pending: None,
        landed: false,
    });
    let a = s.who.agreements.len() - 1;
    signed(s, a);
    roles(s, a);
    a
}

fn signed(s: &mut Scene<'_>, a: usize) {
    let start = s.today();
    let authorization = format!("{:08}ZZE", s.out.serial());
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let reseller = &s.channel.resellers[who.reseller];
    let distributor = s.channel.distributor_of(who.reseller);
    s.out
        .fact("AgreementSigned", s.now, System::AGREEMENTS)
        .by(By::company(
            "Partner",
            &reseller.id,
            Some(&reseller.technician),
        ))
        .data(|f| {
            f.text("license_id", &agreement.license_id);
            f.text("program", agreement.program);
            f.text("pcn", &agreement.pcn).text("customer", &who.id);
            f.text("partner", &reseller.id);
            f.text("distributor", &distributor.id);
            f.date("start", start).date("end", agreement.end);
            f.text("authorization_no", &authorization);
            f.records("contacts", contacts(agreement), |f, (role, person)| {
                f.text("role", role).named("person", &who.people[person]);
            });
            f.text("cloud", "Public");
        });
}

/// The contacts of an agreement: role and person.
pub fn contacts(agreement: &Agreement) -> Vec<(&'static str, usize)> {
    let mut contacts = vec![(agreement.recipient_role, agreement.recipient)];
    if agreement.recipient_role != "NoticesContact" {
        contacts.push(("NoticesContact", NOTICES_CONTACT));
    }
    contacts
}

fn roles(s: &mut Scene<'_>, a: usize) {
    s.wait_minutes(10, 90);
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let by = &who.people[agreement.recipient];
    for (role, person) in [
        ("Administrator", agreement.recipient),
        ("ProductKeysReader", ADMINISTRATOR),
    ] {
        s.out
            .fact("VlRoleAssigned", s.now, System::ADMIN)
            .by(By::customer(by, who.tenant.as_deref()))
            .data(|f| {
                f.text("license_id", &agreement.license_id);
                f.person("user", &who.people[person]);
                f.text("role", role).person("by", by);
            });
    }
}

/// Signs a further agreement, once the customer has a tenant.
pub fn sign_another(s: &mut Scene<'_>) {
    if s.who.tenant.is_none() {
        s.then_in_days(30, 40, Step::Sign);
        return;
    }
    let episode = s.who.story.episode;
    let wants_credit = matches!(episode, Episode::Credit | Episode::CreditForfeited)
        && !s.who.agreements.iter().any(|a| a.credit);
    let credit = wants_credit || s.who.random.chance(150);
    let open = credit || s.who.random.chance(600);
    let a = sign(s, open, credit);
    s.then_in_days(2, 9, Step::FirstOrder(place(a)));
}

/// Renews an agreement under a new number; the customer number stays. Returns which one it is.
pub fn renew_as(s: &mut Scene<'_>, old: usize) -> usize {
    let license_id = license_id(s);
    let mut next = s.who.agreements[old].clone();
    next.license_id = license_id;
    next.end = next.end.plus_months(12, next.end.day_of_month());
    next.pending = None;
    next.landed = false;
    s.who.agreements.push(next);
    let new = s.who.agreements.len() - 1;
    signed(s, new);
    let who = &*s.who;
    let (old, next) = (&who.agreements[old], &who.agreements[new]);
    s.out
        .fact("AgreementRenewedAs", s.now, System::AGREEMENTS)
        .by(By::VENDOR)
        .data(|f| {
            f.text("old_license_id", &old.license_id);
            f.text("new_license_id", &next.license_id);
            f.text("pcn_old", &old.pcn).text("pcn_new", &next.pcn);
        });
    new
}

/// Somebody new takes over the mail of an agreement. It sends no mail (R6).
pub fn contact_changed(s: &mut Scene<'_>, a: usize, via: &str) {
    let new = s.who.hire();
    let who = &mut *s.who;
    let agreement = &mut who.agreements[a];
    let old = std::mem::replace(&mut agreement.recipient, new);
    let (agreement, people) = (&who.agreements[a], &who.people);
    let reseller = &s.channel.resellers[who.reseller];
    let by = match via {
        "Partner" => By::company("Partner", &reseller.id, Some(&reseller.technician)),
        "Support" => By::SUPPORT,
        _ => By::customer(&people[NOTICES_CONTACT], who.tenant.as_deref()),
    };
    s.out
        .fact("ContactChanged", s.now, System::AGREEMENTS)
        .by(by)
        .data(|f| {
            f.text("license_id", &agreement.license_id);
            f.text("role", agreement.recipient_role);
            f.named("old", &people[old]).named("new", &people[new]);
            f.text("via", via);
        });
}
