//! W13, assigned without a choice because the manager administers a tenant somewhere else.

use super::lines::{Lines, need};
use super::set;
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::MANAGER;
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 13,
    name: "assigned to a tenant that the manager administers elsewhere",
    wrong: &[Act {
        name: "the manager is a consultant of another company",
        also: &[5],
        play: |stage| managed_elsewhere(stage, None),
        needs,
    }],
    alike: &[Act {
        name: "the manager administers the tenant of the group",
        also: &[],
        play: |stage| managed_elsewhere(stage, Some("ParentOf")),
        needs: of_the_group,
    }],
};

fn managed_elsewhere(stage: &mut Stage<'_>, relation: Option<&'static str>) -> Option<Told> {
    let mut who = match relation {
        None => stage.known(),
        Some(_) => stage.registered(),
    };
    let other = stage.other();
    stage.with(&mut who, |s| {
        if let Some(relation) = relation {
            let own = s.who.id.clone();
            set::related(s, &other.customer, &own, relation);
            s.wait_days(3, 10);
            s.who.tenant = Some(other.tenant.clone());
        }
        let manager = s.who.people[MANAGER].clone();
        set::given_role(s, &other.tenant, &manager, "GlobalAdministrator", None);
        s.wait_days(2, 5);
        let a = stage::ordered_again_unnamed(s, false);
        let about = set::assigned(s, a, "ManagerIsAdministrator", &other.tenant)?;
        if relation.is_some() {
            set::used(s, a, &other.tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    vec![
        lines.landed(about),
        need(
            "the criterion",
            lines.has(
                "ServicesAutoAssigned",
                &[("criterion", "ManagerIsAdministrator")],
            ),
        ),
        lines.expected(about),
    ]
}

fn of_the_group(lines: &Lines, about: &Subject) -> Vec<Need> {
    let own = about.customer.as_str();
    vec![need(
        "the relation of the two",
        lines.has("CustomersRelated", &[("related", own)]),
    )]
}
