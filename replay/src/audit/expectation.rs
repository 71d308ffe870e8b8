//! The expectation: which tenant a landing should have reached (DOMAIN sections 9 and A).

use super::evidence::{Evidence, Known, RemapFacts, ScenarioFacts, TenantFacts, TrialFacts};
use super::finding::Confidence;
use super::landing::{Landing, LandingKind};
use super::others::{Judged, Others};
use ledger::event::word::{AuthorizingRole, Cloud, ContactRole, Scenario};
use ledger::id::{CustomerId, EventId, TenantId};
use ledger::secret::DomainId;
use ledger::time::Timestamp;
use std::collections::BTreeSet;

/// What an expectation rests on, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of these tenants; more than one if the binding is contested or several fit.
    Existing(BTreeSet<TenantId>),
    /// A tenant that this very choice creates.
    BornOfThisChoice,
    /// Nothing says which.
    Unknown,
}

/// Which tenant was expected, how sure that is, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Expectation {
    fn unknown() -> Self {
        Self {
            wanted: Wanted::Unknown,
            confidence: Confidence::thousandths(0),
            source: ExpectationSource::Nothing,
            evidence: Vec::new(),
            contested: false,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        Wanted::Existing(tenants) if expectation.contested => {
            return match tenants.contains(&landing.tenant) {
                true => Verdict::NotJudged,
                false => Verdict::Elsewhere,
            };
        }
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
    if let Some(order) = by_order(landing, basis) {
        return order.into_expectation();
    }
    let scenario = scenario(landing, basis);
    if let Some(demanded) = scenario.and_then(|scenario| by_scenario(landing, scenario, basis)) {
        return demanded;
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

fn by_order(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let order = landing.order_facts(basis.evidence)?;
    let named = order.intended_tenant.iter().rfind(|t| t.by(basis.cutoff))?;
    Some(Candidate {
        tenants: BTreeSet::from([named.value.clone()]),
        confidence: 1000,
        source: ExpectationSource::Order,
        evidence: vec![named.event],
    })
}

/// The present binding of the License ID by another landing or by a remap, and what it is worth.
/// Bindings that came later never override what was known then.
fn by_binding(landing: &Landing, basis: &Basis<'_>) -> Option<(Candidate, Binding)> {
    let license = landing.license_id.as_ref()?;
    let remaps = basis.evidence.remaps.get(license);
    let remap = remaps.into_iter().flatten().rfind(|remap| {
        let about = remap.from <= landing.cutoff() || remap.value.from == landing.tenant;
        remap.by(basis.cutoff) && about
    });
    if let Some(remap) = remap {
        let worth = match is_authorised(&remap.value, basis) {
            true => Binding::Vouched,
            false => Binding::Sound,
        };
        return Some((binding(&remap.value.to, vec![remap.event]), worth));
    }
    let other = bound(landing, basis, basis.others.of_agreement(license));
    let (tenant, events, worth) = other.last()?.clone();
    Some((binding(&tenant, events), worth))
}

/// Whether the Online Services Manager or the Notices Contact agreed to a remap. One whose case is not
/// in the record is taken at the vendor's word, which asks for that (E3, P6).
fn is_authorised(remap: &RemapFacts, basis: &Basis<'_>) -> bool {
    let case = remap.case.as_ref();
    let received = case.and_then(|case| basis.evidence.authorisations.get(case));
    received.is_none_or(|received| {
        received.iter().any(|by| match by.value {
            AuthorizingRole::OnlineServicesManager | AuthorizingRole::NoticesContact => true,
            AuthorizingRole::PrimaryContact
            | AuthorizingRole::AdministratorOfSource
            | AuthorizingRole::AdministratorOfTarget => false,
        })
    })
}

fn binding(tenant: &TenantId, evidence: Vec<EventId>) -> Candidate {
    Candidate {
        tenants: BTreeSet::from([tenant.clone()]),
        confidence: 980,
        source: ExpectationSource::AgreementBinding,
        evidence,
    }
}

/// Of some landings, those that still stand: their tenants, events, and what they are worth.
/// Earlier ones if there are any, else (for what is known now) later ones.
fn bound<'l>(
    landing: &Landing,
    basis: &Basis<'_>,
    others: impl Iterator<Item = Judged<'l>>,
) -> Vec<(TenantId, Vec<EventId>, Binding)> {
    let standing = |judged: &Judged<'_>| {
        let undone = judged.landing.reversed.as_ref();
        let gone = undone.is_some_and(|reversed| reversed.by(basis.cutoff));
        judged.landing.id != landing.id && !gone
    };
    let entry = |judged: Judged<'_>| {
        let moved = judged.landing.remapped.as_ref();
        let moved = moved.filter(|to| to.by(basis.cutoff));
        let tenant = moved.map_or(&judged.landing.tenant, |to| &to.value);
        let mut events: Vec<EventId> = judged.landing.events.iter().copied().collect();
        events.extend(moved.map(|to| to.event));
        let named = by_order(judged.landing, basis);
        let named = named.is_some_and(|named| named.tenants.contains(tenant));
        let worth = match (moved, judged.accused) {
            (Some(_), _) => Binding::Vouched,
            (None, true) => Binding::Accused,
            (None, false) if named => Binding::Vouched,
            (None, false) => Binding::Sound,
        };
        (tenant.clone(), events, worth)
    };
    let (earlier, later): (Vec<Judged<'_>>, Vec<Judged<'_>>) = others
        .filter(standing)
        .partition(|judged| judged.landing.at.start <= landing.at.start);
    let chosen = match earlier.is_empty() && basis.cutoff.is_none() {
        true => later,
        false => earlier,
    };
    chosen.into_iter().map(entry).collect()
}

