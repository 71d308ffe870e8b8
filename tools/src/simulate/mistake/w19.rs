//! W19, the mail went to somebody who is not the contact any more, and who redeems.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{agreement, mail};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 19,
    name: "redeemed by a former contact",
    wrong: &[
        Act {
            name: "the contact is replaced between mail and redemption, and redeems",
            also: &[3],
            play: |stage| former_contact(stage, false, true),
            needs,
        },
        Act {
            name: "the contact leaves after the mail, and redeems in the new employer's tenant",
            also: &[2, 3, 5, 9],
            play: |stage| former_contact(stage, false, false),
            needs,
        },
    ],
    alike: &[Act {
        name: "the new contact hands the mail back to the old one",
        also: &[],
        play: |stage| former_contact(stage, true, true),
        needs: handed_back,
    }],
};

fn former_contact(stage: &mut Stage<'_>, agreed: bool, at_home: bool) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = match at_home {
        true => who.tenant_id(),
        false => stage.other().tenant,
    };
    stage.with(&mut who, |s| {
        let a = agreement::sign(s, true, false);
        let old = s.who.people[s.who.agreements[a].recipient].clone();
        set::given_role(s, &tenant, &old, "GlobalAdministrator", None);
        s.wait_days(1, 3);
        let lines = stage::suite(s);
        stage::ordered(s, a, crate::simulate::cast::Purpose::Begin, lines, false);
        mail::invite_through(s, a, &[]);
        s.wait_days(2, 5);
        agreement::contact_changed(s, a, "ChangeRequestForm");
        let new = s.who.people[s.who.agreements[a].recipient].clone();
        s.wait_days(2, 3);
        let license_id = s.who.agreements[a].license_id.clone();
        s.out
            .fact("VlRoleRemoved", s.now, System::ADMIN)
            .by(By::SERVICE)
            .data(|f| {
                f.text("license_id", &license_id).person("user", &old);
                f.text("role", "Administrator");
            });
        s.wait_days(1, 2);
        if agreed {
            mail::forwarded(s, a, &[old.clone(), new.clone(), old.clone()]);
            s.wait_days(1, 2);
        }
        let visitor = Visitor::from_elsewhere(&old, Some(&tenant));
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        if at_home {
            set::used(s, a, &tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let old = lines.redeemer(about).unwrap_or_default();
    let license = [("license_id", about.license_id.as_str())];
    let mut changed = lines.all("ContactChanged", &license);
    vec![
        lines.landed(about),
        need(
            "the change of the contact",
            changed.any(|event| {
                let contact = &event["data"]["old"];
                contact.as_str() == Some(old) || contact["address"].as_str() == Some(old)
            }),
        ),
    ]
}

fn handed_back(lines: &Lines, about: &Subject) -> Vec<Need> {
    let old = lines.redeemer(about).unwrap_or_default();
    vec![need(
        "the forward back",
        lines.has("ActivationEmailForwarded", &[("to", old)]),
    )]
}
