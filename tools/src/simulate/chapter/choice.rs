//! Sign In or Sign Up, chosen once for ever; or services assigned without a choice.

use super::session::{self, Visitor};
use super::subscription::Effect;
use super::{licences, mail, month, place, registration, subscription, trial};
use crate::simulate::cast::{ADMINISTRATOR, Order, Purpose};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};

/// Services that are provisioned, each confirmed by a mail of its own (R10).
const SERVICES: &[&str] = &["Exchange Online", "SharePoint Online"];

/// The administrator signs in, and the services are bound to the tenant that was signed in to.
pub fn sign_in(s: &mut Scene<'_>, a: usize, scenario: &str) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    assessed(s, a, &order, scenario);
    s.wait_days(0, 1);
    let visitor = match order.by_reseller {
        true => Visitor::technician(s),
        false => Visitor::administrator(s),
    };
    let (license_id, tenant) = (s.who.agreements[a].license_id.clone(), s.who.tenant_id());
    let session = session::open(s, &visitor, Some(&tenant), Some(&license_id));
    mail::open_link(s, a, &session, visitor.by());
    chosen_sign_in(s, a, &order, &session, &visitor, &tenant);
    acknowledged(s, a, &session, &visitor, "TenantAssociated");
    bound(s, a, "SignIn", Some(&session), None);
    let converted = scenario == "TrialRetain";
    begin(s, a, &order, converted);
    month::subscriptions_reviewed(s, &visitor, &session);
    session::close(s, &visitor, &session, "AfterAgreement");
}

/// Sign In is chosen.
pub fn chosen_sign_in(
    s: &mut Scene<'_>,
    a: usize,
    order: &Order,
    session: &str,
    visitor: &Visitor,
    tenant: &str,
) {
    let license_id = &s.who.agreements[a].license_id;
    s.out
        .fact("SignInChosen", s.now, System::PORTAL)
        .by(visitor.by())
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", license_id)
                .text("activation", &order.activation);
            f.maybe("link", order.mail.as_ref().map(|(_, link)| link.as_str()));
            f.text("session", session)
                .person("principal", &visitor.person);
            f.text("tenant", tenant);
        });
    s.wait_minutes(1, 4);
}

/// Nobody has a tenant yet, or a trial is left behind: the administrator signs up for a new one.
pub fn sign_up(s: &mut Scene<'_>, a: usize, scenario: &str) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    assessed(s, a, &order, scenario);
    s.wait_days(0, 1);
    let left_behind = s.who.tenant.take();
    if left_behind.is_some() {
        s.who.slug.push_str("-new");
    }
    let mut visitor = Visitor::administrator(s);
    let license_id = s.who.agreements[a].license_id.clone();
    let session = session::open(s, &visitor, None, Some(&license_id));
    mail::open_link(s, a, &session, visitor.by());
    chosen_sign_up(s, a, &order, &session, &visitor);
    make_tenant(s, a, &session, &mut visitor, "SignUpChoice");
    registration::domain_verified(s);
    acknowledged(s, a, &session, &visitor, "ProfileCreated");
    bound(s, a, "SignUp", Some(&session), None);
    begin(s, a, &order, false);
    month::subscriptions_reviewed(s, &visitor, &session);
    session::close(s, &visitor, &session, "AfterAgreement");
    registration::delegate(s);
    registration::meet(s);
    if left_behind.is_some() {
        trial::abandoned(s);
    }
}

/// Sign Up is chosen.
pub fn chosen_sign_up(
    s: &mut Scene<'_>,
    a: usize,
    order: &Order,
    session: &str,
    visitor: &Visitor,
) {
    let license_id = &s.who.agreements[a].license_id;
    s.out
        .fact("SignUpChosen", s.now, System::PORTAL)
        .by(visitor.by())
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", license_id)
                .text("activation", &order.activation);
            f.maybe("link", order.mail.as_ref().map(|(_, link)| link.as_str()));
            f.text("session", session)
                .person("principal", &visitor.person);
        });
    s.wait_minutes(2, 6);
}

/// Somebody assesses which scenario the customer is in.
pub fn assessed(s: &mut Scene<'_>, a: usize, order: &Order, scenario: &str) {
    let license_id = &s.who.agreements[a].license_id;
    let trial = s
        .who
        .trial
        .as_ref()
        .filter(|_| scenario.starts_with("Trial"));
    s.out
        .fact("ScenarioAssessed", s.now, System::PORTAL)
        .by(By::SERVICE)
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", license_id)
                .text("activation", &order.activation);
            f.text("scenario", scenario).text("by", "activation desk");
            if let Some((subscription, tenant)) = trial {
                f.text("trial_tenant", tenant)
                    .text("trial_subscription", subscription);
            }
        });
}