/// Bindings of the other agreements of the customer number. An agreement of a customer who has nothing
/// to do with this one, after a demerger or by a wrong number, says nothing (W14).
fn by_customer_number(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let pcn = landing.agreement(basis.evidence)?.pcn.as_ref()?;
    let related = |other: &Landing| match (&landing.customer, &other.customer) {
        (Some(own), Some(other)) => {
            let moment = landing.at.start;
            let evidence = basis.evidence;
            evidence.belong_together(own, other, moment, basis.cutoff)
        }
        _ => true,
    };
    let others = basis
        .others
        .of_number(pcn)
        .filter(|other| other.landing.license_id != landing.license_id && related(other.landing));
    let bindings = bound(landing, basis, others).into_iter();
    let sound = bindings.filter(|(_, _, worth)| *worth != Binding::Accused);
    let (mut tenants, mut evidence) = (BTreeSet::new(), Vec::new());
    for (tenant, events, _) in sound {
        tenants.insert(tenant);
        evidence.extend(events);
    }
    if tenants.is_empty() {
        return None;
    }
    Some(Candidate {
        confidence: if tenants.len() == 1 { 900 } else { 400 },
        tenants,
        source: ExpectationSource::CustomerNumberBinding,
        evidence,
    })
}

/// Whether a tenant can be the one that was meant although nobody names it: it is in the cloud that
/// the agreement is for (W17), and not one that users made for themselves and nobody administers (W18).
fn suits(tenant: &TenantId, landing: &Landing, basis: &Basis<'_>) -> bool {
    let facts = basis.evidence.tenants.get(tenant);
    facts.is_none_or(|facts| {
        !is_in_another_cloud(facts, landing, basis) && !is_nobodys(facts, landing, basis)
    })
}

/// Whether a tenant is known to be in another cloud than the agreement is for.
pub fn is_in_another_cloud(tenant: &TenantFacts, landing: &Landing, basis: &Basis<'_>) -> bool {
    let wanted = landing
        .agreement(basis.evidence)
        .and_then(|a| a.cloud.as_ref());
    let known = |cloud: &&Known<Cloud>| cloud.by(basis.cutoff);
    match (wanted.filter(known), tenant.cloud.as_ref()) {
        (Some(wanted), Some(cloud)) => wanted.value != cloud.value,
        _ => false,
    }
}

/// Whether users made a tenant for themselves and nobody administered it at the landing.
pub fn is_nobodys(tenant: &TenantFacts, landing: &Landing, basis: &Basis<'_>) -> bool {
    let (start, last) = (landing.at.start, landing.cutoff());
    let own = tenant
        .self_service
        .as_ref()
        .is_some_and(|own| own.from <= last);
    let mut roles = tenant.roles.iter();
    own && !roles.any(|role| role.may_redeem() && role.held(start, last, basis.cutoff))
}

