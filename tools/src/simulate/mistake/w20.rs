//! W20, a leaked key is redeemed by somebody who has nothing to do with the customer.

use super::lines::{Lines, need};
use super::set;
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Order, Purpose};
use crate::simulate::chapter::redemption::{self, Redemption};
use crate::simulate::chapter::session::{self, Visitor};
use crate::simulate::chapter::{agreement, choice, registration};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 20,
    name: "a leaked key",
    wrong: &[Act {
        name: "a key from a file makes a tenant of an unknown company abroad",
        also: &[3, 4, 9],
        play: leaked,
        needs,
    }],
    alike: &[Act {
        name: "a new customer makes its first tenant under a domain that nobody has seen",
        also: &[],
        play: brand_new,
        needs: its_own_company,
    }],
};

fn revealed(s: &mut Scene<'_>, order: &Order) {
    let partner = &s.channel.resellers[s.who.reseller];
    for line in &order.keys {
        s.out
            .fact("KeyRevealed", s.now, System::ORDERS)
            .by(By::company("Partner", &partner.id, None))
            .data(|f| {
                f.text("key", &line.key).text("partner", &partner.id);
                f.text("channel", "File");
            });
    }
    s.wait_days(3, 20);
}

fn leaked(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let thief = stage.stranger();
    let far = if who.country == "NZ" { "CL" } else { "NZ" };
    let person = thief.people.first()?.clone();
    let (company, tenant) = (thief.name.clone(), thief.initial_domain());
    let order = stage.with(&mut who, |s| {
        let a = stage::ordered_again(s, true);
        let order = set::pending(s, a)?;
        revealed(s, &order);
        Some(order)
    })?;
    stage.with(&mut who, |s| {
        let a = s.who.agreements.len() - 1;
        let mut about = set::subject(s, a, &tenant);
        let visitor = Visitor::from_elsewhere(&person, None);
        let license = s.who.agreements[a].license_id.clone();
        let session = session::open_as(s, &visitor, None, None, "Interactive");
        s.out
            .fact("ProfileEntered", s.now, System::PORTAL)
            .by(visitor.by())
            .data(|f| {
                f.text("session", &session).named("person", &person);
                f.text("company", &company).text("country", far);
            });
        s.wait_minutes(1, 3);
        s.out
            .fact("TenantCreated", s.now, System::DIRECTORY)
            .by(visitor.by())
            .data(|f| {
                f.text("tenant", &tenant).text("initial_domain", &tenant);
                f.text("company", &company).text("country", far);
                f.text("created_via", "SetupBusiness").text("session", &session);
                f.text("license_id", &license);
            });
        set::given_role(s, &tenant, &person, "GlobalAdministrator", None);
        s.wait_minutes(1, 3);
        let id = s.out.id("rd");
        let r = Redemption {
            id: &id,
            session: &session,
            visitor: &visitor,
            a,
            order: &order,
            tenant: &tenant,
        };
        redemption::started(s, &r, "Setupbusiness");
        redemption::keys_entered(s, &r);
        set::inside(s, &tenant, |s| redemption::lands(s, &r));
        about.redemption = Some(id);
        about.session = Some(session);
        Some(Told::only(about))
    })
}

fn brand_new(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let a = agreement::sign(s, true, false);
        s.wait_days(1, 3);
        let lines = stage::suite(s);
        stage::ordered(s, a, Purpose::Begin, lines, false);
        let order = set::pending(s, a)?;
        revealed(s, &order);
        // The company's name and country are its own; the domain is new.
        s.who.domain = format!("new-{}", s.who.domain);
        let tenant = s.who.initial_domain();
        let mut about = set::subject(s, a, &tenant);
        let mut visitor = Visitor::administrator(s);
        let license = s.who.agreements[a].license_id.clone();
        let session = session::open_as(s, &visitor, None, Some(&license), "Interactive");
        choice::make_tenant(s, a, &session, &mut visitor, "SetupBusiness");
        registration::domain_verified(s);
        let id = s.out.id("rd");
        let r = Redemption {
            id: &id,
            session: &session,
            visitor: &visitor,
            a,
            order: &order,
            tenant: &tenant,
        };
        redemption::started(s, &r, "Setupbusiness");
        redemption::keys_entered(s, &r);
        redemption::lands(s, &r);
        set::used(s, a, &tenant);
        about.redemption = Some(id);
        about.session = Some(session);
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redemption = about.redemption.as_deref().unwrap_or_default();
    let fields = [("redemption", redemption), ("flow", "Setupbusiness")];
    vec![
        lines.landed(about),
        need(
            "how the key was handed out",
            lines.has("KeyRevealed", &[("channel", "File")]),
        ),
        need("the flow", lines.has("RedemptionStarted", &fields)),
        need(
            "whose tenant it is",
            lines.has("TenantCreated", &[("tenant", &about.tenant)]),
        ),
    ]
}

fn its_own_company(lines: &Lines, about: &Subject) -> Vec<Need> {
    let tenant = [("tenant", about.tenant.as_str())];
    let company = lines.text("TenantCreated", &tenant, "company");
    let customer = [("customer", about.customer.as_str())];
    vec![need(
        "the company's name",
        company.is_some_and(|name| lines.lists("CustomerRegistered", &customer, "names", name)),
    )]
}
