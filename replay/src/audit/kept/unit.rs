//! What is judged at once, and what is kept of it.

use crate::audit::clean::{Clean, LandingLine, Trial};
use crate::audit::expectation::Verdict;
use crate::audit::finding::{
    About, Confidence, Exhibit, Finding, FindingState, Landed, PathStep, Severity,
};
use crate::audit::landing::Landing;
use crate::audit::others::Place;
use crate::audit::reads::Source;
use crate::audit::report::NotJudged;
use crate::audit::rules::{Digest, Rule};
use ledger::id::{CustomerId, EventId, FindingId, LicenseId, OrderId, TenantId};
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Occurred, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of subject by its number, and the id.
pub(super) type Named = (u8, String);

/// What is judged at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Unit {
    /// The landings of an entitlement, by the first of its subjects: agreements, orders, keys, mails,
    /// links, activations, redemptions and credit lots that events name beside each other.
    Landings(Named),
    /// Everything else about the same.
    Things(Named),
    /// Any other subject that rules are about.
    Subject(Named),
    /// What the machines of a tenant have in common.
    Fleet(TenantId),
}

/// A subject by name.
pub(super) fn named(subject: &Subject) -> Named {
    (subject.kind as u8, subject.id.clone())
}

/// The subject of a name.
pub(super) fn subject((kind, id): &Named) -> Option<Subject> {
    let mut kinds = SubjectKind::ALL.iter();
    let kind = kinds.find(|known| **known as u8 == *kind)?;
    Some(Subject::new(*kind, id))
}

/// Whether subjects of a kind belong together with others into an entitlement.
pub(super) fn is_of_entitlement(kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Agreement
        | SubjectKind::Order
        | SubjectKind::Key
        | SubjectKind::Email
        | SubjectKind::Link
        | SubjectKind::Activation
        | SubjectKind::Redemption
        | SubjectKind::Credit => true,
        SubjectKind::Customer
        | SubjectKind::Partner
        | SubjectKind::Pcn
        | SubjectKind::Session
        | SubjectKind::Person
        | SubjectKind::Tenant
        | SubjectKind::Subscription
        | SubjectKind::Seat
        | SubjectKind::Case
        | SubjectKind::Finding => false,
    }
}

/// What is kept of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The subjects of an entitlement.
    pub members: Vec<Named>,
    /// Its landings, in order.
    pub landings: Vec<KeptLanding>,
    /// Its agreements.
    pub agreements: Vec<KeptAgreement>,
    /// Findings about subjects.
    pub findings: Vec<KeptFinding>,
    /// The trials in a tenant.
    pub trials: Vec<Trial>,
    /// What there is to know of a machine.
    pub digest: Option<Digest>,
    /// The persons that were ever named beside a machine, sorted.
    pub users: Vec<PersonId>,
    /// What was looked at, besides the unit's own subjects; sorted.
    pub reads: Vec<Source>,
    /// The first instant at which time alone can change something.
    pub next: Option<Timestamp>,
}

impl Record {
    /// Whether a subject is one of its own.
    pub fn is_of(&self, kind: u8, id: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|(of, member)| *of == kind && member == id)
    }

    /// How many bytes it takes, about.
    pub fn weight(&self) -> usize {
        let shown = self.landings.len() + self.findings.len() + self.agreements.len();
        let digest = self.digest.as_ref();
        let failures = digest.map_or(0, |digest| digest.failures.len() + digest.together.len());
        256 + shown * 1024 + (self.reads.len() + self.members.len()) * 64 + failures * 48
    }

    /// Whether a report shows anything of it.
    pub fn is_shown(&self) -> bool {
        let nothing = self.landings.is_empty() && self.agreements.is_empty();
        !(nothing && self.findings.is_empty() && self.trials.is_empty())
    }
}

/// A landing, and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptLanding {
    /// The landing.
    pub landing: Landing,
    /// What it shares with others.
    pub place: Place,
    /// When its events happened, and those that undid it.
    pub times: Vec<(EventId, Occurred)>,
    /// Whether it was accused by what was known then.
    pub accused_then: bool,
    /// Whether it has a finding.
    pub accused: bool,
    /// How it compares with what was expected.
    pub verdict: Verdict,
    /// What was found.
    pub finding: Option<KeptFinding>,
    /// What it lacks to be judged: the landing, the tenant, and what would settle it.
    pub not_judged: Option<(String, String, String)>,
    /// What is said of it without a finding.
    pub line: LandingLine,
}