/// Tenants that verified one of the customer's domains.
fn by_customer_domain(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let customer = landing.customer.as_ref()?;
    let facts = basis.evidence.customers.get(customer);
    let domains: BTreeSet<DomainId> = facts
        .into_iter()
        .flat_map(|facts| &facts.domains)
        .filter(|domain| domain.by(basis.cutoff))
        .map(|domain| domain.value.1)
        .collect();
    Candidate::of(
        800,
        ExpectationSource::CustomerDomain,
        with_domain(landing, basis, &domains),
    )
}

/// The tenants that had one of some domains at the landing, with the events that say so.
fn with_domain<'b>(
    landing: &Landing,
    basis: &'b Basis<'_>,
    domains: &BTreeSet<DomainId>,
) -> Vec<(&'b TenantId, EventId)> {
    let mut found = Vec::new();
    for domain in domains {
        let tenants = basis.evidence.tenants_of_domain(*domain);
        for tenant in tenants.filter(|tenant| suits(tenant, landing, basis)) {
            let facts = basis.evidence.tenants.get(tenant);
            let held = facts
                .into_iter()
                .flat_map(|facts| &facts.domains)
                .find(|held| {
                    held.value.id == *domain && held.held_at(landing.cutoff(), basis.cutoff)
                });
            found.extend(held.map(|held| (tenant, held.event)));
        }
    }
    found
}

/// Tenants that a source calls the customer's: weaker than a domain, because a customer can own a
/// tenant for tests or for another purpose.
fn by_owner(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let customer = landing.customer.as_ref()?;
    let owned = basis
        .evidence
        .tenants_of_owner(customer)
        .filter(|tenant| suits(tenant, landing, basis))
        .filter_map(|tenant| {
            let mut owners = basis.evidence.tenants.get(tenant)?.owners.iter();
            let says = owners.find(|o| o.value == *customer && o.by(basis.cutoff))?;
            Some((tenant, says.event))
        });
    Candidate::of(600, ExpectationSource::Owner, owned)
}

/// Tenants with the customer's verified domain that were known before the landing and are not the
/// landing's own: the customer had a tenant already.
pub fn had_tenant(landing: &Landing, basis: &Basis<'_>) -> Vec<EventId> {
    let then = Basis {
        evidence: basis.evidence,
        others: basis.others,
        cutoff: Some(landing.cutoff()),
    };
    let known = by_customer_domain(landing, &then);
    let other = known.filter(|known| !known.tenants.contains(&landing.tenant));
    other.map(|known| known.evidence).unwrap_or_default()
}

/// Tenants that verified the domain of the manager's or primary contact's address. A contact who
/// works for a partner, a consultancy or any other customer says nothing about a tenant of this
/// customer, so tenants of others do not count.
fn by_contact(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let of_order = landing
        .order_facts(basis.evidence)
        .map(|order| &order.contacts);
    let of_agreement = landing.agreement(basis.evidence).map(|a| &a.contacts);
    let contacts = of_order.into_iter().chain(of_agreement).flatten();
    let domains: BTreeSet<DomainId> = contacts
        .filter(|contact| contact.by(basis.cutoff) && !contact.value.person.public_domain)
        .filter(|contact| match contact.value.role {
            ContactRole::PrimaryContact | ContactRole::OnlineServicesManager => true,
            ContactRole::OnlineAdministrator | ContactRole::NoticesContact => false,
        })
        .map(|contact| contact.value.person.domain)
        .collect();
    let own = with_domain(landing, basis, &domains)
        .into_iter()
        .filter(|(tenant, _)| !is_foreign(tenant, landing, basis.evidence));
    Candidate::of(600, ExpectationSource::ContactDomain, own)
}

/// Whether a tenant is known to be somebody else's by the landing: a partner's, or another
/// customer's.
pub fn is_foreign(tenant: &TenantId, landing: &Landing, evidence: &Evidence) -> bool {
    let cutoff = Some(landing.cutoff());
    let customer = landing.customer.as_ref();
    let partner = evidence.partner_of_tenant(tenant, cutoff);
    let partners = partner.is_some_and(|(partner, _)| {
        let own = evidence.partners.get(partner);
        own.is_some_and(|own| own.customer.is_none() || own.customer.as_ref() != customer)
    });
    let owners = evidence.owners_of(tenant, landing.cutoff(), cutoff);
    let ours = |owner: &&CustomerId| {
        customer.is_none_or(|customer| {
            evidence.belong_together(owner, customer, landing.at.start, cutoff)
        })
    };
    partners || (!owners.is_empty() && !owners.keys().any(ours))
}
