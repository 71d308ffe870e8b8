//! W4, somebody redeems who administers no part of the target tenant, be it the right one or not.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Person, Purpose};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{agreement, mail};
use crate::simulate::label::{Need, Subject};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 4,
    name: "redeemed by somebody without authority over the tenant",
    wrong: &[
        Act {
            name: "a colleague with the mail and no role redeems in the customer's tenant",
            also: &[],
            play: |stage| at_home(stage, false),
            needs: no_role,
        },
        Act {
            name: "the role in the customer's tenant had ended a week before",
            also: &[],
            play: |stage| at_home(stage, true),
            needs: no_role,
        },
        Act {
            name: "a colleague with the mail redeems in another customer's tenant, without a role there",
            also: &[2, 5, 9],
            play: |stage| elsewhere(stage, false),
            needs: no_role,
        },
        Act {
            name: "the role in the other tenant had ended a week before",
            also: &[2, 5, 9],
            play: |stage| elsewhere(stage, true),
            needs: no_role,
        },
    ],
    alike: &[
        Act {
            name: "the role was active for an hour",
            also: &[],
            play: for_an_hour,
            needs: had_a_role,
        },
        Act {
            name: "no source tells any role in the tenant",
            also: &[],
            play: no_role_log,
            needs: |_, _| Vec::new(),
        },
    ],
};

/// The customer's own tenant, whose administrator is on record.
fn at_home(stage: &mut Stage<'_>, had_a_role: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let person = set::employee(s);
        if had_a_role {
            let until = s.now.plus_days(1);
            set::given_role(s, &tenant, &person, "GlobalAdministrator", Some(until));
            s.wait_days(9, 12);
        }
        let about = mailed_to(s, &person, &tenant, |_| {})?;
        let a = s.who.agreements.len() - 1;
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

/// Another customer's tenant, whose directory says who administers it.
fn elsewhere(stage: &mut Stage<'_>, had_a_role: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let person = set::employee(s);
        let (tenant, administrator) = (&other.tenant, &other.administrator);
        set::given_role(s, tenant, administrator, "GlobalAdministrator", None);
        if had_a_role {
            let until = s.now.plus_days(1);
            set::given_role(s, tenant, &person, "GlobalAdministrator", Some(until));
            s.wait_days(9, 12);
        }
        mailed_to(s, &person, tenant, |_| {}).map(Told::only)
    })
}

fn for_an_hour(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let person = set::employee(s);
        let about = mailed_to(s, &person, &tenant, |s| {
            let until = s.now.plus_minutes(60);
            set::given_role(s, &tenant, &person, "GlobalAdministrator", Some(until));
            s.wait_minutes(3, 6);
        })?;
        let a = s.who.agreements.len() - 1;
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

/// Orders, mails a person, and has that person redeem in a tenant.
fn mailed_to(
    s: &mut Scene<'_>,
    person: &Person,
    tenant: &str,
    just_before: impl FnOnce(&mut Scene<'_>),
) -> Option<Subject> {
    let a = stage::ordered_again(s, true);
    mail::invite_through(s, a, std::slice::from_ref(person));
    s.wait_days(1, 3);
    just_before(s);
    let visitor = Visitor::from_elsewhere(person, s.who.tenant.as_deref());
    let session = set::session(s, a, &visitor, tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant,
        flow: "Prepopulated",
    };
    set::redeem(s, a, &way)
}

/// The tenant is known by its domain only; its directory was never exported.
fn no_role_log(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let tenant = s.who.initial_domain();
        let owner = s.who.id.clone();
        set::observed(s, &tenant, Some(&owner), "Public", "Purchase");
        s.who.tenant = Some(tenant.clone());
        s.wait_days(1, 2);
        let a = agreement::sign(s, true, false);
        s.wait_days(1, 2);
        let lines = stage::suite(s);
        stage::ordered(s, a, Purpose::Begin, lines, true);
        stage::mailed(s, a);
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

fn no_role(lines: &Lines, about: &Subject) -> Vec<Need> {
    let tenant = [("tenant", about.tenant.as_str())];
    vec![
        lines.landed(about),
        need(
            "who redeemed",
            lines.redeemer(about).is_some(),
        ),
        need(
            "the roles in the tenant",
            lines.has("TenantRoleAssigned", &tenant),
        ),
    ]
}

fn had_a_role(lines: &Lines, about: &Subject) -> Vec<Need> {
    let user = lines.redeemer(about).unwrap_or_default();
    let fields = [("tenant", about.tenant.as_str()), ("user", user)];
    vec![need("the role", lines.has("TenantRoleAssigned", &fields))]
}
