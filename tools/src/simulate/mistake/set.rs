//! What scenes are set with: people, roles, and landings in any tenant by anybody.

use crate::simulate::cast::{ADMINISTRATOR, Neighbour, Order, Partner, Person};
use crate::simulate::chapter::redemption::{self, Redemption};
use crate::simulate::chapter::session::{self, Visitor};
use crate::simulate::chapter::{choice, licences, mail};
use crate::simulate::label::Subject;
use crate::simulate::names;
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;
use ledger::time::Timestamp;

/// How somebody lands an order.
pub struct Way<'w> {
    /// Who.
    pub visitor: &'w Visitor,
    /// In which session.
    pub session: &'w str,
    /// In which tenant.
    pub tenant: &'w str,
    /// Through which flow.
    pub flow: &'static str,
}

/// Somebody who works for nobody in the scene.
pub fn outsider(s: &mut Scene<'_>) -> Person {
    let (name, local) = names::person(&mut s.who.random, 2);
    let number = s.out.serial();
    Person {
        name,
        address: format!("{local}.{number}@mailbox.example"),
    }
}

/// The customer's administrator.
pub fn administrator(s: &Scene<'_>) -> Person {
    s.who.people[ADMINISTRATOR].clone()
}

/// Somebody new at the customer.
pub fn employee(s: &mut Scene<'_>) -> Person {
    let number = s.who.hire();
    s.who.people[number].clone()
}

/// The directory gives a person a role in a tenant.
pub fn given_role(
    s: &mut Scene<'_>,
    tenant: &str,
    person: &Person,
    role: &str,
    until: Option<Timestamp>,
) {
    s.out
        .fact("TenantRoleAssigned", s.now, System::DIRECTORY)
        .by(By::SERVICE)
        .data(|f| {
            f.text("tenant", tenant).person("user", person);
            f.text("role", role);
            if let Some(until) = until {
                f.instant("until", until);
            }
        });
}

/// A tenant delegates its administration to a partner.
pub fn delegated(s: &mut Scene<'_>, tenant: &str, partner: &Partner) {
    s.out
        .fact("DelegatedAdminGranted", s.now, System::DIRECTORY)
        .by(By::SERVICE)
        .data(|f| {
            f.text("tenant", tenant).text("partner", &partner.id);
            f.text("partner_tenant", &partner.tenant);
            f.texts("roles", ["GlobalAdministrator"])
                .text("kind", "Delegated");
        });
}

/// Two customers belong together from a day on.
pub fn related(s: &mut Scene<'_>, one: &str, other: &str, relation: &str) {
    let from = s.today();
    s.out
        .fact("CustomersRelated", s.now, System::REGISTER)
        .by(By::VENDOR)
        .data(|f| {
            f.text("customer", one).text("related", other);
            f.text("relation", relation).date("from", from);
        });
}

/// The directory describes a tenant that is nobody's in the scene, or a further one of somebody.
pub fn observed(s: &mut Scene<'_>, tenant: &str, owner: Option<&str>, cloud: &str, via: &str) {
    s.out
        .fact("TenantObserved", s.now, System::DIRECTORY)
        .data(|f| {
            f.text("tenant", tenant).text("initial_domain", tenant);
            f.text("cloud", cloud)
                .text("created_via", via)
                .maybe("owner", owner);
        });
}

/// A name for a tenant that is not the customer's first one.
pub fn tenant_named(s: &mut Scene<'_>, suffix: &str) -> String {
    let number = s.out.serial();
    format!("{}-{suffix}{number}.onmicrosoft.example", s.who.slug)
}

/// Plays as if the customer's tenant were another one.
pub fn inside<T>(s: &mut Scene<'_>, tenant: &str, play: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    let own = s.who.tenant.replace(tenant.to_owned());
    let result = play(s);
    s.who.tenant = own;
    result
}

/// The pending order of an agreement.
pub fn pending(s: &Scene<'_>, a: usize) -> Option<Order> {
    s.who.agreements[a].pending.clone()
}

/// What a label is about: a pending order that is going to land in a tenant.
pub fn subject(s: &Scene<'_>, a: usize, tenant: &str) -> Subject {
    let agreement = &s.who.agreements[a];
    let order = agreement.pending.as_ref();
    let keys = order.map(|order| order.keys.as_slice()).unwrap_or_default();
    let last5 = |key: &str| key.get(key.len().saturating_sub(5)..).map(str::to_owned);
    let keys = keys.iter().filter(|_| agreement.open);
    Subject {
        customer: s.who.id.clone(),
        license_id: agreement.license_id.clone(),
        order: order.map(|order| order.id.clone()),
        activation: order.map(|order| order.activation.clone()),
        keys_last5: keys.filter_map(|line| last5(&line.key)).collect(),
        tenant: tenant.to_owned(),
        expected: s.who.tenant.clone(),
        ..Subject::default()
    }
}

