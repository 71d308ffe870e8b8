//! The expectation: which tenant a landing should have reached (DOMAIN sections 9 and A).

mod sources;

pub use sources::{bound_before, had_tenant, is_foreign, is_in_another_cloud, is_nobodys};

use super::evidence::{Evidence, Known, ScenarioFacts, TrialFacts};
use super::finding::Confidence;
use super::landing::{Landing, LandingKind};
use super::others::Others;
use ledger::event::word::Scenario;
use ledger::id::{EventId, TenantId};
use ledger::time::Timestamp;
use serde::{Deserialize, Serialize};
use sources::{by_binding, by_contact, by_customer_domain, by_customer_number, by_order, by_owner};
use std::collections::BTreeSet;

/// What an expectation rests on, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExpectationSource {
    /// The trial whose data is to be kept.
    Trial,
    /// The scenario demands a new tenant.
    Scenario,
    /// The order names the tenant.
    Order,
    /// The License ID is bound to it.
    AgreementBinding,
    /// The customer number's agreements are bound to it.
    CustomerNumberBinding,
    /// It has verified the end customer's domain.
    CustomerDomain,
    /// It has verified the domain of a contact's address.
    ContactDomain,
    /// A source calls the end customer its owner.
    Owner,
    /// Nothing says which tenant was meant.
    Nothing,
}

impl ExpectationSource {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Scenario => "scenario",
            Self::Order => "order",
            Self::AgreementBinding => "agreement_binding",
            Self::CustomerNumberBinding => "customer_number_binding",
            Self::CustomerDomain => "customer_domain",
            Self::ContactDomain => "contact_domain",
            Self::Owner => "owner",
            Self::Nothing => "nothing",
        }
    }

    /// Why, for people: what follows the tenant's name in a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Trial => "holds the trial that was to be kept",
            Self::Scenario => "is what the scenario demands",
            Self::Order => "is named on the order",
            Self::AgreementBinding => "has the License ID bound to it",
            Self::CustomerNumberBinding => {
                "has other agreements of the customer number bound to it"
            }
            Self::CustomerDomain => "has the customer's verified domain",
            Self::ContactDomain => "has the domain of a contact's address",
            Self::Owner => "belongs to the customer",
            Self::Nothing => "is not known: nothing says which tenant was meant",
        }
    }
}

/// Which tenant was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// One of these tenants; more than one if the binding is contested or several fit.
    Existing(BTreeSet<TenantId>),
    /// A tenant that this very choice creates.
    BornOfThisChoice,
    /// Nothing says which.
    Unknown,
}

/// Which tenant was expected, how sure that is, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// Which tenant.
    pub wanted: Wanted,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it rests on.
    pub source: ExpectationSource,
    /// The events that say so.
    pub evidence: Vec<EventId>,
    /// Whether two tenants claim the agreement: then neither is accused.
    pub contested: bool,
    /// Whether the landing's own tenant is one of them and nothing but the claim speaks for it.
    pub undecided: bool,
}

impl Expectation {
    fn unknown() -> Self {
        Self {
            wanted: Wanted::Unknown,
            confidence: Confidence::thousandths(0),
            source: ExpectationSource::Nothing,
            evidence: Vec::new(),
            contested: false,
            undecided: false,
        }
    }

    /// Whether anything is expected at all.
    pub fn is_known(&self) -> bool {
        self.wanted != Wanted::Unknown
    }

    /// The name in JSON.
    pub fn kind(&self) -> &'static str {
        match self.wanted {
            Wanted::Existing(_) => "existing",
            Wanted::BornOfThisChoice => "born_of_this_choice",
            Wanted::Unknown => "unknown",
        }
    }

    /// The expected tenant, if it is exactly one.
    pub fn tenant(&self) -> Option<&TenantId> {
        match &self.wanted {
            Wanted::Existing(tenants) if tenants.len() == 1 => tenants.first(),
            Wanted::Existing(_) | Wanted::BornOfThisChoice | Wanted::Unknown => None,
        }
    }
}

/// How a landing compares with its expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It is where it was expected.
    AsExpected,
    /// It is somewhere else.
    Elsewhere,
    /// Nothing was expected, or two tenants claim it and this is one of them: nothing can be judged.
    NotJudged,
}

