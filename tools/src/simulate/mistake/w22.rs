//! W22, a machine is licensed by a tenant that is not its user's, though the redemption was right.

use super::lines::{Lines, need};
use super::stage::Stage;
use super::{Act, Mistake, Told};
use crate::simulate::cast::Person;
use crate::simulate::chapter::{install, licences};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 22,
    name: "a machine licensed by another tenant than its user's",
    wrong: &[
        Act {
            name: "a cached identity of another company licenses the machine",
            also: &[],
            play: |stage| observed_in(stage, false, (3, 9)),
            needs,
        },
        Act {
            name: "it still does after its next revalidation",
            also: &[],
            play: |stage| observed_in(stage, false, (32, 50)),
            needs,
        },
    ],
    alike: &[Act {
        name: "the user works for both companies and has a licence in each",
        also: &[],
        play: |stage| observed_in(stage, true, (32, 50)),
        needs: licensed_in_both,
    }],
};

/// A tool shows the tenant some days after the user was given the licence in the right one.
fn observed_in(
    stage: &mut Stage<'_>,
    works_for_both: bool,
    after_days: (u32, u32),
) -> Option<Told> {
    let mut second = stage.settled(true);
    let other = second.tenant_id();
    let mut who = stage.settled(true);
    if works_for_both {
        let user = who.people[who.seats.first()?.user].clone();
        stage.with(&mut second, |s| takes_a_seat(s, &user))?;
    }
    stage.with(&mut who, |s| {
        let seat = s.who.seats.first()?.clone();
        install::install(s, 0);
        s.wait_days(after_days.0, after_days.1);
        printed(s, &seat.machine, &other, seat.user);
        let agreement = s.who.agreements.first()?;
        Some(Told::only(Subject {
            customer: s.who.id.clone(),
            license_id: agreement.license_id.clone(),
            tenant: other,
            expected: s.who.tenant.clone(),
            machine: Some(seat.machine),
            ..Subject::default()
        }))
    })
}

/// Somebody leaves the other company, and the user gets the licence.
fn takes_a_seat(s: &mut Scene<'_>, user: &Person) -> Option<()> {
    let leaver = s.who.seats.first()?.user;
    licences::unassigned(s, 0, &[leaver]);
    s.wait_minutes(20, 90);
    s.who.people.push(user.clone());
    let number = s.who.people.len() - 1;
    licences::assigned(s, 0, &[number]);
    s.wait_days(1, 3);
    Some(())
}

/// The newer tool prints the tenant that the licence hangs on (E14).
fn printed(s: &mut Scene<'_>, machine: &str, tenant: &str, user: usize) {
    let last5 = s.who.random.last5();
    let user = &s.who.people[user];
    s.out
        .fact("LicenseStateObserved", s.now, System::VNEXTDIAG)
        .by(By::agent(user, tenant, None))
        .data(|f| {
            f.text("machine", machine).person("user", user);
            f.text("tenant", tenant);
            f.text("product", "O365ProPlusRetail")
                .text("state", "Licensed");
            f.number("remaining_minutes", 30_000);
            f.text("machine_key_last5", &last5)
                .text("tool", "vnextdiag");
        });
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let machine = about.machine.as_deref().unwrap_or_default();
    let printed = [("machine", machine), ("tenant", about.tenant.as_str())];
    let own = about.expected.as_deref().unwrap_or_default();
    vec![
        need(
            "what the tool printed",
            lines.has("LicenseStateObserved", &printed),
        ),
        need(
            "the user's own tenant",
            lines.has("SeatProvisioned", &[("machine", machine), ("tenant", own)]),
        ),
    ]
}

fn licensed_in_both(lines: &Lines, about: &Subject) -> Vec<Need> {
    vec![need(
        "the licence in the other tenant",
        lines.has("LicensesAssigned", &[("tenant", &about.tenant)]),
    )]
}
