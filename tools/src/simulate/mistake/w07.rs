//! W7, a partner redeems for one customer into another one that it administers too.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::mail;
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 7,
    name: "a partner redeemed for one customer into another",
    wrong: &[Act {
        name: "the technician takes the wrong one of its customers",
        also: &[5],
        play: |stage| delegated_in_both(stage, true),
        needs,
    }],
    alike: &[Act {
        name: "a technician who administers two customers takes the right one",
        also: &[],
        play: |stage| delegated_in_both(stage, false),
        needs: |_, _| Vec::new(),
    }],
};

fn delegated_in_both(stage: &mut Stage<'_>, wrong: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    let partner = stage.partner();
    stage.with(&mut who, |s| {
        let own = s.who.tenant_id();
        set::delegated(s, &own, partner);
        set::delegated(s, &other.tenant, partner);
        s.wait_days(1, 3);
        let a = stage::ordered_again(s, true);
        mail::invite_through(s, a, std::slice::from_ref(&partner.technician));
        s.wait_days(1, 3);
        let tenant = if wrong { &other.tenant } else { &own };
        let visitor = Visitor::technician(s);
        let session = set::session(s, a, &visitor, tenant, "Delegated");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        if !wrong {
            set::used(s, a, tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redemption = about.redemption.as_deref().unwrap_or_default();
    let mut landed = lines.all("KeysRedeemed", &[("redemption", redemption)]);
    vec![
        need(
            "the redemption by a partner",
            landed.any(|event| event["actor"]["kind"] == "Partner"),
        ),
        lines.owned_by_another(about),
    ]
}