impl KeptLanding {
    /// Whether others see the same of both.
    pub fn looks_like(&self, other: &Self) -> bool {
        let seen = |one: &Self| (one.accused_then, one.accused);
        self.landing == other.landing && self.place == other.place && seen(self) == seen(other)
    }

    pub fn not_judged(&self) -> Option<NotJudged> {
        let (landing, tenant, needs) = self.not_judged.clone()?;
        Some(NotJudged {
            landing,
            tenant,
            needs,
        })
    }
}

/// An agreement that the evidence knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptAgreement {
    /// Which one.
    pub license_id: LicenseId,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// What is said of it if nothing landed.
    pub nothing: Option<Clean>,
}

/// A finding in the form in which it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptFinding {
    id: FindingId,
    codes: Vec<String>,
    severity: Severity,
    confidence: Confidence,
    state: FindingState,
    landed: Option<Box<Landed>>,
    subject: Option<Named>,
    at: Occurred,
    customer: Option<CustomerId>,
    license_id: Option<LicenseId>,
    order: Option<OrderId>,
    subjects: Vec<String>,
    evidence: Vec<KeptExhibit>,
    counter_evidence: Vec<KeptExhibit>,
    path: Vec<(Occurred, String, Option<TenantId>)>,
    effects: Vec<String>,
    portal: Option<String>,
    summary: String,
    next_step: String,
}

type KeptExhibit = (Occurred, EventId, String);

impl From<Finding> for KeptFinding {
    fn from(finding: Finding) -> Self {
        let kept = |shown: Vec<Exhibit>| {
            let shown = shown.into_iter();
            shown.map(|one| (one.at, one.event, one.why)).collect()
        };
        let (landed, subject) = match finding.about {
            About::Landing(landed) => (Some(landed), None),
            About::Subject(subject) => (None, Some(named(&subject))),
        };
        let path = finding.path.into_iter();
        Self {
            id: finding.id,
            codes: finding.codes.iter().map(ToString::to_string).collect(),
            severity: finding.severity,
            confidence: finding.confidence,
            state: finding.state,
            landed,
            subject,
            at: finding.at,
            customer: finding.customer,
            license_id: finding.license_id,
            order: finding.order,
            subjects: finding.subjects.into_iter().collect(),
            evidence: kept(finding.evidence),
            counter_evidence: kept(finding.counter_evidence),
            path: path.map(|step| (step.at, step.what, step.tenant)).collect(),
            effects: finding.effects,
            portal: finding.portal,
            summary: finding.summary,
            next_step: finding.next_step,
        }
    }
}

impl KeptFinding {
    /// The finding; `None` if it is of a rule that there is not.
    pub fn finding(&self) -> Option<Finding> {
        let codes = self.codes.iter();
        let codes: Option<_> = codes.map(|code| Some(Rule::of_code(code)?.code)).collect();
        let shown = |kept: &[KeptExhibit]| {
            let kept = kept.iter();
            kept.map(|(at, event, why)| Exhibit {
                at: *at,
                event: *event,
                why: why.clone(),
            })
            .collect()
        };
        let about = match (&self.landed, &self.subject) {
            (Some(landed), _) => About::Landing(landed.clone()),
            (None, Some(about)) => About::Subject(subject(about)?),
            (None, None) => return None,
        };
        let path = self.path.iter();
        let path = path.map(|(at, what, tenant)| PathStep {
            at: *at,
            what: what.clone(),
            tenant: tenant.clone(),
        });
        Some(Finding {
            id: self.id.clone(),
            codes: codes?,
            severity: self.severity,
            confidence: self.confidence,
            state: self.state,
            about,
            at: self.at,
            customer: self.customer.clone(),
            license_id: self.license_id.clone(),
            order: self.order.clone(),
            subjects: self.subjects.iter().cloned().collect(),
            evidence: shown(&self.evidence),
            counter_evidence: shown(&self.counter_evidence),
            path: path.collect(),
            effects: self.effects.clone(),
            portal: self.portal.clone(),
            summary: self.summary.clone(),
            next_step: self.next_step.clone(),
        })
    }
}

/// The bytes of something that is kept.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Nothing that is kept has a form that cannot be encoded; an empty value is not decoded again.
    bincode::serde::encode_to_vec(value, bincode::config::legacy()).unwrap_or_default()
}

/// What the bytes are of.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, length) =
        bincode::serde::decode_from_slice(bytes, bincode::config::legacy()).ok()?;
    (length == bytes.len()).then_some(value)
}
