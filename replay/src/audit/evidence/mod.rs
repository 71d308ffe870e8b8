//! What the record says that the audit needs, gathered in one pass over the events.
//!
//! Every piece keeps the event that it comes from and when that happened, so that it can be asked
//! what was known at a landing, and so that a finding can name its evidence.

mod ask;
mod facts;
mod gather;
mod times;

pub use facts::*;
pub use times::Times;

use ledger::event::kinds::KeysRedeemed;
use ledger::event::part::{Contact, RedemptionEffect};
use ledger::event::protected::{Domain, Person};
use ledger::event::word::*;
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
    /// Subscriptions.
    pub subscriptions: BTreeMap<SubscriptionId, SubscriptionFacts>,
    /// Who authorised something in each support case: what they are.
    pub authorisations: BTreeMap<CaseId, Vec<Known<AuthorizingRole>>>,
    /// Other addresses of a person.
    aliases: BTreeMap<PersonId, BTreeSet<PersonId>>,
    /// Where persons can be written to.
    pub mailboxes: BTreeMap<PersonId, Mailbox>,
    /// Licences that each user was given or lost, by tenant.
    pub licences: BTreeMap<PersonId, BTreeMap<TenantId, Vec<Known<bool>>>>,
    /// Words that orders use for what they buy.
    pub skus_ordered: BTreeSet<Sku>,
    /// Words that portals use for what a subscription is of.
    pub skus_shown: BTreeSet<Sku>,
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
    /// Subscriptions that were in a tenant.
    subscriptions_of_tenant: BTreeMap<TenantId, BTreeSet<SubscriptionId>>,
    /// Tenants that each person was given a role in.
    tenants_of_person: BTreeMap<PersonId, BTreeSet<TenantId>>,
    /// Sessions of each root authentication.
    sessions_of_root: BTreeMap<SessionId, BTreeSet<SessionId>>,
    /// The customers that verified each domain, and since when that is known.
    domain_owners: BTreeMap<DomainId, Vec<(CustomerId, Timestamp)>>,
    /// Mails: the agreement that each was about.
    messages: BTreeMap<MessageId, LicenseId>,
    /// Links: the agreement that each is for.
    links: BTreeMap<LinkId, LicenseId>,
    /// Up to when things that happened count.
    pub valid_at: Option<Timestamp>,
    /// When each event happened.
    pub occurred: Times,
}
