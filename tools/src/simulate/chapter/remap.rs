//! A mistake under an Enterprise program: signed up into a second tenant although there was one,
//! moved to the first by a remap, and the second tenant retired (E3).

use super::session::{self, Visitor};
use super::{
    cases, choice, install, licences, mail, month, order, place, reissue, revalidation,
    subscription,
};
use crate::simulate::cast::{ADMINISTRATOR, MANAGER, Mistake, Purpose, Seat, SeatState};
use crate::simulate::label::{Label, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};

/// Signs up although the customer has a tenant: the services land in a second one.
pub fn goes_wrong(s: &mut Scene<'_>, a: usize) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    let right = s.who.tenant_id();
    choice::assessed(s, a, &order, "ExistingPaid");
    s.wait_days(0, 1);
    let mut visitor = Visitor::administrator(s);
    let license_id = s.who.agreements[a].license_id.clone();
    let session = session::open(s, &visitor, None, Some(&license_id));
    mail::open_link(s, a, &session, visitor.by());
    choice::chosen_sign_up(s, a, &order, &session, &visitor);
    // The second tenant is the customer's tenant for as long as nobody notices.
    let slug = s.who.slug.clone();
    s.who.slug = format!("{slug}-office");
    choice::make_tenant(s, a, &session, &mut visitor, "SignUpChoice");
    choice::acknowledged(s, a, &session, &visitor, "ProfileCreated");
    choice::bound(s, a, "SignUp", Some(&session), None);
    let wrong = s.who.tenant_id();
    let effects = subscription::apply(s, a, Purpose::Begin, &order.keys);
    subscription::report(s, &effects, Purpose::Begin, None);
    let landed = s.now;
    month::status_observed(s, a, &order.id, landed);
    let mut users = Vec::new();
    for effect in &effects {
        let user = s.who.hire();
        users.push(user);
        licences::assigned(s, effect.index, &[user]);
        s.who.subscriptions[effect.index].assigned = 1;
        if order::has_office(s.who.subscriptions[effect.index].sku) {
            s.wait_minutes(60, 900);
            first_machine(s, effect.index, user);
        }
    }
    session::close(s, &visitor, &session, "AfterAgreement");
    s.who.slug = slug;
    s.who.tenant = Some(right.clone());
    s.out.label(Label::of_a_story(
        10,
        &[9],
        landed,
        Subject {
            customer: s.who.id.clone(),
            license_id,
            order: Some(order.id.clone()),
            activation: Some(order.activation.clone()),
            session: Some(session),
            tenant: wrong.clone(),
            expected: Some(right),
            ..Subject::default()
        },
    ));
    s.who.mistake = Some(Mistake {
        tenant: wrong,
        customer: s.who.id.clone(),
        administrator: s.who.people[ADMINISTRATOR].clone(),
        redemption: None,
        subscriptions: effects
            .iter()
            .map(|effect| &s.who.subscriptions[effect.index])
            .map(|sub| (sub.id.clone(), sub.seats))
            .collect(),
        users,
        order,
    });
    s.who.agreements[a].landed = true;
    s.who.agreements[a].pending = None;
    s.then_in_days(8, 24, Step::Remap(place(a)));
}

