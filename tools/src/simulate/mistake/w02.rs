//! W2, the link is opened while somebody is signed in elsewhere, and the services go there.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{ADMINISTRATOR, Purpose};
use crate::simulate::chapter::agreement;
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 2,
    name: "the link was opened while signed in elsewhere",
    wrong: &[
        Act {
            name: "keys are added to the tenant of the cached session",
            also: &[5],
            play: |stage| elsewhere(stage, true, "Cached"),
            needs,
        },
        Act {
            name: "Sign In takes the tenant of a token of another session",
            also: &[5, 27],
            play: |stage| elsewhere(stage, false, "SingleSignOn"),
            needs,
        },
    ],
    alike: &[
        Act {
            name: "cached, and nobody says which tenant is meant",
            also: &[],
            play: nobody_knows,
            needs: |_, _| Vec::new(),
        },
        Act {
            name: "cached, in the tenant that is meant",
            also: &[],
            play: at_home,
            needs: |_, _| Vec::new(),
        },
    ],
};

fn elsewhere(stage: &mut Stage<'_>, open: bool, auth: &'static str) -> Option<Told> {
    let mut who = stage.settled(open);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let visitor = set::administers(s, &other);
        let a = stage::ordered_again(s, open);
        stage::mailed(s, a);
        let session = set::session(s, a, &visitor, &other.tenant, auth);
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &other.tenant,
            flow: "Keyless",
        };
        match open {
            true => set::redeem(s, a, &way),
            false => set::sign_in(s, a, "ExistingPaid", &way),
        }
        .map(Told::only)
    })
}

/// The customer has a tenant that no source has described, and no order names it.
fn nobody_knows(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.registered();
    stage.with(&mut who, |s| {
        let tenant = set::tenant_named(s, "work");
        let person = s.who.people[ADMINISTRATOR].clone();
        set::given_role(s, &tenant, &person, "GlobalAdministrator", None);
        let a = agreement::sign(s, true, false);
        s.wait_days(1, 2);
        let lines = stage::suite(s);
        stage::ordered(s, a, Purpose::Begin, lines, false);
        stage::mailed(s, a);
        let visitor = Visitor::from_elsewhere(&person, Some(&tenant));
        let session = set::session(s, a, &visitor, &tenant, "Cached");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        set::used(s, a, &tenant);
        Some(Told::only(about))
    })
}

fn at_home(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let visitor = Visitor::administrator(s);
        let session = set::session(s, a, &visitor, &tenant, "Cached");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Keyless",
        };
        set::redeem(s, a, &way).map(Told::only)
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let session = about.session.as_deref().unwrap_or_default();
    vec![
        lines.landed(about),
        need(
            "the opened link",
            lines.has("ActivationLinkOpened", &[("session", session)]),
        ),
        lines.signed_in(about),
        lines.expected(about),
    ]
}
