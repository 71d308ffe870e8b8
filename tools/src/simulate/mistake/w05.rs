//! W5, the tenant belongs to another customer.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::Purpose;
use crate::simulate::chapter::{agreement, order};
use crate::simulate::label::{Need, Subject};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 5,
    name: "the tenant belongs to another customer",
    wrong: &[
        Act {
            name: "keys are redeemed in another customer's tenant",
            also: &[],
            play: |stage| landed(stage, What::Keys, None),
            needs,
        },
        Act {
            name: "credit is activated in another customer's tenant",
            also: &[24],
            play: |stage| landed(stage, What::Credit, None),
            needs,
        },
        Act {
            name: "services are bound by Sign In to another customer's tenant",
            also: &[27],
            play: |stage| landed(stage, What::SignIn, None),
            needs,
        },
    ],
    alike: &[
        Act {
            name: "the two have merged",
            also: &[],
            play: |stage| landed(stage, What::Keys, Some("Merged")),
            needs: related,
        },
        Act {
            name: "the other one owns it",
            also: &[],
            play: |stage| landed(stage, What::Keys, Some("ParentOf")),
            needs: related,
        },
        Act {
            name: "the other one is its former name",
            also: &[],
            play: |stage| landed(stage, What::SignIn, Some("RenamedTo")),
            needs: related,
        },
        Act {
            name: "both belong to one group",
            also: &[],
            play: |stage| landed(stage, What::Keys, Some("Affiliated")),
            needs: related,
        },
    ],
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Keys,
    Credit,
    SignIn,
}

fn landed(stage: &mut Stage<'_>, what: What, relation: Option<&'static str>) -> Option<Told> {
    let open = what != What::SignIn;
    // Relatives that share a tenant have none of their own beside it.
    let mut who = match relation {
        None => stage.settled(open),
        Some(_) => stage.registered(),
    };
    let other = stage.other();
    stage.with(&mut who, |s| {
        if let Some(relation) = relation {
            let own = s.who.id.clone();
            set::related(s, &other.customer, &own, relation);
            s.wait_days(3, 20);
            s.who.tenant = Some(other.tenant.clone());
        }
        let visitor = set::administers(s, &other);
        let a = order_of(s, what);
        stage::mailed(s, a);
        let session = set::session(s, a, &visitor, &other.tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &other.tenant,
            flow: "Prepopulated",
        };
        let about = match what {
            What::Keys | What::Credit => set::redeem(s, a, &way)?,
            What::SignIn => set::sign_in(s, a, "ExistingPaid", &way)?,
        };
        if relation.is_some() {
            set::used(s, a, &other.tenant);
        }
        Some(Told::only(about))
    })
}

fn order_of(s: &mut Scene<'_>, what: What) -> usize {
    if what != What::Credit {
        return stage::ordered_again(s, what == What::Keys);
    }
    let a = agreement::sign(s, true, true);
    s.wait_days(1, 3);
    let lines = vec![order::credit_line(3)];
    stage::ordered(s, a, Purpose::Begin, lines, false);
    a
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    vec![lines.landed(about), lines.owned_by_another(about)]
}

fn related(lines: &Lines, about: &Subject) -> Vec<Need> {
    let own = about.customer.as_str();
    vec![need(
        "the relation of the two",
        lines.has("CustomersRelated", &[("related", own)]),
    )]
}
