//! W24, credit is added to somebody else's Azure subscription: it cannot be cancelled.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Lot, Purpose};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{agreement, order};
use crate::simulate::label::{Need, Subject};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 24,
    name: "credit added to another customer's Azure subscription",
    wrong: &[Act {
        name: "the technician tops up the Azure subscription of another customer",
        also: &[2, 5, 7],
        play: anothers,
        needs,
    }],
    alike: &[Act {
        name: "the customer tops up its own, under another agreement",
        also: &[],
        play: its_own,
        needs: |_, _| Vec::new(),
    }],
};

/// Orders credit and activates it; returns what it is about and the lot.
fn credited(
    s: &mut Scene<'_>,
    purpose: Purpose,
    tenant: &str,
    technician: bool,
) -> Option<(Subject, Lot)> {
    let a = agreement::sign(s, true, true);
    s.wait_days(1, 3);
    let lines = vec![order::credit_line(4)];
    stage::ordered(s, a, purpose, lines, false);
    let visitor = match technician {
        false => {
            stage::mailed(s, a);
            Visitor::administrator(s)
        }
        true => {
            let person = s.channel.resellers[s.who.reseller].technician.clone();
            crate::simulate::chapter::mail::invite_through(s, a, &[person]);
            s.wait_days(1, 2);
            Visitor::technician(s)
        }
    };
    let auth = if technician { "Delegated" } else { "Interactive" };
    let session = set::session(s, a, &visitor, tenant, auth);
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant,
        flow: "Prepopulated",
    };
    let mut about = set::redeem(s, a, &way)?;
    let lot = s.who.lots.last()?.clone();
    about.azure = Some(lot.azure.clone());
    s.wait_days(10, 30);
    Some((about, lot))
}

fn anothers(stage: &mut Stage<'_>) -> Option<Told> {
    let mut other = stage.settled(true);
    let tenant = other.tenant_id();
    let partner = stage.partner();
    let (_, lot) = stage.with(&mut other, |s| {
        set::delegated(s, &tenant, partner);
        credited(s, Purpose::Begin, &tenant, false)
    })?;
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        s.who.lots.push(lot);
        let (about, _) = credited(s, Purpose::Add, &tenant, true)?;
        Some(Told::only(about))
    })
}

fn its_own(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        credited(s, Purpose::Begin, &tenant, false)?;
        let (about, _) = credited(s, Purpose::Add, &tenant, false)?;
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let azure = about.azure.as_deref().unwrap_or_default();
    let mut lots = lines.all("CreditLotActivated", &[("azure_subscription", azure)]);
    let license = about.license_id.as_str();
    let another = lots.any(|event| event["data"]["license_id"].as_str() != Some(license));
    vec![
        need(
            "the lot",
            lines.has(
                "CreditLotActivated",
                &[("azure_subscription", azure), ("license_id", license)],
            ),
        ),
        need("whose Azure subscription it is", another),
    ]
}
