//! W27, a sign-in bound to a tenant other than the trial's or the known one.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::{cases, trial};
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 27,
    name: "signed in to another tenant than the trial's or the known one",
    wrong: &[
        Act {
            name: "the trial is somewhere else",
            also: &[2, 5, 9],
            play: |stage| signs_in(stage, "TrialRetain", true),
            needs,
        },
        Act {
            name: "the paid tenant is somewhere else",
            also: &[2, 5, 9],
            play: |stage| signs_in(stage, "ExistingPaid", true),
            needs,
        },
    ],
    alike: &[
        Act {
            name: "credentials are recovered, and the trial is kept",
            also: &[],
            play: |stage| signs_in(stage, "TrialRetain", false),
            needs: |_, _| Vec::new(),
        },
        Act {
            name: "credentials are recovered, and the paid tenant is signed in to",
            also: &[],
            play: |stage| signs_in(stage, "ExistingPaid", false),
            needs: |_, _| Vec::new(),
        },
    ],
};

fn signs_in(stage: &mut Stage<'_>, scenario: &'static str, astray: bool) -> Option<Told> {
    let trial = scenario == "TrialRetain";
    let mut who = match trial {
        true => stage.registered(),
        false => stage.settled(false),
    };
    let other = stage.other();
    stage.with(&mut who, |s| {
        if trial {
            trial::first(s);
            s.wait_days(2, 5);
        }
        let own = s.who.tenant_id();
        let elsewhere = set::administers(s, &other);
        let a = stage::ordered_again_unnamed(s, false);
        stage::mailed(s, a);
        let case = cases::open(s, "Credentials", &[a]);
        cases::close(s, &case, "Withdrawn");
        s.wait_minutes(10, 200);
        let at_home = Visitor::administrator(s);
        let (visitor, tenant) = match astray {
            true => (&elsewhere, other.tenant.clone()),
            false => (&at_home, own),
        };
        let session = set::session(s, a, visitor, &tenant, "Interactive");
        let way = Way {
            visitor,
            session: &session,
            tenant: &tenant,
            flow: "Unknown",
        };
        let about = set::sign_in(s, a, scenario, &way)?;
        if !astray {
            set::used(s, a, &tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let license = [("license_id", about.license_id.as_str())];
    let scenario = lines.text("ScenarioAssessed", &license, "scenario");
    let expected = about.expected.as_deref().unwrap_or_default();
    let trial = lines.has("TrialStarted", &[("tenant", expected)]);
    vec![
        lines.landed(about),
        need("the choice", lines.has("SignInChosen", &license)),
        need("the scenario", scenario.is_some()),
        need(
            "the trial's or the known tenant",
            trial || lines.expected(about).met,
        ),
    ]
}