/// The vendor moves the agreement to the first tenant, and what hangs on it follows.
pub fn compensate(s: &mut Scene<'_>, a: usize) {
    let Some(mistake) = s.who.mistake.take() else {
        return;
    };
    s.who.episode_over = true;
    let right = s.who.tenant_id();
    let finding = s.out.id("F");
    reissue::confirmed(s, &finding);
    let tenants = Some((mistake.tenant.as_str(), right.as_str()));
    let case = cases::open_about(s, "Remap", &[a], Some(&finding), tenants);
    s.wait_days(1, 3);
    let manager = s.who.people[MANAGER].clone();
    cases::authorized(s, &case, &manager, "OnlineServicesManager", None);
    let administrator = mistake.administrator.clone();
    cases::authorized(
        s,
        &case,
        &administrator,
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
    remapped(s, a, &case, &mistake, &right);
    begun_anew(s, a, &case, &mistake.users);
    users_follow(s, a, &case, &mistake, &right);
    let own = s.who.id.clone();
    reissue::notified(s, &case, "AffectedCustomer", &own, &right);
    s.wait_days(2, 5);
    s.out
        .fact("TenantRetired", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(&case)
        .data(|f| {
            f.text("tenant", &mistake.tenant).text("case", &case);
        });
    cases::close_with(s, &case, "PartlyCompensated", &["DataNotMoved"]);
    for index in 0..s.who.subscriptions.len() {
        licences::assign(s, index);
    }
}

fn remapped(s: &mut Scene<'_>, a: usize, case: &str, mistake: &Mistake, right: &str) {
    let agreement = &s.who.agreements[a];
    s.out
        .fact("TenantRemapped", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(case)
        .data(|f| {
            f.text("pcn", &agreement.pcn);
            f.records("moves", [&mistake.subscriptions], |f, subscriptions| {
                f.text("license_id", &agreement.license_id);
                f.texts(
                    "subscriptions",
                    subscriptions.iter().map(|(id, _)| id.as_str()),
                );
                f.text("from", &mistake.tenant).text("to", right);
            });
            f.texts("requested", [agreement.license_id.as_str()])
                .text("case", case);
        });
    s.wait_minutes(30, 300);
}

/// Users of the second tenant are given seats of the first, and set up Office again.
fn users_follow(s: &mut Scene<'_>, a: usize, case: &str, mistake: &Mistake, right: &str) {
    let moved: Vec<usize> = seats_of(s, a);
    for index in moved {
        let who = &*s.who;
        let (seat, user) = (&who.seats[index], &who.people[who.seats[index].user]);
        s.out
            .fact("SeatsReassigned", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(case)
            .data(|f| {
                f.text("tenant", right).text("from_tenant", &mistake.tenant);
                f.text("sku", who.subscriptions[seat.subscription].sku);
                f.people("users", [user]).text("case", case);
            });
        s.out
            .fact("SeatResetRequested", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(case)
            .data(|f| {
                f.text("machine", &seat.machine)
                    .person("user", user)
                    .text("case", case);
            });
        s.wait_minutes(30, 600);
        revalidation::set_up_again(s, index, "VnextdiagRemove");
    }
}

fn seats_of(s: &Scene<'_>, a: usize) -> Vec<usize> {
    let who = &*s.who;
    let seats = who.seats.iter().enumerate();
    seats
        .filter(|(_, seat)| who.subscriptions[seat.subscription].agreement == a)
        .map(|(index, _)| index)
        .collect()
}

/// The first user of the second tenant installs Office there.
fn first_machine(s: &mut Scene<'_>, subscription: usize, user: usize) {
    s.who.seats.push(Seat {
        machine: format!("c{:05}-home", s.who.number),
        user,
        subscription,
        valid_until: s.now,
        key_last5: String::new(),
        state: SeatState::Live,
    });
    let index = s.who.seats.len() - 1;
    install::install(s, index);
}

/// The vendor begins the subscriptions anew in the first tenant and transfers the seats to them;
/// the ones that were moved stay behind empty.
fn begun_anew(s: &mut Scene<'_>, a: usize, case: &str, users: &[usize]) {
    let subscriptions = s.who.subscriptions.iter().enumerate();
    let of_agreement = subscriptions.filter(|(_, sub)| sub.agreement == a);
    let indices: Vec<usize> = of_agreement.map(|(index, _)| index).collect();
    for (index, user) in indices.into_iter().zip(users) {
        licences::unassigned(s, index, &[*user]);
        s.wait_minutes(5, 20);
        let moved = s.who.subscriptions[index].id.clone();
        let seats = s.who.subscriptions[index].seats;
        let id = s.out.id("sub");
        s.who.subscriptions[index].id.clone_from(&id);
        let tenant = s.who.tenant_id();
        let who = &*s.who;
        let sub = &who.subscriptions[index];
        s.out
            .fact("SubscriptionStarted", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(case)
            .data(|f| {
                f.text("subscription", &id)
                    .text("tenant", &tenant)
                    .text("sku", sub.sku);
                f.text("license_id", &who.agreements[a].license_id);
                f.number("seats", 0).date("end", sub.end);
            });
        s.wait_minutes(5, 20);
        s.out
            .fact("SeatsTransferred", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(case)
            .data(|f| {
                f.text("from", &moved).text("to", &id);
                f.number("seats", seats).text("case", case);
            });
        s.wait_minutes(5, 20);
        licences::assigned(s, index, &[*user]);
    }
    s.wait_minutes(30, 300);
}
