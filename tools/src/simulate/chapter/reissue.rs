//! A mistake under an Open program: redeemed in another customer's tenant from cached credentials,
//! reversed by the vendor, reissued, and redeemed in the right tenant (E4).

use super::redemption::{self, Redemption, Seen};
use super::session::{self, Visitor};
use super::{cases, mail, month, order, place};
use crate::simulate::cast::{ADMINISTRATOR, Key, Mistake, PRIMARY_CONTACT};
use crate::simulate::label::{Label, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// Redeems the pending order in a neighbour's tenant; says whether there was a neighbour.
pub fn goes_wrong(s: &mut Scene<'_>, a: usize) -> bool {
    let draw = s.who.random.below(1000);
    let Some(other) = s.neighbours.other_than(&s.who.id, draw) else {
        return false;
    };
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return false;
    };
    let license_id = s.who.agreements[a].license_id.clone();
    let visitor = Visitor::technician(s);
    let tenant = other.tenant;
    let session = session::open_as(s, &visitor, Some(&tenant), Some(&license_id), "Cached");
    mail::open_link(s, a, &session, visitor.by());
    let id = s.out.id("rd");
    let r = Redemption {
        id: &id,
        session: &session,
        visitor: &visitor,
        a,
        order: &order,
        tenant: &tenant,
    };
    redemption::started(s, &r, "Prepopulated");
    redemption::keys_entered(s, &r);
    let end = s.today().plus_months(12, s.today().day_of_month());
    let began: Vec<(String, u32)> = order
        .keys
        .iter()
        .map(|line| (s.out.id("sub"), line.seats))
        .collect();
    let effects: Vec<Seen> = began
        .iter()
        .zip(&order.keys)
        .map(|((sub, _), line)| redemption::seen_new(sub, line, end))
        .collect();
    redemption::redeemed(s, &r, "NewSubscription", &["end_on_anniversary"], &effects);
    let landed = s.now;
    month::status_observed(s, a, &order.id, landed);
    session::close(s, &visitor, &session, "Timeout");
    s.out.label(Label::of_a_story(
        7,
        &[2, 3, 4, 5, 6, 8],
        landed,
        Subject {
            customer: s.who.id.clone(),
            license_id,
            order: Some(order.id.clone()),
            activation: Some(order.activation.clone()),
            redemption: Some(id.clone()),
            session: Some(session),
            tenant: tenant.clone(),
            expected: s.who.tenant.clone(),
            ..Subject::default()
        },
    ));
    s.who.mistake = Some(Mistake {
        tenant,
        customer: other.customer,
        administrator: other.administrator,
        redemption: Some(id),
        subscriptions: began,
        users: Vec::new(),
        order,
    });
    s.then_in_days(6, 20, Step::Reissue(place(a)));
    true
}

/// The mistake is confirmed, authorised, reversed and reissued; then the new keys are redeemed.
pub fn compensate(s: &mut Scene<'_>, a: usize) {
    let Some(mistake) = s.who.mistake.take() else {
        return;
    };
    s.who.episode_over = true;
    let right = s.who.tenant_id();
    let finding = s.out.id("F");
    confirmed(s, &finding);
    let tenants = Some((mistake.tenant.as_str(), right.as_str()));
    let case = cases::open_about(s, "Reissue", &[a], Some(&finding), tenants);
    cases::escalate(s, &case);
    let contact = s.who.people[PRIMARY_CONTACT].clone();
    let administrator = s.who.people[ADMINISTRATOR].clone();
    cases::authorized(s, &case, &contact, "PrimaryContact", None);
    cases::authorized(
        s,
        &case,
        &mistake.administrator,
        "AdministratorOfSource",
        Some(&mistake.tenant),
    );
    cases::authorized(
        s,
        &case,
        &administrator,
        "AdministratorOfTarget",
        Some(&right),
    );
    reversed(s, a, &case, &mistake);
    let new_keys = reissued(s, a, &case, &mistake);
    notified(
        s,
        &case,
        "OtherCustomer",
        &mistake.customer,
        &mistake.tenant,
    );
    let own = s.who.id.clone();
    notified(s, &case, "AffectedCustomer", &own, &right);
    if let Some(order) = &mut s.who.agreements[a].pending {
        order.keys = new_keys;
        order.by_reseller = false;
    }
    s.wait_days(1, 3);
    redemption::redeem(s, a, Episode::Plain);
    cases::close_with(s, &case, "Compensated", &["DaysLost"]);
}

/// Somebody confirms the finding.
pub fn confirmed(s: &mut Scene<'_>, finding: &str) {
    let digest = s.who.random.hex(32);
    let who = &*s.who;
    let by = &who.people[ADMINISTRATOR];
    s.out
        .fact("FindingConfirmed", s.now, System::REVIEW)
        .by(By::customer(by, who.tenant.as_deref()))
        .data(|f| {
            f.text("finding", finding).text("evidence_digest", &digest);
            f.person("by", by);
            f.text("reason", "The services are not in our tenant.");
        });
    s.wait_minutes(30, 600);
}

/// The vendor reverses the redemption.
pub fn reversed(s: &mut Scene<'_>, a: usize, case: &str, mistake: &Mistake) {
    let Some(redemption) = &mistake.redemption else {
        return;
    };
    let license_id = &s.who.agreements[a].license_id;
    s.out
        .fact("RedemptionReversed", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(case)
        .data(|f| {
            f.text("redemption", redemption)
                .text("tenant", &mistake.tenant);
            f.text("license_id", license_id).text("case", case);
            f.texts(
                "keys",
                mistake.order.keys.iter().map(|line| line.key.as_str()),
            );
            f.records("effects", &mistake.subscriptions, |f, (sub, seats)| {
                f.text("subscription", sub).number("seats_removed", *seats);
            });
        });
    s.wait_minutes(5, 90);
}

/// The vendor reissues the keys, and returns the new ones.
pub fn reissued(s: &mut Scene<'_>, a: usize, case: &str, mistake: &Mistake) -> Vec<Key> {
    let mut new_keys = Vec::new();
    for line in &mistake.order.keys {
        let key = s.who.random.key();
        let license_id = &s.who.agreements[a].license_id;
        s.out
            .fact("KeyReissued", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(case)
            .data(|f| {
                f.text("old_key", &line.key).text("new_key", &key);
                f.text("case", case).text("order", &mistake.order.id);
                f.text("license_id", license_id).number("seats", line.seats);
            });
        new_keys.push(order::line(key, line.sku, line.seats));
    }
    s.wait_minutes(5, 90);
    new_keys
}

/// A party is notified.
pub fn notified(s: &mut Scene<'_>, case: &str, party: &str, customer: &str, tenant: &str) {
    s.out
        .fact("PartyNotified", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(case)
        .data(|f| {
            f.text("case", case)
                .text("party", party)
                .text("customer", customer);
            f.text("tenant", tenant).text("channel", "Mail");
        });
}
