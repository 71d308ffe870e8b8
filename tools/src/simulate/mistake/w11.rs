//! W11, Sign In where Sign Up was right.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::chapter::trial;
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 11,
    name: "signed in although a new tenant was wanted",
    wrong: &[Act {
        name: "a trial that was to be left behind is kept",
        also: &[],
        play: |stage| signs_in_to_its_trial(stage, "TrialFresh"),
        needs,
    }],
    alike: &[Act {
        name: "the customer forgot to say that it had a trial",
        also: &[],
        play: |stage| signs_in_to_its_trial(stage, "New"),
        needs: its_own_trial,
    }],
};

fn signs_in_to_its_trial(stage: &mut Stage<'_>, scenario: &'static str) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        trial::first(s);
        s.wait_days(2, 6);
        let a = stage::ordered_again_unnamed(s, false);
        stage::mailed(s, a);
        let tenant = s.who.tenant_id();
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Unknown",
        };
        let mut about = set::sign_in(s, a, scenario, &way)?;
        if scenario == "New" {
            set::used(s, a, &tenant);
        } else {
            about.expected = None;
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let license = [("license_id", about.license_id.as_str())];
    let scenario = lines.text("ScenarioAssessed", &license, "scenario");
    vec![
        lines.landed(about),
        need("the choice", lines.has("SignInChosen", &license)),
        need(
            "the scenario",
            matches!(scenario, Some("TrialFresh" | "New")),
        ),
    ]
}

fn its_own_trial(lines: &Lines, about: &Subject) -> Vec<Need> {
    let fields = [
        ("tenant", about.tenant.as_str()),
        ("customer", about.customer.as_str()),
    ];
    vec![need("the trial", lines.has("TrialStarted", &fields))]
}
