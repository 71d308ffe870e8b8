//! Who may act for an agreement, as far as the record says (DOMAIN section A "Authority",
//! invariant 5).
//!
//! Mail is outside of the ledger, so a forward may be missing from the record, and one person may
//! have several addresses. Whoever cannot be told from a colleague is therefore no stranger.

use super::evidence::{AgreementRole, Evidence, Known};
use super::landing::Landing;
use ledger::event::part::Contact;
use ledger::event::word::VlRole;
use ledger::id::{CustomerId, EventId, SessionId, TenantId};
use ledger::secret::{DomainId, PersonId};
use ledger::time::Timestamp;
use std::collections::BTreeSet;

/// How somebody stands to an agreement, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing connects them with the agreement.
    Stranger,
    /// An address of the customer or of a contact's organisation: a forward may be missing.
    Colleague,
    /// The record says that they may act: recipient, forwarded-to, contact, role holder, or shown the
    /// key.
    Recorded,
}

/// How a person stood to the landing's agreement when it landed, under whichever address.
pub fn standing(person: PersonId, landing: &Landing, evidence: &Evidence) -> Standing {
    let all = evidence.same_person(person).into_iter();
    let all = all.map(|person| standing_of_address(person, landing, evidence));
    all.max().unwrap_or(Standing::Stranger)
}

fn standing_of_address(person: PersonId, landing: &Landing, evidence: &Evidence) -> Standing {
    if is_recorded(person, landing, evidence) {
        return Standing::Recorded;
    }
    let mailbox = evidence.mailboxes.get(&person);
    let own = mailbox.filter(|mailbox| !mailbox.public);
    let shared = own.is_some_and(|own| organisations(landing, evidence).contains(&own.domain));
    let at_home = evidence
        .tenants_of_person(person)
        .any(|tenant| belongs_to_customer(tenant, landing, evidence));
    match shared || at_home {
        true => Standing::Colleague,
        false => Standing::Stranger,
    }
}

fn is_recorded(person: PersonId, landing: &Landing, evidence: &Evidence) -> bool {
    let by = Some(landing.cutoff());
    let agreement = landing.agreement(evidence);
    let mailed = agreement
        .into_iter()
        .flat_map(|agreement| &agreement.recipients)
        .any(|to| to.value == person && to.by(by));
    let contact = contacts(landing, evidence).any(|c| c.value.person.id == person && c.by(by));
    let role = agreement.is_some_and(|agreement| {
        let mut held = agreement.roles.iter();
        held.any(|role| role.value.user == person && holds_redeeming_role(role, landing))
    });
    let shown = landing
        .keys
        .iter()
        .filter_map(|key| evidence.keys.get(key))
        .flat_map(|key| &key.revealed)
        .any(|shown| shown.value.to == Some(person) && shown.by(by));
    mailed || contact || role || shown || is_of_partner(person, landing, evidence)
}

/// Whether a volume-licensing role that may redeem (P2) was held at the landing.
pub fn holds_redeeming_role(role: &Known<AgreementRole>, landing: &Landing) -> bool {
    let redeems = match role.value.role {
        VlRole::Administrator | VlRole::ProductKeysReader | VlRole::OnlineServicesManager => true,
        VlRole::LicensePositionReader
        | VlRole::ProductDownloadManager
        | VlRole::BenefitsReader
        | VlRole::InvoiceReader => false,
    };
    let ended = role
        .value
        .until
        .is_some_and(|until| until < landing.at.start);
    redeems && role.by(Some(landing.cutoff())) && !ended
}

/// The contacts on the landing's agreement and order, whenever they were named.
pub fn contacts<'e>(
    landing: &Landing,
    evidence: &'e Evidence,
) -> impl Iterator<Item = &'e Known<Contact>> {
    let of_order = landing.order_facts(evidence).map(|order| &order.contacts);
    let of_agreement = landing.agreement(evidence).map(|a| &a.contacts);
    of_order.into_iter().chain(of_agreement).flatten()
}

/// Whether somebody has an address of a partner on the order or agreement.
fn is_of_partner(person: PersonId, landing: &Landing, evidence: &Evidence) -> bool {
    let Some(mailbox) = evidence.mailboxes.get(&person).filter(|m| !m.public) else {
        return false;
    };
    let on_order = landing.order_facts(evidence).map(|order| &order.partners);
    let on_agreement = landing.agreement(evidence).map(|a| &a.partners);
    on_order
        .into_iter()
        .chain(on_agreement)
        .flatten()
        .filter_map(|partner| evidence.partners.get(partner))
        .any(|partner| partner.domains.contains(&mailbox.domain))
}

/// Domains of the customer, its contacts and its recipients; never one that anybody can be in.
fn organisations(landing: &Landing, evidence: &Evidence) -> BTreeSet<DomainId> {
    let customer = landing.customer.as_ref();
    let customer = customer.and_then(|customer| evidence.customers.get(customer));
    let own = customer.into_iter().flat_map(|facts| &facts.domains);
    let own = own.map(|domain| domain.value.1);
    let contacts = contacts(landing, evidence).map(|contact| contact.value.person.id);
    let recipients = landing.agreement(evidence).into_iter();
    let recipients = recipients.flat_map(|a| &a.recipients).map(|to| to.value);
    let mailboxes = contacts
        .chain(recipients)
        .filter_map(|person| evidence.mailboxes.get(&person))
        .filter(|mailbox| !mailbox.public)
        .map(|mailbox| mailbox.domain);
    own.chain(mailboxes).collect()
}