/// Compares a landing with an expectation.
pub fn verdict(landing: &Landing, expectation: &Expectation, evidence: &Evidence) -> Verdict {
    let as_expected = match &expectation.wanted {
        Wanted::Existing(_) if expectation.undecided => return Verdict::NotJudged,
        Wanted::Existing(tenants) => tenants.contains(&landing.tenant),
        Wanted::BornOfThisChoice => born_of(landing, evidence),
        Wanted::Unknown => return Verdict::NotJudged,
    };
    match as_expected {
        true => Verdict::AsExpected,
        false => Verdict::Elsewhere,
    }
}

/// Whether the landing's tenant was created by its own choice, activation or session. A creation
/// that names none of them counts if it falls between the choice and a day after the landing.
pub fn born_of(landing: &Landing, evidence: &Evidence) -> bool {
    let Some(tenant) = evidence.tenants.get(&landing.tenant) else {
        return false;
    };
    tenant.created.iter().any(|created| {
        let by = &created.value;
        let same = by.license_id.is_some() && by.license_id == landing.license_id
            || by.activation.is_some() && by.activation == landing.activation
            || by.session.is_some() && by.session == landing.session;
        let names_none = by.license_id.is_none() && by.activation.is_none() && by.session.is_none();
        let on = by.on.map_or(created.from, |on| on.start());
        let close = on >= landing.at.start.plus_days(-1) && on <= landing.cutoff().plus_days(1);
        same || (names_none && close)
    })
}

/// What an expectation is made from.
pub struct Basis<'e> {
    /// The evidence.
    pub evidence: &'e Evidence,
    /// The landings that were judged before, or all others.
    pub others: Others<'e>,
    /// What counts: evidence up to here; without one, everything that is known now.
    pub cutoff: Option<Timestamp>,
}

struct Candidate {
    tenants: BTreeSet<TenantId>,
    confidence: u16,
    source: ExpectationSource,
    evidence: Vec<EventId>,
}

/// The tenant that a landing should have reached: the first source of section 9 that applies.
pub fn expect(landing: &Landing, basis: &Basis<'_>) -> Expectation {
    let scenario = scenario(landing, basis);
    let demanded = scenario.and_then(|scenario| by_scenario(landing, scenario, basis));
    // A new tenant cannot be named on the order, so one that is named is the one that is left.
    if let Some(new) = demanded
        .as_ref()
        .filter(|d| d.wanted == Wanted::BornOfThisChoice)
    {
        return new.clone();
    }
    if let Some(order) = by_order(landing, basis) {
        return order.into_expectation();
    }
    if let Some(trial) = demanded {
        return trial;
    }
    let customer = by_customer_domain(landing, basis);
    let weaker = || by_contact(landing, basis).or_else(|| by_owner(landing, basis));
    if let Some((binding, standing)) = by_binding(landing, basis) {
        return present_binding(landing, binding, standing, customer.or_else(weaker));
    }
    let number = by_customer_number(landing, basis);
    // Agreements of one customer number that disagree say less than the customer's own domain does.
    let (agreed, torn) = match number {
        Some(number) if number.tenants.len() > 1 => (None, Some(number)),
        other => (other, None),
    };
    agreed
        .or(customer)
        .or(torn)
        .or_else(weaker)
        .map_or_else(Expectation::unknown, Candidate::into_expectation)
}

/// How much a binding is worth as evidence (section A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    /// The vendor moved it on authority, or the order of its landing names the tenant: nothing weaker
    /// contradicts that.
    Vouched,
    /// Nothing accuses its landing.
    Sound,
    /// A rule accuses its landing.
    Accused,
}

impl Candidate {
    /// One candidate of some tenants, or `None` if there are none.
    fn of<'t>(
        confidence: u16,
        source: ExpectationSource,
        found: impl IntoIterator<Item = (&'t TenantId, EventId)>,
    ) -> Option<Self> {
        let (tenants, evidence): (BTreeSet<TenantId>, Vec<EventId>) = found
            .into_iter()
            .map(|(tenant, event)| (tenant.clone(), event))
            .unzip();
        (!tenants.is_empty()).then_some(Self {
            tenants,
            confidence,
            source,
            evidence,
        })
    }

    fn into_expectation(self) -> Expectation {
        Expectation {
            wanted: Wanted::Existing(self.tenants),
            confidence: Confidence::thousandths(self.confidence),
            source: self.source,
            evidence: self.evidence,
            contested: false,
            undecided: false,
        }
    }
}