/// Opens a session for an agreement in a tenant.
pub fn session(s: &mut Scene<'_>, a: usize, visitor: &Visitor, tenant: &str, auth: &str) -> String {
    let license_id = s.who.agreements[a].license_id.clone();
    session::open_as(s, visitor, Some(tenant), Some(&license_id), auth)
}

/// Redeems the pending keys of an agreement.
pub fn redeem(s: &mut Scene<'_>, a: usize, way: &Way<'_>) -> Option<Subject> {
    let order = pending(s, a)?;
    let mut about = subject(s, a, way.tenant);
    if order.mail.is_some() {
        mail::open_link(s, a, way.session, way.visitor.by());
    }
    let id = s.out.id("rd");
    let r = Redemption {
        id: &id,
        session: way.session,
        visitor: way.visitor,
        a,
        order: &order,
        tenant: way.tenant,
    };
    redemption::started(s, &r, way.flow);
    redemption::keys_entered(s, &r);
    inside(s, way.tenant, |s| redemption::lands(s, &r));
    about.redemption = Some(id);
    about.session = Some(way.session.to_owned());
    Some(about)
}

/// Signs in for the pending order of an agreement without keys, in whatever scenario.
pub fn sign_in(s: &mut Scene<'_>, a: usize, scenario: &str, way: &Way<'_>) -> Option<Subject> {
    let order = pending(s, a)?;
    let mut about = subject(s, a, way.tenant);
    choice::assessed(s, a, &order, scenario);
    s.wait_minutes(1, 4);
    mail::open_link(s, a, way.session, way.visitor.by());
    choice::chosen_sign_in(s, a, &order, way.session, way.visitor, way.tenant);
    inside(s, way.tenant, |s| {
        choice::acknowledged(s, a, way.session, way.visitor, "TenantAssociated");
        choice::bound(s, a, "SignIn", Some(way.session), None);
        choice::began(s, a, &order, false);
    });
    about.session = Some(way.session.to_owned());
    Some(about)
}

/// Services of the pending order are assigned to a tenant without anybody's choice.
pub fn assigned(s: &mut Scene<'_>, a: usize, criterion: &str, tenant: &str) -> Option<Subject> {
    let order = pending(s, a)?;
    let about = subject(s, a, tenant);
    mail::suppress(s, a, "AutoAssigned");
    s.wait_minutes(5, 60);
    inside(s, tenant, |s| {
        choice::reported_assigned(s, a, criterion);
        s.wait_minutes(1, 30);
        choice::began(s, a, &order, false);
    });
    Some(about)
}

/// The seats of an agreement are given to users in a tenant.
pub fn used(s: &mut Scene<'_>, a: usize, tenant: &str) {
    s.wait_days(1, 3);
    let subscriptions = s.who.subscriptions.iter().enumerate();
    let of_agreement = subscriptions.filter(|(_, sub)| sub.agreement == a);
    let indices: Vec<usize> = of_agreement.map(|(index, _)| index).collect();
    inside(s, tenant, |s| {
        for index in indices {
            licences::assign(s, index);
        }
    });
}

/// Nobody holds seats of an agreement in a tenant any more.
pub fn left(s: &mut Scene<'_>, a: usize, tenant: &str) {
    s.wait_days(1, 3);
    for (index, users) in holders(s, a) {
        s.who.subscriptions[index].assigned = 0;
        inside(s, tenant, |s| licences::unassigned(s, index, &users));
    }
}

/// Who has a machine from each subscription of an agreement.
pub fn holders(s: &Scene<'_>, a: usize) -> Vec<(usize, Vec<usize>)> {
    let subscriptions = s.who.subscriptions.iter().enumerate();
    let of_agreement = subscriptions.filter(|(_, sub)| sub.agreement == a);
    let users = |index: usize| {
        let seats = s.who.seats.iter().filter(|seat| seat.subscription == index);
        let mut users: Vec<usize> = seats.map(|seat| seat.user).collect();
        users.sort_unstable();
        users.dedup();
        users
    };
    of_agreement
        .map(|(index, _)| (index, users(index)))
        .collect()
}

/// The administrator works in another customer's tenant as well, and administers it.
pub fn administers(s: &mut Scene<'_>, other: &Neighbour) -> Visitor {
    let person = administrator(s);
    given_role(s, &other.tenant, &person, "GlobalAdministrator", None);
    s.wait_days(1, 4);
    Visitor::from_elsewhere(&person, s.who.tenant.as_deref())
}
