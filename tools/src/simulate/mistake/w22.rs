//! W22, a machine is licensed by a tenant that is not its user's, though the redemption was right.

use super::lines::{Lines, need};
use super::stage::Stage;
use super::{Act, Mistake, Told};
use crate::simulate::chapter::install;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 22,
    name: "a machine licensed by another tenant than its user's",
    wrong: &[Act {
        name: "a cached identity of another company licenses the machine",
        also: &[],
        play: |stage| observed_in(stage, false),
        needs,
    }],
    alike: &[Act {
        name: "the user works for both companies and has a licence in each",
        also: &[],
        play: |stage| observed_in(stage, true),
        needs: licensed_in_both,
    }],
};

fn observed_in(stage: &mut Stage<'_>, works_for_both: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let seat = s.who.seats.first()?.clone();
        install::install(s, 0);
        s.wait_days(2, 6);
        let user = s.who.people[seat.user].clone();
        let sku = s.who.subscriptions.first()?.sku;
        if works_for_both {
            s.out
                .fact("LicensesAssigned", s.now, System::DIRECTORY)
                .by(By::customer(&other.administrator, Some(&other.tenant)))
                .data(|f| {
                    f.text("tenant", &other.tenant).text("sku", sku);
                    f.people("users", [&user]);
                });
            s.wait_days(1, 3);
        }
        // Longer than a machine takes to follow its user by itself (R22).
        s.wait_days(32, 50);
        printed(s, &seat.machine, &other.tenant, seat.user);
        let agreement = s.who.agreements.first()?;
        Some(Told::only(Subject {
            customer: s.who.id.clone(),
            license_id: agreement.license_id.clone(),
            tenant: other.tenant.clone(),
            expected: s.who.tenant.clone(),
            machine: Some(seat.machine),
            ..Subject::default()
        }))
    })
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
