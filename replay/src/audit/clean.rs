//! What an audit has no finding for: a line each, so that nothing is passed over in silence.

use super::evidence::{Evidence, TrialFacts};
use super::expectation::Verdict;
use super::landing::Landing;
use ledger::id::{CustomerId, FindingId, LicenseId};
use projections::At;
use projections::view::agreement;
use std::collections::{BTreeMap, BTreeSet};

/// An agreement, or a landing or trial without one, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// Its License ID, or what landed, or the trial's tenant.
    pub subject: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// One line about it.
    pub line: String,
}

/// Everything without a finding, sorted by subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Without {
    /// What is as it was expected, or has not landed yet.
    pub clean: Vec<Clean>,
    /// What is elsewhere than expected although no rule accuses it: to be looked at.
    pub unexplained: Vec<Clean>,
}

/// Sorts what has no finding. Landings that could not be judged are listed by themselves.
pub fn without_finding(
    at: &At<'_>,
    evidence: &Evidence,
    landings: &[(&Landing, Verdict)],
    found: &BTreeSet<&FindingId>,
) -> Without {
    let mut by_agreement: BTreeMap<&LicenseId, Vec<&(&Landing, Verdict)>> = BTreeMap::new();
    for license in evidence.agreements.keys() {
        by_agreement.insert(license, Vec::new());
    }
    let mut out = Without::default();
    for landing in landings {
        match &landing.0.license_id {
            Some(license) => by_agreement.entry(license).or_default().push(landing),
            None => out.take(landing, found, &landing.0.subject(), evidence),
        }
    }
    for (license, landings) in by_agreement {
        let worst = landings
            .iter()
            .rev()
            .find(|l| l.1 == Verdict::Elsewhere && !found.contains(&l.0.id));
        let accused = landings.iter().any(|l| found.contains(&l.0.id));
        match (worst, landings.last()) {
            (Some(worst), _) => out.take(worst, found, license.as_str(), evidence),
            (None, Some(last)) if !accused => out.take(last, found, license.as_str(), evidence),
            (None, Some(_)) => {}
            (None, None) => out.clean.push(nothing_landed(at, evidence, license)),
        }
    }
    out.clean.extend(trials(at, evidence, landings));
    out.clean.sort_by(|a, b| a.subject.cmp(&b.subject));
    out.unexplained.sort_by(|a, b| a.subject.cmp(&b.subject));
    out
}

impl Without {
    fn take(
        &mut self,
        (landing, verdict): &(&Landing, Verdict),
        found: &BTreeSet<&FindingId>,
        subject: &str,
        evidence: &Evidence,
    ) {
        if found.contains(&landing.id) {
            return;
        }
        let tenant = evidence.tenant_name(&landing.tenant);
        let on = landing.at.start.date();
        let (list, end) = match verdict {
            Verdict::AsExpected => (&mut self.clean, ", as expected"),
            Verdict::Elsewhere => (&mut self.unexplained, ""),
            Verdict::NotJudged => return,
        };
        list.push(Clean {
            subject: subject.to_owned(),
            customer: landing.customer.as_ref().map(|c| evidence.customer_name(c)),
            line: format!("{} {tenant} on {on}{end}", landing.kind.participle()),
        });
    }
}

fn nothing_landed(at: &At<'_>, evidence: &Evidence, license: &LicenseId) -> Clean {
    let view = agreement::fold(at, license);
    let state = view.map_or_else(|| "unknown".to_owned(), |view| format!("{:?}", view.state));
    let customer = evidence
        .agreements
        .get(license)
        .and_then(|a| a.customer.as_ref());
    Clean {
        subject: license.to_string(),
        customer: customer.map(|customer| evidence.customer_name(&customer.value)),
        line: format!(
            "nothing landed yet; {}",
            super::story::spaced(&state).to_lowercase()
        ),
    }
}

/// Trials that no agreement followed.
fn trials(at: &At<'_>, evidence: &Evidence, landings: &[(&Landing, Verdict)]) -> Vec<Clean> {
    let customers = evidence
        .agreements
        .values()
        .filter_map(|agreement| agreement.customer.as_ref());
    let ordered: BTreeSet<&CustomerId> = customers.map(|known| &known.value).collect();
    let reached: BTreeSet<_> = landings
        .iter()
        .map(|(landing, _)| &landing.tenant)
        .collect();
    let alone = |trial: &&TrialFacts| {
        let followed = trial.customer.as_ref().is_some_and(|c| ordered.contains(c));
        !followed && !reached.contains(&trial.tenant)
    };
    let trials = evidence.trials().iter().map(|known| &known.value);
    let line = |trial: &TrialFacts| match at.point().valid_at.date() > trial.ends {
        true => format!("a trial that ended on {}; nothing was ordered", trial.ends),
        false => format!("a trial until {}; nothing is ordered yet", trial.ends),
    };
    trials
        .filter(alone)
        .map(|trial| Clean {
            subject: evidence.tenant_name(&trial.tenant),
            customer: trial.customer.as_ref().map(|c| evidence.customer_name(c)),
            line: line(trial),
        })
        .collect()
}
