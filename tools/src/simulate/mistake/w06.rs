//! W6, the partner's own tenant.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{channel, mail, registration};
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 6,
    name: "the partner's own tenant",
    wrong: &[Act {
        name: "the technician redeems while signed in at home",
        also: &[2, 5, 7],
        play: at_the_partners,
        needs,
    }],
    alike: &[Act {
        name: "a partner buys for itself",
        also: &[],
        play: internal_use,
        needs: |_, _| Vec::new(),
    }],
};

fn at_the_partners(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let partner = stage.partner();
    stage.with(&mut who, |s| {
        channel::register(partner, "Reseller", None, s.out, s.now);
        set::delegated(s, &s.who.tenant_id(), partner);
        let technician = &partner.technician;
        set::given_role(s, &partner.tenant, technician, "GlobalAdministrator", None);
        s.wait_days(1, 3);
        let a = stage::ordered_again(s, true);
        mail::invite_through(s, a, std::slice::from_ref(technician));
        s.wait_days(1, 3);
        let visitor = Visitor::technician(s);
        let session = set::session(s, a, &visitor, &partner.tenant, "Cached");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &partner.tenant,
            flow: "Prepopulated",
        };
        set::redeem(s, a, &way).map(Told::only)
    })
}

fn internal_use(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        registration::is_partner(s);
        s.wait_days(1, 3);
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &tenant, "Cached");
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

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let customer = about.customer.as_str();
    vec![
        lines.landed(about),
        need(
            "whose tenant it is",
            lines.lists("PartnerRegistered", &[], "tenants", &about.tenant),
        ),
        need(
            "who the end customer is",
            lines.has("OrderPlaced", &[("end_customer", customer)]),
        ),
    ]
}