/// A binding counts only if nothing accuses its landing and nothing contradicts it; otherwise both
/// tenants are shown at 0.5 and the binding is contested (section A): the other one is that of the
/// contradicting evidence, or else this landing's own, which claims the agreement too.
fn present_binding(
    landing: &Landing,
    binding: Candidate,
    worth: Binding,
    against: Option<Candidate>,
) -> Expectation {
    let contradiction = against.filter(|other| other.tenants.is_disjoint(&binding.tenants));
    let contested = match worth {
        Binding::Vouched => false,
        Binding::Sound => contradiction.is_some(),
        Binding::Accused => true,
    };
    let mut expectation = binding.into_expectation();
    if !contested {
        return expectation;
    }
    expectation.contested = true;
    expectation.confidence = Confidence::thousandths(500);
    let backed = contradiction.as_ref();
    let backed = backed.is_some_and(|other| other.tenants.contains(&landing.tenant));
    if let Wanted::Existing(tenants) = &mut expectation.wanted {
        match contradiction {
            Some(other) => {
                tenants.extend(other.tenants);
                expectation.evidence.extend(other.evidence);
            }
            None => {
                tenants.insert(landing.tenant.clone());
            }
        }
        expectation.undecided = tenants.contains(&landing.tenant) && !backed;
    }
    expectation
}

/// The scenario that was assessed for the landing's activation.
pub fn scenario<'e>(landing: &Landing, basis: &Basis<'e>) -> Option<&'e Known<ScenarioFacts>> {
    let agreement = landing.agreement(basis.evidence)?;
    let of_this = |known: &&Known<ScenarioFacts>| {
        let other = known
            .value
            .activation
            .as_ref()
            .zip(landing.activation.as_ref());
        known.by(basis.cutoff) && other.is_none_or(|(a, b)| a == b)
    };
    agreement.scenarios.iter().rfind(of_this)
}

fn by_scenario(
    landing: &Landing,
    scenario: &Known<ScenarioFacts>,
    basis: &Basis<'_>,
) -> Option<Expectation> {
    let chosen = matches!(landing.kind, LandingKind::SignIn | LandingKind::SignUp);
    // Services can go to a tenant without a choice; the assessment is then about them if it names
    // the same activation.
    let named =
        scenario.value.activation.is_some() && scenario.value.activation == landing.activation;
    let first_binding = chosen || (landing.kind == LandingKind::AutoAssignment && named);
    let signed_up = landing.kind == LandingKind::SignUp;
    let new = match scenario.value.scenario {
        Scenario::TrialRetain => {
            let (tenant, evidence) = trial_of(landing, scenario, basis)?;
            return first_binding.then(|| Expectation {
                wanted: Wanted::Existing(BTreeSet::from([tenant])),
                confidence: Confidence::thousandths(950),
                source: ExpectationSource::Trial,
                evidence,
                contested: false,
                undecided: false,
            });
        }
        Scenario::New => signed_up,
        Scenario::TrialFresh => chosen,
        Scenario::Bypass => signed_up,
        Scenario::ExistingPaid => false,
    };
    new.then(|| Expectation {
        wanted: Wanted::BornOfThisChoice,
        confidence: Confidence::thousandths(950),
        source: ExpectationSource::Scenario,
        evidence: vec![scenario.event],
        contested: false,
        undecided: false,
    })
}

/// The trial's tenant: named by the assessment, else the trial of the same customer or person.
fn trial_of(
    landing: &Landing,
    scenario: &Known<ScenarioFacts>,
    basis: &Basis<'_>,
) -> Option<(TenantId, Vec<EventId>)> {
    if let Some(tenant) = &scenario.value.trial_tenant {
        return Some((tenant.clone(), vec![scenario.event]));
    }
    let trial = trials(landing, basis).pop()?;
    Some((
        trial.value.tenant.clone(),
        vec![scenario.event, trial.event],
    ))
}

/// Trials of the landing's customer or persons that began before the landing, in that order.
pub fn trials<'b>(landing: &Landing, basis: &Basis<'b>) -> Vec<&'b Known<TrialFacts>> {
    let mut persons = landing.persons.clone();
    if let Some(agreement) = landing.agreement(basis.evidence) {
        persons.extend(agreement.contacts.iter().map(|c| c.value.person.id));
        persons.extend(agreement.recipients.iter().map(|r| r.value));
    }
    let mut trials = basis
        .evidence
        .trials_of(landing.customer.as_ref(), &persons);
    trials.retain(|trial| trial.from <= landing.cutoff() && trial.by(basis.cutoff));
    trials
}
