//! What the record says that the audit needs, gathered in one pass over the events.
//!
//! Every piece keeps the event that it comes from and when that happened, so that it can be asked
//! what was known at a landing, and so that a finding can name its evidence.

mod ask;
mod gather;

use ledger::event::part::Contact;
use ledger::event::protected::Domain;
use ledger::event::word::{AuthMethod, Program, RedemptionFlow, Scenario};
use ledger::event::{Event, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{DomainId, KeyFingerprint, PersonId};
use ledger::time::{Date, Occurred, Timestamp};
use projections::At;
use std::collections::{BTreeMap, BTreeSet};

/// A fact with the event that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known<T> {
    /// What is known.
    pub value: T,
    /// The event that says so.
    pub event: EventId,
    /// The first instant at which it can have happened.
    pub from: Timestamp,
}

impl<T> Known<T> {
    fn new(event: &Event, value: T) -> Self {
        Self {
            value,
            event: event.id,
            from: event.occurred_at.start,
        }
    }

    /// Whether it was valid at an instant; without one everything counts.
    pub fn by(&self, cutoff: Option<Timestamp>) -> bool {
        cutoff.is_none_or(|cutoff| self.from <= cutoff)
    }
}

/// What is known of an order.
#[derive(Debug, Clone, Default)]
pub struct OrderFacts {
    /// Its agreement.
    pub license_id: Option<LicenseId>,
    /// Who will use it.
    pub end_customer: Option<Known<CustomerId>>,
    /// The tenants that it was meant for, the last one counts.
    pub intended_tenant: Vec<Known<TenantId>>,
    /// The partners on it.
    pub partners: BTreeSet<PartnerId>,
    /// The contacts on it.
    pub contacts: Vec<Known<Contact>>,
}

/// What is known of an activation key.
#[derive(Debug, Clone, Default)]
pub struct KeyFacts {
    /// The order that it was issued for.
    pub order: Option<Known<OrderId>>,
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// The key that took its place.
    pub replaced_by: Option<Known<KeyFingerprint>>,
    /// Refusals because it was used already: in which tenant.
    pub refused_as_used: Vec<Known<Option<TenantId>>>,
}

/// What is known of an agreement.
#[derive(Debug, Clone, Default)]
pub struct AgreementFacts {
    /// Whose it is.
    pub customer: Option<Known<CustomerId>>,
    /// Under which program.
    pub program: Option<Program>,
    /// Its customer number.
    pub pcn: Option<Pcn>,
    /// Its contacts over time.
    pub contacts: Vec<Known<Contact>>,
    /// Its orders.
    pub orders: BTreeSet<OrderId>,
    /// The scenarios that it was assessed as.
    pub scenarios: Vec<Known<ScenarioFacts>>,
    /// The choices that were made.
    pub choices: Vec<Known<ChoiceFacts>>,
    /// Links opened for it: the session.
    pub links_opened: Vec<Known<Option<SessionId>>>,
    /// Persons that the mail went to or was forwarded to.
    pub recipients: Vec<Known<PersonId>>,
    /// Activation statuses that a portal showed.
    pub statuses: Vec<Known<&'static str>>,
}

/// An assessed scenario.
#[derive(Debug, Clone)]
pub struct ScenarioFacts {
    /// Which one.
    pub scenario: Scenario,
    /// The trial's tenant.
    pub trial_tenant: Option<TenantId>,
    /// For which activation.
    pub activation: Option<ActivationId>,
}

/// The choice of an activation.
#[derive(Debug, Clone)]
pub struct ChoiceFacts {
    /// Whether Sign Up was chosen; otherwise Sign In.
    pub sign_up: bool,
    /// For which activation.
    pub activation: Option<ActivationId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// By whom.
    pub principal: Option<PersonId>,
}

/// What is known of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantFacts {
    /// The name that people know it by.
    pub initial_domain: Option<DomainName>,
    /// Customers that a source calls its owner.
    pub owners: Vec<Known<CustomerId>>,
    /// Domains that it verified.
    pub domains: Vec<Known<HeldDomain>>,
    /// How it came to be: agreement, activation and session that created it.
    pub created: Vec<Known<CreatedBy>>,
    /// Its administrators.
    pub administrators: Vec<Known<PersonId>>,
    /// Users that were given licences.
    pub assigned: Vec<Known<usize>>,
}

/// A domain that a tenant verified.
#[derive(Debug, Clone)]
pub struct HeldDomain {
    /// The domain.
    pub name: DomainName,
    /// Its pseudonym.
    pub id: DomainId,
    /// When it was removed from the tenant again.
    pub until: Option<Timestamp>,
}

impl Known<HeldDomain> {
    /// Whether the tenant had it at a moment, as far as was known by a cutoff.
    pub fn held_at(&self, moment: Timestamp, cutoff: Option<Timestamp>) -> bool {
        self.by(cutoff) && self.value.until.is_none_or(|until| until > moment)
    }
}

/// What created a tenant.
#[derive(Debug, Clone, Default)]
pub struct CreatedBy {
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// The activation.
    pub activation: Option<ActivationId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The day, where a source tells it afterwards.
    pub on: Option<Date>,
}

