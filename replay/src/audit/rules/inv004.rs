//! INV004: one session for two customers.

use super::{Breach, Check, Rule, Scene, Severity, Silence};
use crate::audit::expectation::{Basis, Verdict, expect, verdict};
use crate::audit::landing::Landing;
use ledger::id::SessionId;
use ledger::subject::SubjectKind;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    code: "INV004",
    name: "session used for two customers",
    severity: Severity::High,
    meaning: "One session activated agreements of two customers, and nothing says which tenants were meant, so that WTR001 cannot accuse either. A session is for one License ID (R18; invariant 4).",
    needs: "landings of one session whose customers differ and do not belong together; none of them accused",
    counter_evidence: "none: what it rests on is the whole of it",
    false_positives: "importers that give several sessions one id",
    compensation: "ask both customers whether they have what they bought; sign out after each agreement",
    parameters: &[],
    inputs: &[
        "KeysRedeemed.session",
        "SignInChosen.session",
        "SignUpChosen.session",
        "AgreementSigned.customer",
        "CustomersRelated.related",
    ],
    check: Check::Subject(SubjectKind::Session, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let session = SessionId::new(&scene.subject.id);
    let session = session.map_err(|_| Silence("its id cannot be read"))?;
    let root = scene.evidence.root_of(&session);
    let mut of_customers = BTreeMap::new();
    for judged in scene.others.of_root(&root) {
        let landing = judged.landing;
        if landing.session.as_ref() != Some(&session) {
            continue;
        }
        if judged.accused {
            return Err(Silence("a landing of it has a finding, which says more"));
        }
        if is_as_expected(scene, landing) {
            return Err(Silence("it reached the tenant that was expected"));
        }
        if let Some(customer) = &landing.customer {
            of_customers.entry(customer).or_insert(landing);
        }
    }
    let mut customers = of_customers.keys().copied();
    let first = customers.next().ok_or("it activated nothing")?;
    let moment = of_customers.values().map(|landing| landing.at.start).max();
    let moment = moment.ok_or("it activated nothing")?;
    let other = customers.find(|other| !scene.evidence.belong_together(first, other, moment, None));
    let other = other.ok_or("it was used for one customer")?;
    let last = of_customers.values().max_by_key(|landing| landing.at.start);
    let last = last.ok_or("it activated nothing")?;
    let summary = format!(
        "Session {session} was used for {} and for {}.",
        scene.evidence.customer_name(first),
        scene.evidence.customer_name(other)
    );
    let next = "ask both customers whether they have what they bought";
    let mut breach = Breach::new(scene.subject, last.at, Severity::High, 600)
        .says(summary, next)
        .names([first, other]);
    for (customer, landing) in &of_customers {
        let why = format!(
            "it activated an agreement of {}",
            scene.evidence.customer_name(customer)
        );
        let shown = landing.events.iter().map(|event| (*event, why.clone()));
        breach.hit.evidence.extend(shown);
        breach = breach.names(&landing.license_id);
    }
    Ok(vec![breach])
}

/// Whether a landing is known to be right: whoever served its customer did so in the right place,
/// although in one session with another's.
fn is_as_expected(scene: &Scene<'_>, landing: &Landing) -> bool {
    let basis = Basis {
        evidence: scene.evidence,
        others: scene.others,
        cutoff: None,
    };
    verdict(landing, &expect(landing, &basis), scene.evidence) == Verdict::AsExpected
}
