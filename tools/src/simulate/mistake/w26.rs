//! W26, a key is reissued and the first redemption still counts: both are live.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Mistake as Landed, Order};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{cases, reissue};
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 26,
    name: "a reissued key whose first redemption still counts",
    wrong: &[Act {
        name: "the new key is redeemed and the old one is never reversed",
        also: &[2, 3, 4, 5, 8],
        play: |stage| reissued(stage, None),
        needs,
    }],
    alike: &[
        Act {
            name: "the reversal is reported forty hours after the reissue",
            also: &[2, 3, 4, 5, 8],
            play: |stage| reissued(stage, Some(40)),
            needs: was_reversed,
        },
        Act {
            name: "the reversal comes within hours",
            also: &[2, 3, 4, 5, 8],
            play: |stage| reissued(stage, Some(5)),
            needs: was_reversed,
        },
    ],
};

fn reissued(stage: &mut Stage<'_>, reversed_after_hours: Option<i64>) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let visitor = set::administers(s, &other);
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let order = set::pending(s, a)?;
        let session = set::session(s, a, &visitor, &other.tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &other.tenant,
            flow: "Prepopulated",
        };
        let mut about = set::redeem(s, a, &way)?;
        let sub = s.who.subscriptions.iter().rposition(|sub| sub.agreement == a)?;
        s.wait_days(3, 9);
        let right = s.who.tenant_id();
        let tenants = Some((other.tenant.as_str(), right.as_str()));
        let case = cases::open_about(s, "Reissue", &[a], None, tenants);
        let landed = Landed {
            tenant: other.tenant.clone(),
            customer: other.customer.clone(),
            administrator: other.administrator.clone(),
            redemption: about.redemption.clone(),
            subscriptions: vec![(
                s.who.subscriptions[sub].id.clone(),
                s.who.subscriptions[sub].seats,
            )],
            users: Vec::new(),
            order: order.clone(),
        };
        let reissue_at = s.now;
        let keys = reissue::reissued(s, a, &case, &landed);
        if let Some(hours) = reversed_after_hours {
            let after = s.now;
            s.now = reissue_at.plus_minutes(hours * 60);
            reissue::reversed(s, a, &case, &landed);
            s.now = after;
        }
        let today = s.today();
        s.who.subscriptions[sub].closed = Some(today);
        s.who.agreements[a].pending = Some(Order { keys, ..order });
        s.wait_days(3, 5);
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &right, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &right,
            flow: "ManualEntry",
        };
        let second = set::redeem(s, a, &way)?;
        set::used(s, a, &right);
        // Long enough for any lag to be over.
        s.wait_days(8, 12);
        cases::close(s, &case, "Compensated");
        about.case = Some(case);
        Some(Told {
            subject: about,
            beside: vec![(second, &[26])],
        })
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let case = about.case.as_deref().unwrap_or_default();
    vec![
        lines.landed(about),
        need("the reissue", lines.has("KeyReissued", &[("case", case)])),
    ]
}

fn was_reversed(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redemption = about.redemption.as_deref().unwrap_or_default();
    vec![need(
        "the reversal",
        lines.has("RedemptionReversed", &[("redemption", redemption)]),
    )]
}