/// A new tenant is made in a session, and the visitor administers it.
pub fn make_tenant(s: &mut Scene<'_>, a: usize, session: &str, visitor: &mut Visitor, via: &str) {
    let tenant = s.who.initial_domain();
    let method = s.who.random.pick(&["Text", "Call"]);
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let activation = agreement
        .pending
        .as_ref()
        .map(|order| order.activation.as_str());
    s.out
        .fact("IdentityVerified", s.now, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).text("method", method);
        });
    let at = s.now.plus_minutes(1);
    s.out
        .fact("ProfileEntered", at, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).named("person", &visitor.person);
            f.text("company", &who.name).text("country", who.country);
        });
    let at = at.plus_minutes(1);
    s.out
        .fact("DomainOptionChosen", at, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session)
                .text("option", "Own")
                .text("domain", &who.domain);
        });
    visitor.moves_into(&tenant);
    let at = at.plus_minutes(2);
    s.out
        .fact("AccountProfileCreated", at, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session)
                .text("license_id", &agreement.license_id);
            f.text("tenant", &tenant);
        });
    s.out
        .fact("TenantCreated", at, System::DIRECTORY)
        .by(visitor.by())
        .data(|f| {
            f.text("tenant", &tenant).text("initial_domain", &tenant);
            f.text("company", &who.name).text("country", who.country);
            f.text("created_via", via).maybe("activation", activation);
            f.text("session", session)
                .text("license_id", &agreement.license_id);
        });
    let at = at.plus_minutes(1);
    s.out
        .fact("OnlineServicesIdAdded", at, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).person("user", &visitor.person);
            f.text("tenant", &tenant);
        });
    s.now = at;
    s.who.tenant = Some(tenant);
    registration::becomes_administrator(s);
    s.wait_minutes(1, 3);
}

/// The portal acknowledges the profile or the association.
pub fn acknowledged(s: &mut Scene<'_>, a: usize, session: &str, visitor: &Visitor, about: &str) {
    let (license_id, tenant) = (&s.who.agreements[a].license_id, s.who.tenant_id());
    s.out
        .fact("AcknowledgementShown", s.now, System::PORTAL)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).text("license_id", license_id);
            f.text("tenant", &tenant).text("about", about);
        });
    s.wait_minutes(0, 2);
}

/// The services of an agreement are bound to the customer's tenant.
pub fn bound(
    s: &mut Scene<'_>,
    a: usize,
    basis: &str,
    session: Option<&str>,
    redemption: Option<&str>,
) {
    let tenant = s.who.tenant_id();
    let agreement = &s.who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    s.out
        .fact("ServicesBoundToTenant", s.now, System::DIRECTORY)
        .by(By::SERVICE)
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", &agreement.license_id)
                .text("tenant", &tenant);
            f.text("basis", basis).text("activation", &order.activation);
            f.maybe("session", session).maybe("redemption", redemption);
            f.text("order", &order.id);
        });
}

/// The subscriptions of an order without keys begin, and the services are provisioned.
pub fn begin(s: &mut Scene<'_>, a: usize, order: &Order, converted: bool) {
    let effects = began(s, a, order, converted);
    for effect in &effects {
        licences::assign(s, effect.index);
    }
    if s.who.random.chance(350) {
        s.then_in_days(60, 220, Step::AddSeats(place(a)));
    }
    trial::now_and_then(s);
}

/// The subscriptions of an order without keys begin, the services are provisioned, and nothing is
/// pending any more; nobody uses them yet.
pub fn began(s: &mut Scene<'_>, a: usize, order: &Order, converted: bool) -> Vec<Effect> {
    let effects = subscription::apply(s, a, Purpose::Begin, &order.keys);
    if converted {
        trial::converted(s, a, &effects);
    }
    let started = if converted {
        effects.get(1..).unwrap_or(&[])
    } else {
        &effects
    };
    subscription::report(s, started, Purpose::Begin, None);
    provisioned(s, a);
    let landed = s.now;
    month::status_observed(s, a, &order.id, landed);
    s.who.agreements[a].landed = true;
    s.who.agreements[a].pending = None;
    effects
}

/// The provisioning of each service is confirmed by mail.
fn provisioned(s: &mut Scene<'_>, a: usize) {
    let tenant = s.who.tenant_id();
    for service in SERVICES {
        let message = s.out.id("m");
        let who = &*s.who;
        let at = s.now.plus_minutes(45);
        s.out
            .fact("ProvisioningConfirmed", at, System::MAIL)
            .by(By::SERVICE)
            .data(|f| {
                f.text("tenant", &tenant)
                    .text("license_id", &who.agreements[a].license_id);
                f.text("service", service).text("message", &message);
            });
    }
}

/// Services are assigned without anybody's choice (E2).
pub fn assigned(s: &mut Scene<'_>, a: usize, criterion: &str) {
    let Some(order) = s.who.agreements[a].pending.clone() else {
        return;
    };
    reported_assigned(s, a, criterion);
    s.wait_minutes(1, 30);
    begin(s, a, &order, false);
}

/// The assignment without a choice, alone.
pub fn reported_assigned(s: &mut Scene<'_>, a: usize, criterion: &str) {
    let tenant = s.who.tenant_id();
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    let manager = (criterion == "ManagerIsAdministrator").then_some(&who.people[ADMINISTRATOR]);
    s.out
        .fact("ServicesAutoAssigned", s.now, System::DIRECTORY)
        .by(By {
            person: manager,
            ..By::SERVICE
        })
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", &agreement.license_id)
                .text("tenant", &tenant);
            f.text("criterion", criterion).text("order", &order.id);
            f.text("activation", &order.activation);
        });
}
