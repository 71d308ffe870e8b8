//! W16, Add where Renew was meant, or the reverse.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Key, Purpose};
use crate::simulate::chapter::mail;
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};
use crate::simulate::scene::Scene;

/// How long before today the first term began, in days.
const TERM_BEGAN_DAYS: i64 = 370;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 16,
    name: "added instead of renewed, or the reverse",
    wrong: &[
        Act {
            name: "as many seats as there are, added weeks before the end",
            also: &[],
            play: |stage| later(stage, Purpose::Add, 1000, 30, false),
            needs,
        },
        Act {
            name: "a few seats renew everything in the middle of the term",
            also: &[],
            play: |stage| later(stage, Purpose::Renew, 150, 200, false),
            needs,
        },
    ],
    alike: &[
        Act {
            name: "a few more seats near the end",
            also: &[],
            play: |stage| later(stage, Purpose::Add, 250, 40, false),
            needs: |_, _| Vec::new(),
        },
        Act {
            name: "the number of users doubles near the end, and all of it is renewed",
            also: &[],
            play: |stage| later(stage, Purpose::Add, 1000, 30, true),
            needs: renewed_after,
        },
        Act {
            name: "renewed in time, with the seats that there are",
            also: &[],
            play: |stage| later(stage, Purpose::Renew, 1000, 35, false),
            needs: |_, _| Vec::new(),
        },
    ],
};

/// A later order: its seats in thousandths of what there is, and the days that are left of the term.
fn later(
    stage: &mut Stage<'_>,
    purpose: Purpose,
    share: u32,
    left_days: i64,
    grows: bool,
) -> Option<Told> {
    stage.goes_back(TERM_BEGAN_DAYS);
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let live = s.who.subscriptions.first()?.clone();
        s.now = s.now.max(live.end.plus_days(-left_days - 10).start());
        let seats = (live.seats * share / 1000).max(1);
        let about = by_key(s, purpose, live.sku, seats)?;
        if grows {
            let tenant = s.who.tenant_id();
            set::used(s, 0, &tenant);
            s.wait_days(6, 9);
            let all = s.who.subscriptions.first()?.seats;
            by_key(s, Purpose::Renew, live.sku, all)?;
        }
        Some(Told::only(about))
    })
}

fn by_key(s: &mut Scene<'_>, purpose: Purpose, sku: &'static str, seats: u32) -> Option<Subject> {
    let key = Key {
        key: s.who.random.key(),
        sku,
        seats,
        credit: 0,
    };
    stage::ordered(s, 0, purpose, vec![key], false);
    mail::suppress(s, 0, "AlreadyActivated");
    s.wait_days(1, 4);
    let tenant = s.who.tenant_id();
    let visitor = Visitor::administrator(s);
    let session = set::session(s, 0, &visitor, &tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant: &tenant,
        flow: "Prepopulated",
    };
    set::redeem(s, 0, &way)
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let effects = lines.landing(about).map(|landing| &landing["effects"][0]);
    let known = effects.is_some_and(|effect| {
        effect["seats_before"].is_number() && effect["end_before"].is_string()
    });
    vec![
        lines.landed(about),
        need("seats and end before", known),
    ]
}

fn renewed_after(lines: &Lines, about: &Subject) -> Vec<Need> {
    let fields = [
        ("license_id", about.license_id.as_str()),
        ("mode", "RenewPlus12"),
    ];
    vec![need("the renewal", lines.has("KeysRedeemed", &fields))]
}
