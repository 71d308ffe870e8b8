//! CHO004: a binding that does not fit its choice.

use super::choice::{Choice, choices};
use super::{Breach, Check, Rule, Scene, Severity, Silence};
use crate::audit::landing::{Landing, LandingKind};
use ledger::subject::SubjectKind;

pub(super) const RULE: Rule = Rule {
    code: "CHO004",
    name: "binding that does not fit the choice",
    severity: Severity::High,
    meaning: "The services were bound to a tenant that the choice cannot have led to: another one than was signed in to, or, after Sign In, one that did not exist at the time.",
    needs: "the choice with the tenant that was signed in to, or the creation of the bound tenant; a binding that no other rule accuses",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "creation dates that a source reports wrongly",
    compensation: "ask the customer which tenant was meant; remap if it is the other",
    parameters: &[],
    inputs: &[
        "SignInChosen.tenant",
        "TenantCreated.tenant",
        "ServicesBoundToTenant.tenant",
    ],
    check: Check::Subject(SubjectKind::Agreement, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let mut breaches = Vec::new();
    for choice in choices(scene).iter().filter(|choice| !choice.sign_up) {
        let landing = scene.others.of_agreement(choice.license).find(|other| {
            let both = choice.activation.zip(other.landing.activation.as_ref());
            other.landing.kind == LandingKind::SignIn
                && !other.accused
                && both.is_none_or(|(one, other)| one == other)
                && other.landing.cutoff() >= choice.event.occurred_at.start
        });
        let unfit = landing.and_then(|other| misfit(scene, choice, other.landing));
        breaches.extend(unfit);
    }
    match breaches.is_empty() {
        true => Err(Silence("no binding by Sign In contradicts its choice")),
        false => Ok(breaches),
    }
}

fn misfit(scene: &Scene<'_>, choice: &Choice<'_>, landing: &Landing) -> Option<Breach> {
    let bound = scene.evidence.tenant_name(&landing.tenant);
    let facts = scene.evidence.tenants.get(&landing.tenant);
    let created = facts.into_iter().flat_map(|facts| &facts.created);
    let born = created
        .filter(|known| known.value.on.is_none())
        .min_by_key(|known| (known.from, known.event));
    let born = born.filter(|born| born.from > choice.event.occurred_at.last());
    let other = choice.tenant.filter(|tenant| **tenant != landing.tenant);
    let why = match (other, born) {
        (Some(other), _) => {
            let other = scene.evidence.tenant_name(other);
            format!("somebody signed in to {other}, and {bound} was bound")
        }
        (None, Some(_)) => format!("{bound} was bound by Sign In and did not exist at the choice"),
        (None, None) => return None,
    };
    let mut breach = Breach::new(scene.subject, landing.at, Severity::High, 900)
        .says(
            format!("For agreement {}, {why}.", choice.license),
            "ask the customer which tenant was meant",
        )
        .key(choice.key())
        .names([&landing.tenant])
        .shows(choice.event, "Sign In was chosen");
    let bound = landing.events.iter().map(|event| (*event, why.clone()));
    breach.hit.evidence.extend(bound);
    let born = born.map(|born| {
        (
            born.event,
            "the tenant was created after the choice".to_owned(),
        )
    });
    breach.hit.evidence.extend(born);
    Some(breach)
}
