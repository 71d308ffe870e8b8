//! What the record says that the audit needs, gathered in one pass over the events.
//!
//! Every piece keeps the event that it comes from and when that happened, so that it can be asked
//! what was known at a landing, and so that a finding can name its evidence.

mod ask;
mod facts;
mod gather;
mod table;
mod times;

pub use facts::*;
pub use table::{Facts, Word, Words};
pub use times::Times;

use super::reads::Reads;
use ledger::event::kinds::KeysRedeemed;
use ledger::event::part::{Contact, RedemptionEffect};
use ledger::event::protected::{Domain, Person};
use ledger::event::word::*;
use ledger::event::{Event, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{DomainId, KeyFingerprint, PersonId};
use ledger::subject::Subject;
use ledger::time::{Date, Occurred, Timestamp};
use projections::At;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A fact with the event that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    pub orders: Facts<OrderId, OrderFacts>,
    /// Keys.
    pub keys: Facts<KeyFingerprint, KeyFacts>,
    /// Agreements.
    pub agreements: Facts<LicenseId, AgreementFacts>,
    /// Tenants.
    pub tenants: Facts<TenantId, TenantFacts>,
    /// Users that were given licences, by tenant.
    pub assigned: Facts<TenantId, Vec<Known<usize>>>,
    /// Customers.
    pub customers: Facts<CustomerId, CustomerFacts>,
    /// Partners.
    pub partners: Facts<PartnerId, PartnerFacts>,
    /// Sessions.
    pub sessions: Facts<SessionId, SessionFacts>,
    /// Flow and session of each redemption.
    pub redemptions: Facts<RedemptionId, RedemptionFacts>,
    /// Subscriptions.
    pub subscriptions: Facts<SubscriptionId, SubscriptionFacts>,
    /// Who authorised something in each support case: what they are.
    pub authorisations: Facts<CaseId, Vec<Known<AuthorizingRole>>>,
    /// Other addresses of a person.
    aliases: Facts<PersonId, BTreeSet<PersonId>>,
    /// Where persons can be written to.
    pub mailboxes: Facts<PersonId, Mailbox>,
    /// Licences that each user was given or lost, by tenant.
    pub licences: Facts<PersonId, BTreeMap<TenantId, Vec<Known<bool>>>>,
    /// Words for products that orders use and that portals show.
    pub words: Words,
    /// Trials.
    trials: Vec<Known<TrialFacts>>,
    /// Redemptions that were reversed, and by which event first.
    pub reversed_redemptions: Facts<RedemptionId, Known<()>>,
    /// Keys that were neutralised, and by which event first.
    pub reversed_keys: Facts<KeyFingerprint, Known<()>>,
    /// Agreements that the vendor moved.
    pub remaps: Facts<LicenseId, Vec<Known<RemapFacts>>>,
    /// Decisions about findings.
    pub decisions: Facts<FindingId, Vec<Known<DecisionFacts>>>,
    /// Trials of each customer and each contact, as indices.
    trials_of: (Facts<CustomerId, Vec<usize>>, Facts<PersonId, Vec<usize>>),
    /// Tenants that ever verified each domain.
    tenants_of_domain: Facts<DomainId, BTreeSet<TenantId>>,
    /// Tenants that a source ever called a customer's.
    tenants_of_owner: Facts<CustomerId, BTreeSet<TenantId>>,
    /// Partners that call a tenant their own.
    partners_of_tenant: Facts<TenantId, BTreeSet<PartnerId>>,
    /// Subscriptions that were in a tenant.
    subscriptions_of_tenant: Facts<TenantId, BTreeSet<SubscriptionId>>,
    /// Tenants that each person was given a role in.
    tenants_of_person: Facts<PersonId, BTreeSet<TenantId>>,
    /// Sessions of each root authentication.
    sessions_of_root: Facts<SessionId, BTreeSet<SessionId>>,
    /// The customers that verified each domain, and since when that is known.
    domain_owners: Facts<DomainId, Vec<(CustomerId, Timestamp)>>,
    /// Mails: the agreement that each was about.
    messages: BTreeMap<MessageId, LicenseId>,
    /// Links: the agreement that each is for.
    links: BTreeMap<LinkId, LicenseId>,
    /// The machines that were ever named beside each person, where that is known without the events.
    installs: Option<BTreeMap<PersonId, Vec<Subject>>>,
    /// Up to when things that happened count.
    valid_at: Option<Timestamp>,
    reads: Reads,
    /// When each event happened.
    pub occurred: Times,
}
