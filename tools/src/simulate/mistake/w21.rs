//! W21, a bypass that went into a tenant that is not of its agreement, or came too late.

use super::lines::{Lines, need};
use super::stage::Stage;
use super::{Act, Mistake, Told};
use crate::simulate::chapter::agreement;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use ledger::time::Timestamp;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 21,
    name: "a bypass that the rules do not allow",
    wrong: &[
        Act {
            name: "into the tenant of another customer",
            also: &[5],
            play: |stage| bypassed(stage, "2011-06-09T00:00:00Z", true),
            needs: |lines, about| vec![transitioned(lines, about), lines.owned_by_another_customer(about)],
        },
        Act {
            name: "after July 2011",
            also: &[],
            play: |stage| bypassed(stage, "2011-09-20T00:00:00Z", false),
            needs: |lines, about| vec![transitioned(lines, about)],
        },
    ],
    alike: &[Act {
        name: "in June 2011, into the tenant of its customer",
        also: &[],
        play: |stage| bypassed(stage, "2011-06-21T00:00:00Z", false),
        needs: |_, _| Vec::new(),
    }],
};

fn bypassed(stage: &mut Stage<'_>, day: &str, astray: bool) -> Option<Told> {
    let mut who = stage.known();
    let other = stage.other();
    let moved = Timestamp::parse(day)?;
    stage.with(&mut who, |s| {
        let tenant = match astray {
            true => other.tenant.clone(),
            false => s.who.tenant_id(),
        };
        let license_id = agreement::license_id(s);
        let subscription = s.out.id("bpos");
        let who = &*s.who;
        let signed = moved.plus_days(-390);
        s.out
            .fact("AgreementSigned", signed, System::ARCHIVE)
            .known_at(s.now)
            .data(|f| {
                f.text("license_id", &license_id)
                    .text("program", "Enterprise");
                f.text("pcn", &who.pcn).text("customer", &who.id);
                f.date("start", signed.date());
            });
        s.out
            .fact("BypassTransitioned", moved, System::ARCHIVE)
            .known_at(s.now)
            .by(By::VENDOR)
            .data(|f| {
                f.text("license_id", &license_id);
                f.text("bpos_subscription", &subscription)
                    .text("tenant", &tenant);
                f.flag("never_activated", true).flag("trial", false);
            });
        Some(Told::only(Subject {
            customer: s.who.id.clone(),
            license_id,
            tenant,
            expected: s.who.tenant.clone(),
            ..Subject::default()
        }))
    })
}

fn transitioned(lines: &Lines, about: &Subject) -> Need {
    let fields = [
        ("license_id", about.license_id.as_str()),
        ("tenant", about.tenant.as_str()),
    ];
    need("the transition", lines.has("BypassTransitioned", &fields))
}
