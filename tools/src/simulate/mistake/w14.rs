//! W14, assigned by a customer number that is not the customer's any more.

use super::lines::{Lines, need};
use super::set;
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 14,
    name: "assigned by a customer number that belongs to somebody else",
    wrong: &[Act {
        name: "the renewal after a demerger still has the old number",
        also: &[5, 13],
        play: |stage| renewed_by_another(stage, None),
        needs,
    }],
    alike: &[Act {
        name: "the agreement went to an affiliate on purpose",
        also: &[],
        play: |stage| renewed_by_another(stage, Some("Affiliated")),
        needs: by_intent,
    }],
};

fn renewed_by_another(stage: &mut Stage<'_>, relation: Option<&'static str>) -> Option<Told> {
    let former = stage.settled(false);
    let (tenant, pcn, owner) = (
        former.tenant_id(),
        former.pcn.clone(),
        former.id.clone(),
    );
    let old = former.agreements.first()?.license_id.clone();
    let mut who = match relation {
        None => stage.known(),
        Some(_) => stage.registered(),
    };
    stage.with(&mut who, |s| {
        if let Some(relation) = relation {
            let own = s.who.id.clone();
            set::related(s, &owner, &own, relation);
            s.wait_days(3, 10);
            s.who.tenant = Some(tenant.clone());
        }
        s.who.pcn.clone_from(&pcn);
        let names_tenant = relation.is_some();
        let a = stage::ordered_again_for(s, false, names_tenant);
        let new = s.who.agreements[a].license_id.clone();
        s.out
            .fact("AgreementRenewedAs", s.now, System::AGREEMENTS)
            .by(By::VENDOR)
            .data(|f| {
                f.text("old_license_id", &old).text("new_license_id", &new);
                f.text("pcn_old", &pcn).text("pcn_new", &pcn);
            });
        s.wait_days(1, 3);
        let about = set::assigned(s, a, "CustomerNumberAssigned", &tenant)?;
        if relation.is_some() {
            set::used(s, a, &tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let new = about.license_id.as_str();
    let old = lines.text(
        "AgreementRenewedAs",
        &[("new_license_id", new)],
        "old_license_id",
    );
    let customer = |license: &str| {
        lines.text("AgreementSigned", &[("license_id", license)], "customer")
    };
    let other = old.is_some_and(|old| {
        let (before, after) = (customer(old), customer(new));
        before.is_some() && after.is_some() && before != after
    });
    vec![
        lines.landed(about),
        need("that the customer changed with the renewal", other),
    ]
}

fn by_intent(lines: &Lines, about: &Subject) -> Vec<Need> {
    let own = about.customer.as_str();
    vec![need(
        "the relation of the two",
        lines.has("CustomersRelated", &[("related", own)]),
    )]
}
