//! The sources of an expectation, the strongest first (DOMAIN section 9).

use super::{Basis, Binding, Candidate, ExpectationSource};
use crate::audit::evidence::{Evidence, Known, RemapFacts, TenantFacts};
use crate::audit::landing::Landing;
use crate::audit::others::Judged;
use ledger::event::word::{AuthorizingRole, Cloud, ContactRole};
use ledger::id::{CustomerId, EventId, TenantId};
use ledger::secret::DomainId;
use std::collections::BTreeSet;

pub(super) fn by_order(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
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
pub(super) fn by_binding(landing: &Landing, basis: &Basis<'_>) -> Option<(Candidate, Binding)> {
    let license = landing.license_id.as_ref()?;
    let remaps = basis.evidence.remaps.get(license);
    let remap = remaps.into_iter().flatten().rfind(|remap| {
        let about = remap.from <= landing.cutoff() || remap.value.from == landing.tenant;
        remap.by(basis.cutoff) && about && remap.value.asked_for
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
        let moved =
            moved.filter(|to| to.by(basis.cutoff) && was_asked_for(judged.landing, to, basis));
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
    // What came later only fills in, so a later landing that is accused says nothing about this one.
    let chosen = match earlier.is_empty() && basis.cutoff.is_none() {
        true => later.into_iter().filter(|judged| !judged.accused).collect(),
        false => earlier,
    };
    chosen.into_iter().map(entry).collect()
}

/// Whether somebody asked for what moved a landing. A remap takes all agreements of a customer number
/// along (W25), and says nothing of those that nobody named.
fn was_asked_for(landing: &Landing, moved: &Known<TenantId>, basis: &Basis<'_>) -> bool {
    let license = landing.license_id.as_ref();
    let remaps = license.and_then(|license| basis.evidence.remaps.get(license));
    let mut remaps = remaps.into_iter().flatten();
    remaps.any(|remap| remap.event == moved.event && remap.value.asked_for)
}

/// The one tenant that the License ID, or else the other agreements of the customer number, were bound
/// to by the landing, whatever else says which tenant was meant: with the events that say so, and
/// whether it is the License ID. `None` if there is none, or two tenants claim it.
pub fn bound_before(
    landing: &Landing,
    basis: &Basis<'_>,
) -> Option<(TenantId, Vec<EventId>, bool)> {
    let license = landing.license_id.as_ref();
    let of_license = license
        .into_iter()
        .flat_map(|license| basis.others.of_agreement(license));
    let earlier =
        |others: &mut dyn Iterator<Item = Judged<'_>>| -> Option<(TenantId, Vec<EventId>)> {
            let before = others.filter(|judged| judged.landing.at.start <= landing.at.start);
            let mut found = bound(landing, basis, before);
            found.retain(|(_, _, worth)| *worth != Binding::Accused);
            let tenants: BTreeSet<&TenantId> = found.iter().map(|(tenant, ..)| tenant).collect();
            let (1, Some(tenant)) = (tenants.len(), tenants.first().map(|one| (*one).clone()))
            else {
                return None;
            };
            let events = found.into_iter().flat_map(|(_, events, _)| events);
            Some((tenant, events.collect()))
        };
    if let Some((tenant, events)) = earlier(&mut of_license.into_iter()) {
        return Some((tenant, events, true));
    }
    let pcn = landing.agreement(basis.evidence)?.pcn.as_ref()?;
    let others = basis.others.of_number(pcn);
    let mut others = others.filter(|other| {
        other.landing.license_id != landing.license_id && are_related(landing, other.landing, basis)
    });
    earlier(&mut others).map(|(tenant, events)| (tenant, events, false))
}

/// Whether nothing says that the customers of two landings have nothing to do with each other.
fn are_related(one: &Landing, other: &Landing, basis: &Basis<'_>) -> bool {
    match (&one.customer, &other.customer) {
        (Some(own), Some(other)) => {
            let evidence = basis.evidence;
            evidence.belong_together(own, other, one.at.start, basis.cutoff)
        }
        _ => true,
    }
}

/// Bindings of the other agreements of the customer number. An agreement of a customer who has nothing
/// to do with this one, after a demerger or by a wrong number, says nothing (W14).
pub(super) fn by_customer_number(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
    let pcn = landing.agreement(basis.evidence)?.pcn.as_ref()?;
    let others = basis.others.of_number(pcn).filter(|other| {
        other.landing.license_id != landing.license_id && are_related(landing, other.landing, basis)
    });
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
pub(super) fn by_customer_domain(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
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
pub(super) fn by_owner(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
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
pub(super) fn by_contact(landing: &Landing, basis: &Basis<'_>) -> Option<Candidate> {
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
