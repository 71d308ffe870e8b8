//! W12, a customer that never had anything signs in at all: into whose tenant?

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::Customer;
use crate::simulate::chapter::choice;
use crate::simulate::label::{Need, Subject};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 12,
    name: "a new customer signed in",
    wrong: &[
        Act {
            name: "into the tenant of another customer",
            also: &[5, 11],
            play: into_anothers,
            needs,
        },
        Act {
            name: "into a tenant that nobody knows",
            also: &[4, 11],
            play: into_an_unknown_one,
            needs,
        },
    ],
    alike: &[Act {
        name: "assessed as new by mistake: the customer has a paid tenant",
        also: &[],
        play: wrongly_assessed,
        needs: its_own,
    }],
};

fn signs_in(s: &mut Scene<'_>, tenant: &str) -> Option<Subject> {
    let a = stage::ordered_again_unnamed(s, false);
    stage::mailed(s, a);
    let person = set::administrator(s);
    let visitor = crate::simulate::chapter::session::Visitor::from_elsewhere(&person, Some(tenant));
    let session = set::session(s, a, &visitor, tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant,
        flow: "Unknown",
    };
    let mut about = set::sign_in(s, a, "New", &way)?;
    about.expected = None;
    Some(about)
}

fn into_anothers(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who: Customer = stage.registered();
    let other = stage.other();
    stage.with(&mut who, |s| {
        set::administers(s, &other);
        signs_in(s, &other.tenant).map(Told::only)
    })
}

fn into_an_unknown_one(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let tenant = format!("guesswork{}.onmicrosoft.example", s.out.serial());
        signs_in(s, &tenant).map(Told::only)
    })
}

fn wrongly_assessed(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.known();
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let about = signs_in(s, &tenant)?;
        s.wait_days(1, 3);
        // The desk corrects its assessment when it sees the tenant.
        let a = s.who.agreements.len() - 1;
        let order = crate::simulate::cast::Order {
            id: about.order.clone()?,
            activation: about.activation.clone()?,
            purpose: crate::simulate::cast::Purpose::Begin,
            keys: Vec::new(),
            record: 0,
            placed: s.today(),
            mail: None,
            by_reseller: false,
        };
        choice::assessed(s, a, &order, "ExistingPaid");
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let license = about.license_id.as_str();
    let fields = [("license_id", license), ("scenario", "New")];
    vec![
        lines.landed(about),
        need(
            "the choice",
            lines.has("SignInChosen", &[("license_id", license)]),
        ),
        need("the scenario", lines.has("ScenarioAssessed", &fields)),
    ]
}

fn its_own(lines: &Lines, about: &Subject) -> Vec<Need> {
    let fields = [
        ("tenant", about.tenant.as_str()),
        ("owner", about.customer.as_str()),
    ];
    vec![need("whose tenant it is", lines.has("TenantObserved", &fields))]
}
