//! What an audit has no finding for: a line each, so that nothing is passed over in silence.

use super::evidence::{Evidence, Known, TrialFacts};
use super::expectation::Verdict;
use super::landing::Landing;
use ledger::id::{CustomerId, EventId, FindingId, LicenseId, TenantId};
use ledger::time::{Date, Timestamp};
use projections::At;
use projections::view::agreement;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An agreement, or a landing or trial without one, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What is said of a landing that has no finding. Stored in kept findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingLine {
    /// Which landing.
    pub id: FindingId,
    /// The agreement that it is spoken of with.
    pub license_id: Option<LicenseId>,
    /// How it compares with what was expected.
    pub verdict: Verdict,
    /// The line, of the landing itself.
    pub line: Clean,
}

impl LandingLine {
    /// What is said of a landing.
    pub fn of(landing: &Landing, verdict: Verdict, evidence: &Evidence) -> Self {
        let tenant = evidence.tenant_name(&landing.tenant);
        let on = landing.at.start.date();
        let end = match verdict {
            Verdict::AsExpected => ", as expected",
            Verdict::Elsewhere | Verdict::NotJudged => "",
        };
        Self {
            id: landing.id.clone(),
            license_id: landing.license_id.clone(),
            verdict,
            line: Clean {
                subject: landing.subject(),
                customer: landing.customer.as_ref().map(|c| evidence.customer_name(c)),
                line: format!("{} {tenant} on {on}{end}", landing.kind.participle()),
            },
        }
    }
}

/// A trial, and whom it concerns. Stored in kept findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Where it comes in the order of folds.
    pub order: (Timestamp, EventId),
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub customer: Option<CustomerId>,
    /// Its last day.
    pub ends: Date,
    /// The names of tenant and customer, for people.
    pub names: (String, Option<String>),
}

impl Trial {
    /// A trial for a line.
    pub fn of(trial: &Known<TrialFacts>, evidence: &Evidence) -> Self {
        let facts = &trial.value;
        let customer = facts.customer.as_ref();
        Self {
            order: (trial.from, trial.event),
            tenant: facts.tenant.clone(),
            customer: facts.customer.clone(),
            ends: facts.ends,
            names: (
                evidence.tenant_name(&facts.tenant),
                customer.map(|customer| evidence.customer_name(customer)),
            ),
        }
    }
}

/// Sorts what has no finding: landings in the order in which they happened, agreements, and trials that no
/// agreement followed. Landings that could not be judged are listed by themselves. `nothing` says what is
/// said of an agreement that never landed.
pub fn without_finding<'l>(
    landings: impl IntoIterator<Item = &'l LandingLine>,
    agreements: impl IntoIterator<Item = &'l LicenseId>,
    trials: Vec<Clean>,
    found: &BTreeSet<&FindingId>,
    nothing: &dyn Fn(&LicenseId) -> Clean,
) -> Without {
    let mut by_agreement: BTreeMap<&LicenseId, Vec<&LandingLine>> = BTreeMap::new();
    for license in agreements {
        by_agreement.insert(license, Vec::new());
    }
    let mut out = Without::default();
    for landing in landings {
        match &landing.license_id {
            Some(license) => by_agreement.entry(license).or_default().push(landing),
            None => out.take(landing, found, &landing.line.subject),
        }
    }
    for (license, landings) in by_agreement {
        let worst = landings
            .iter()
            .rev()
            .find(|l| l.verdict == Verdict::Elsewhere && !found.contains(&l.id));
        let accused = landings.iter().any(|l| found.contains(&l.id));
        match (worst, landings.last()) {
            (Some(worst), _) => out.take(worst, found, license.as_str()),
            (None, Some(last)) if !accused => out.take(last, found, license.as_str()),
            (None, Some(_)) => {}
            (None, None) => out.clean.push(nothing(license)),
        }
    }
    out.clean.extend(trials);
    out.clean.sort_by(|a, b| a.subject.cmp(&b.subject));
    out.unexplained.sort_by(|a, b| a.subject.cmp(&b.subject));
    out
}

impl Without {
    fn take(&mut self, landing: &LandingLine, found: &BTreeSet<&FindingId>, subject: &str) {
        if found.contains(&landing.id) {
            return;
        }
        let list = match landing.verdict {
            Verdict::AsExpected => &mut self.clean,
            Verdict::Elsewhere => &mut self.unexplained,
            Verdict::NotJudged => return,
        };
        list.push(Clean {
            subject: subject.to_owned(),
            ..landing.line.clone()
        });
    }
}

/// What is said of an agreement that never landed. Costs a fold.
pub fn nothing_landed(at: &At<'_>, evidence: &Evidence, license: &LicenseId) -> Clean {
    evidence.looks_at_today();
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

/// Trials that no agreement followed, on a day: their customer has none, and nothing reached their tenant.
pub fn trials_alone<'t>(
    trials: impl IntoIterator<Item = &'t Trial>,
    ordered: &BTreeSet<&CustomerId>,
    reached: &BTreeSet<&TenantId>,
    today: Date,
) -> Vec<Clean> {
    let alone = |trial: &&Trial| {
        let followed = trial.customer.as_ref().is_some_and(|c| ordered.contains(c));
        !followed && !reached.contains(&trial.tenant)
    };
    let line = |trial: &Trial| match today > trial.ends {
        true => format!("a trial that ended on {}; nothing was ordered", trial.ends),
        false => format!("a trial until {}; nothing is ordered yet", trial.ends),
    };
    let trials = trials.into_iter().filter(alone);
    let lines = trials.map(|trial| Clean {
        subject: trial.names.0.clone(),
        customer: trial.names.1.clone(),
        line: line(trial),
    });
    lines.collect()
}
