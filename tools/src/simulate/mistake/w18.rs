//! W18, a tenant that a user signed up for by himself, with the customer's domain.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 18,
    name: "a user's own tenant with the customer's domain",
    wrong: &[Act {
        name: "nobody administers the tenant",
        also: &[4, 9],
        play: |stage| viral(stage, false),
        needs,
    }],
    alike: &[Act {
        name: "an administrator took the tenant over before the order",
        also: &[],
        play: |stage| viral(stage, true),
        needs: taken_over,
    }],
};

fn viral(stage: &mut Stage<'_>, taken_over: bool) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let tenant = set::tenant_named(s, "self");
        let user = set::employee(s);
        s.out
            .fact("TenantCreated", s.now, System::DIRECTORY)
            .by(By::customer(&user, Some(&tenant)))
            .data(|f| {
                f.text("tenant", &tenant).text("initial_domain", &tenant);
                f.text("created_via", "SelfService");
            });
        s.wait_days(1, 2);
        let domain = s.who.domain.clone();
        s.out
            .fact("TenantObserved", s.now, System::DIRECTORY)
            .data(|f| {
                f.text("tenant", &tenant).text("initial_domain", &tenant);
                f.texts("domains", [domain.as_str()]);
                f.text("cloud", "Public").text("created_via", "SelfService");
            });
        s.wait_days(3, 9);
        let person = set::administrator(s);
        if taken_over {
            set::given_role(s, &tenant, &person, "GlobalAdministrator", None);
            s.wait_days(2, 5);
            s.who.tenant = Some(tenant.clone());
        }
        let a = stage::ordered_again_unnamed(s, true);
        stage::mailed(s, a);
        let visitor = Visitor::from_elsewhere(&person, Some(&tenant));
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        if taken_over {
            set::used(s, a, &tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let tenant = about.tenant.as_str();
    let created = [("tenant", tenant), ("created_via", "SelfService")];
    vec![
        lines.landed(about),
        need(
            "how the tenant came to be",
            lines.has("TenantCreated", &created),
        ),
        need(
            "that nobody administers it",
            !lines.has("TenantRoleAssigned", &[("tenant", tenant)]),
        ),
    ]
}

fn taken_over(lines: &Lines, about: &Subject) -> Vec<Need> {
    let tenant = [("tenant", about.tenant.as_str())];
    vec![need(
        "the takeover",
        lines.has("TenantRoleAssigned", &tenant),
    )]
}
