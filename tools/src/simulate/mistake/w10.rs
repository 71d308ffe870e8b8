//! W10, Sign Up where Sign In was right: a duplicate tenant, and a choice that cannot be undone.

use super::lines::{Lines, need};
use super::set;
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::{self, Visitor};
use crate::simulate::chapter::{choice, mail, trial};
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::System;
use crate::simulate::scene::Scene;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 10,
    name: "signed up although there was a tenant",
    wrong: &[
        Act {
            name: "a paid tenant is there",
            also: &[9],
            play: |stage| {
                let mut who = stage.settled(false);
                stage.with(&mut who, |s| signs_up(s, "ExistingPaid"))
            },
            needs,
        },
        Act {
            name: "a trial is to be kept",
            also: &[9],
            play: |stage| {
                let mut who = stage.registered();
                stage.with(&mut who, |s| {
                    trial::first(s);
                    s.wait_days(2, 6);
                    signs_up(s, "TrialRetain")
                })
            },
            needs,
        },
    ],
    alike: &[
        Act {
            name: "a trial is left behind on purpose",
            also: &[],
            play: |stage| {
                let mut who = stage.registered();
                stage.with(&mut who, |s| {
                    trial::first(s);
                    s.wait_days(2, 6);
                    signs_up(s, "TrialFresh")
                })
            },
            needs: by_intent,
        },
        Act {
            name: "a bypass that asks for a new tenant",
            also: &[],
            play: bypass,
            needs: by_intent,
        },
    ],
};

fn signs_up(s: &mut Scene<'_>, scenario: &str) -> Option<Told> {
    let a = stage::ordered_again_unnamed(s, false);
    stage::mailed(s, a);
    let order = set::pending(s, a)?;
    choice::assessed(s, a, &order, scenario);
    s.wait_days(0, 1);
    let known = s.who.tenant.clone();
    let slug = s.who.slug.clone();
    s.who.slug = format!("{slug}-new");
    let tenant = s.who.initial_domain();
    let mut about = set::subject(s, a, &tenant);
    let mut visitor = Visitor::administrator(s);
    let license_id = s.who.agreements[a].license_id.clone();
    let session = session::open(s, &visitor, None, Some(&license_id));
    mail::open_link(s, a, &session, visitor.by());
    choice::chosen_sign_up(s, a, &order, &session, &visitor);
    choice::make_tenant(s, a, &session, &mut visitor, "SignUpChoice");
    choice::acknowledged(s, a, &session, &visitor, "ProfileCreated");
    choice::bound(s, a, "SignUp", Some(&session), None);
    choice::began(s, a, &order, false);
    session::close(s, &visitor, &session, "AfterAgreement");
    if scenario == "TrialFresh" || scenario == "Bypass" {
        set::used(s, a, &tenant);
    }
    s.who.tenant = known;
    s.who.slug = slug;
    about.session = Some(session);
    Some(Told::only(about))
}

/// BPOS-S was never activated, and the customer may do either (R9).
fn bypass(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let tenant = set::tenant_named(s, "bpos");
        let subscription = s.out.id("bpos");
        let transitioned = ledger::time::Timestamp::parse("2011-06-14T00:00:00Z")?;
        let license_id = crate::simulate::chapter::agreement::license_id(s);
        let (id, pcn) = (s.who.id.clone(), s.who.pcn.clone());
        let known_at = s.now;
        s.out
            .fact("AgreementSigned", transitioned.plus_days(-400), System::ARCHIVE)
            .known_at(known_at)
            .data(|f| {
                f.text("license_id", &license_id).text("program", "Enterprise");
                f.text("pcn", &pcn).text("customer", &id);
                f.date("start", transitioned.plus_days(-400).date());
            });
        s.out
            .fact("BypassTransitioned", transitioned, System::ARCHIVE)
            .known_at(known_at)
            .data(|f| {
                f.text("license_id", &license_id);
                f.text("bpos_subscription", &subscription).text("tenant", &tenant);
                f.flag("never_activated", true).flag("trial", false);
            });
        s.wait_days(1, 3);
        signs_up(s, "Bypass")
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let license = [("license_id", about.license_id.as_str())];
    let scenario = lines.text("ScenarioAssessed", &license, "scenario");
    let expected = about.expected.as_deref().unwrap_or_default();
    let was_there = [("tenant", expected)];
    vec![
        lines.landed(about),
        need("the choice", lines.has("SignUpChosen", &license)),
        need(
            "the scenario or the tenant that was there",
            matches!(scenario, Some("ExistingPaid" | "TrialRetain"))
                || lines.has("DomainVerified", &was_there)
                || lines.has("TrialStarted", &was_there),
        ),
    ]
}

fn by_intent(lines: &Lines, about: &Subject) -> Vec<Need> {
    let license = [("license_id", about.license_id.as_str())];
    vec![need(
        "the scenario",
        lines.has("ScenarioAssessed", &license),
    )]
}