/// Whether a tenant is known to be the customer's: a source says so, it has verified one of the
/// customer's domains, or it holds a trial of the customer.
pub fn belongs_to_customer(tenant: &TenantId, landing: &Landing, evidence: &Evidence) -> bool {
    let Some(customer) = &landing.customer else {
        return false;
    };
    let (start, cutoff) = (landing.at.start, Some(landing.cutoff()));
    let ours = |owner: &CustomerId| evidence.belong_together(owner, customer, start, cutoff);
    let owners = evidence.owners_of(tenant, landing.cutoff(), cutoff);
    let trials = evidence.trials_of(Some(customer), &BTreeSet::new());
    owners.into_keys().any(ours)
        || trials
            .iter()
            .any(|trial| trial.value.tenant == *tenant && trial.by(cutoff))
}

/// The event by which the landing's session, or another of the same root authentication, opened the
/// agreement's link: whoever did had the mail, whether or not a forward is recorded.
pub fn opened_the_link(landing: &Landing, evidence: &Evidence) -> Option<EventId> {
    let session = landing.session.as_ref()?;
    let root = evidence.root_of(session);
    let same = |other: &SessionId| other == session || evidence.root_of(other) == root;
    let opened = &landing.agreement(evidence)?.links_opened;
    let own = opened.iter().rfind(|opened| {
        opened.value.as_ref().is_some_and(same) && opened.by(Some(landing.cutoff()))
    });
    own.map(|opened| opened.event)
}

/// Whether anybody of those who did it held a role or a live delegation that gives authority over the
/// landing's tenant, or created it in this very landing; `None` if the tenant's roles are not known.
pub fn administers(landing: &Landing, evidence: &Evidence) -> Option<bool> {
    let tenant = evidence.tenants.get(&landing.tenant)?;
    let (start, last) = (landing.at.start, landing.cutoff());
    let cutoff = Some(last);
    let mut known = tenant.roles.iter().filter(|role| role.may_redeem());
    if !known.any(|role| role.by(cutoff)) {
        return None;
    }
    let held = tenant.roles.iter().any(|role| {
        let acted = landing.persons.contains(&role.value.user);
        acted && role.may_redeem() && role.held(start, last, cutoff)
    });
    let live = |to: &&Known<super::evidence::DelegationFacts>| {
        to.value.may_redeem && to.live(start, last, cutoff)
    };
    let delegated = tenant.delegations.iter().filter(live).any(|to| {
        let by_actor = to.value.partner.as_ref();
        let by_actor = by_actor.is_some_and(|partner| landing.partners.contains(partner));
        by_actor
            || home_tenant(landing, evidence) == Some(&to.value.partner_tenant)
            || works_for(landing, &to.value, evidence)
    });
    let let_in = signed_in_by_delegation(landing, evidence);
    Some(held || delegated || let_in || super::expectation::born_of(landing, evidence))
}

/// Whether anybody of those who did it has an address of the partner that a delegation is to.
fn works_for(
    landing: &Landing,
    to: &super::evidence::DelegationFacts,
    evidence: &Evidence,
) -> bool {
    let named = to.partner.as_ref();
    let by_tenant = evidence.partner_of_tenant(&to.partner_tenant, Some(landing.cutoff()));
    let partner = named.or(by_tenant.map(|(partner, _)| partner));
    let Some(partner) = partner.and_then(|partner| evidence.partners.get(partner)) else {
        return false;
    };
    let mut persons = landing.persons.iter();
    persons.any(|person| {
        let mailbox = evidence
            .mailboxes
            .get(person)
            .filter(|mailbox| !mailbox.public);
        mailbox.is_some_and(|mailbox| partner.domains.contains(&mailbox.domain))
    })
}

/// Whether the directory let the landing's session into the tenant by delegation: then there was one,
/// whether or not its grant is on record.
fn signed_in_by_delegation(landing: &Landing, evidence: &Evidence) -> bool {
    let session = landing.session.as_ref();
    let starts = session.and_then(|session| evidence.sessions.get(session));
    let mut starts = starts.into_iter().flat_map(|session| &session.started);
    starts.any(|start| {
        let there = start.value.resource_tenant.as_ref() == Some(&landing.tenant);
        there && start.value.auth == ledger::event::word::AuthMethod::Delegated
    })
}

/// The tenant that the account of the landing's session is at home in.
pub fn home_tenant<'e>(landing: &Landing, evidence: &'e Evidence) -> Option<&'e TenantId> {
    let start = evidence.session_start(landing.session.as_ref()?)?;
    start.value.home_tenant.as_ref()
}

/// When users were given licences in a tenant between two instants, and how many.
pub fn users_given<'e>(
    tenant: &TenantId,
    from: Timestamp,
    to: Timestamp,
    evidence: &'e Evidence,
) -> Vec<&'e Known<usize>> {
    let given = evidence.assigned.get(tenant).into_iter().flatten();
    given.filter(|g| g.from >= from && g.from <= to).collect()
}