/// What is known of a customer.
#[derive(Debug, Clone, Default)]
pub struct CustomerFacts {
    /// Its name.
    pub name: Option<Name>,
    /// Domains that it verified.
    pub domains: Vec<Known<(DomainName, DomainId)>>,
    /// Customers that it belongs together with.
    pub related: Vec<Known<CustomerId>>,
}

/// What is known of a partner.
#[derive(Debug, Clone, Default)]
pub struct PartnerFacts {
    /// The customer that it is itself.
    pub customer: Option<CustomerId>,
    /// Tenants of its own.
    pub tenants: Vec<Known<TenantId>>,
}

/// What is known of a session.
#[derive(Debug, Clone, Default)]
pub struct SessionFacts {
    /// When and how it started.
    pub started: Vec<Known<SessionStart>>,
    /// Agreements that it was used for, by what.
    pub used_for: Vec<Known<(LicenseId, &'static str)>>,
    /// When it ended.
    pub ended: Vec<Known<()>>,
}

/// The start of a session.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// The root authentication.
    pub root: Option<SessionId>,
    /// Who.
    pub principal: Option<PersonId>,
    /// The tenant that it is in.
    pub resource_tenant: Option<TenantId>,
    /// How it was authenticated.
    pub auth: AuthMethod,
}

/// A trial.
#[derive(Debug, Clone)]
pub struct TrialFacts {
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub customer: Option<CustomerId>,
    /// Who opened it.
    pub contact: Option<PersonId>,
    /// Its last day.
    pub ends: Date,
}

/// An agreement that was moved.
#[derive(Debug, Clone)]
pub struct RemapFacts {
    /// From which tenant.
    pub from: TenantId,
    /// To which tenant.
    pub to: TenantId,
}

/// A decision about a finding.
#[derive(Debug, Clone)]
pub struct DecisionFacts {
    /// Confirmed, or dismissed.
    pub confirmed: bool,
    /// Digest of the evidence that was judged.
    pub evidence_digest: Name,
}

/// Everything that the audit knows.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Orders.
    pub orders: BTreeMap<OrderId, OrderFacts>,
    /// Keys.
    pub keys: BTreeMap<KeyFingerprint, KeyFacts>,
    /// Agreements.
    pub agreements: BTreeMap<LicenseId, AgreementFacts>,
    /// Tenants.
    pub tenants: BTreeMap<TenantId, TenantFacts>,
    /// Customers.
    pub customers: BTreeMap<CustomerId, CustomerFacts>,
    /// Partners.
    pub partners: BTreeMap<PartnerId, PartnerFacts>,
    /// Sessions.
    pub sessions: BTreeMap<SessionId, SessionFacts>,
    /// Flow and session of each redemption.
    pub redemptions: BTreeMap<RedemptionId, RedemptionFacts>,
    /// Trials.
    trials: Vec<Known<TrialFacts>>,
    /// Redemptions that were reversed, and by which event first.
    pub reversed_redemptions: BTreeMap<RedemptionId, Known<()>>,
    /// Keys that were neutralised, and by which event first.
    pub reversed_keys: BTreeMap<KeyFingerprint, Known<()>>,
    /// Agreements that the vendor moved.
    pub remaps: BTreeMap<LicenseId, Vec<Known<RemapFacts>>>,
    /// Decisions about findings.
    pub decisions: BTreeMap<FindingId, Vec<Known<DecisionFacts>>>,
    /// Trials of each customer and each contact, as indices.
    trials_of: (
        BTreeMap<CustomerId, Vec<usize>>,
        BTreeMap<PersonId, Vec<usize>>,
    ),
    /// Tenants that ever verified each domain.
    tenants_of_domain: BTreeMap<DomainId, BTreeSet<TenantId>>,
    /// Tenants that a source ever called a customer's.
    tenants_of_owner: BTreeMap<CustomerId, BTreeSet<TenantId>>,
    /// Partners that call a tenant their own.
    partners_of_tenant: BTreeMap<TenantId, BTreeSet<PartnerId>>,
    /// Sessions of each root authentication.
    sessions_of_root: BTreeMap<SessionId, BTreeSet<SessionId>>,
    /// The customers that verified each domain, and since when that is known.
    domain_owners: BTreeMap<DomainId, Vec<(CustomerId, Timestamp)>>,
    /// Mails: the agreement that each was about.
    messages: BTreeMap<MessageId, LicenseId>,
    /// Links: the agreement that each is for.
    links: BTreeMap<LinkId, LicenseId>,
    /// When each event happened.
    pub occurred: BTreeMap<EventId, Occurred>,
}

/// What is known of a redemption before its outcome.
#[derive(Debug, Clone, Default)]
pub struct RedemptionFacts {
    /// Through which flow.
    pub flow: Option<RedemptionFlow>,
    /// In which session.
    pub session: Option<SessionId>,
    /// For which order.
    pub order: Option<OrderId>,
    /// For which agreement.
    pub license_id: Option<LicenseId>,
}
