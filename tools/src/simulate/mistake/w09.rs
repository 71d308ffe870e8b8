//! W9, a second tenant of the same customer.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::Purpose;
use crate::simulate::chapter::agreement;
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 9,
    name: "a second tenant of the same customer",
    wrong: &[Act {
        name: "keys go into a tenant that was made days before",
        also: &[],
        play: a_new_one,
        needs,
    }],
    alike: &[Act {
        name: "two tenants with agreements and customer numbers of their own",
        also: &[],
        play: two_of_its_own,
        needs: numbers_of_its_own,
    }],
};

/// The customer's people open a further tenant.
fn created(s: &mut Scene<'_>, tenant: &str) {
    let person = set::administrator(s);
    let who = &*s.who;
    s.out
        .fact("TenantCreated", s.now, System::DIRECTORY)
        .by(By::customer(&person, Some(tenant)))
        .data(|f| {
            f.text("tenant", tenant).text("initial_domain", tenant);
            f.text("company", &who.name).text("country", who.country);
            f.text("created_via", "Purchase");
        });
    let owner = s.who.id.clone();
    set::observed(s, tenant, Some(&owner), "Public", "Purchase");
    set::given_role(s, tenant, &person, "GlobalAdministrator", None);
}

fn lands(s: &mut Scene<'_>, a: usize, tenant: &str) -> Option<Subject> {
    let person = set::administrator(s);
    let visitor = Visitor::from_elsewhere(&person, Some(tenant));
    let session = set::session(s, a, &visitor, tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant,
        flow: "Prepopulated",
    };
    set::redeem(s, a, &way)
}

fn a_new_one(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let tenant = set::tenant_named(s, "team");
        created(s, &tenant);
        s.wait_days(1, 3);
        lands(s, a, &tenant).map(Told::only)
    })
}

fn two_of_its_own(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let tenant = set::tenant_named(s, "plant");
        created(s, &tenant);
        s.wait_days(40, 60);
        // Another customer number, and every order of it names its own tenant.
        s.who.pcn = format!("C{:07}", 7_000_000 + s.who.number);
        set::inside(s, &tenant, |s| {
            let mut about = None;
            for _ in 0..2 {
                let a = agreement::sign(s, true, false);
                s.wait_days(1, 2);
                let lines = stage::suite(s);
                stage::ordered(s, a, Purpose::Begin, lines, true);
                stage::mailed(s, a);
                about = lands(s, a, &tenant);
                set::used(s, a, &tenant);
                s.wait_days(10, 20);
            }
            about
        })
        .map(Told::only)
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let expected = about.expected.as_deref().unwrap_or_default();
    vec![
        lines.landed(about),
        need(
            "the binding to the first tenant",
            lines.has("ServicesBoundToTenant", &[("tenant", expected)]),
        ),
        need(
            "that the second one is new",
            lines.has("TenantCreated", &[("tenant", &about.tenant)]),
        ),
    ]
}

fn numbers_of_its_own(lines: &Lines, about: &Subject) -> Vec<Need> {
    let order = about.order.as_deref().unwrap_or_default();
    let fields = [("order", order), ("intended_tenant", about.tenant.as_str())];
    vec![need(
        "the tenant on the order",
        lines.has("OrderPlaced", &fields),
    )]
}
