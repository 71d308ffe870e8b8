//! What the evidence is asked.

use super::*;
use crate::audit::reads::{Facet, Key as _, Source};

impl Evidence {
    /// Up to when things that happened count.
    pub fn valid_at(&self) -> Timestamp {
        self.valid_at.unwrap_or(Timestamp::MAX)
    }

    /// Whether an instant is reached. Rules ask this, and never compare with the present instant by
    /// themselves: so it is known when time alone can change what they say.
    pub fn has_reached(&self, instant: Timestamp) -> bool {
        let reached = self.valid_at() >= instant;
        if !reached {
            self.reads.note(|| Source::Time(instant));
        }
        reached
    }

    /// Whether a day is over.
    pub fn is_over(&self, day: Date) -> bool {
        let over = self.valid_at().date() > day;
        if !over {
            self.has_reached(day.plus_days(1).start());
        }
        over
    }

    /// Says that a view is folded as it is now, which can be another one tomorrow.
    pub fn looks_at_today(&self) {
        self.is_over(self.valid_at().date());
    }

    /// The machines of a tenant are looked at.
    pub(in crate::audit) fn looks_at_fleet(&self, tenant: &TenantId) {
        self.reads.note(|| Source::Fleet(tenant.clone()));
    }

    /// Says which machines were ever named beside persons.
    pub(in crate::audit) fn know_installs(&mut self, installs: BTreeMap<PersonId, Vec<Subject>>) {
        self.installs = Some(installs);
    }

    /// The machines that were ever named beside a person, in events that are seen or not; `None` where the
    /// histories say it.
    pub(in crate::audit) fn installs_of(&self, person: PersonId) -> Option<&[Subject]> {
        let installs = self.installs.as_ref()?;
        self.reads.note(|| person.source(Facet::Installs));
        Some(installs.get(&person).map_or(&[], Vec::as_slice))
    }

    /// The name that people know a tenant by.
    pub fn tenant_name(&self, tenant: &TenantId) -> String {
        let facts = self.tenants.get(tenant);
        match facts.and_then(|facts| facts.initial_domain.as_ref()) {
            Some(domain) => domain.to_string(),
            None => tenant.to_string(),
        }
    }

    /// The name that people know a customer by.
    pub fn customer_name(&self, customer: &CustomerId) -> String {
        let facts = self.customers.get(customer);
        match facts.and_then(|facts| facts.name.as_ref()) {
            Some(name) => name.to_string(),
            None => customer.to_string(),
        }
    }

    /// Whether two customers were one or belonged together at a moment, as far as was known: directly,
    /// or because both belong together with a third, such as the subsidiaries of one parent.
    pub fn belong_together(
        &self,
        one: &CustomerId,
        other: &CustomerId,
        moment: Timestamp,
        cutoff: Option<Timestamp>,
    ) -> bool {
        let related = |customer: &CustomerId| -> BTreeSet<&CustomerId> {
            let facts = self.customers.get(customer);
            let related = facts.into_iter().flat_map(|facts| &facts.related);
            let holding = related.filter(|known| known.holds(moment, cutoff));
            holding.map(|known| &known.value.customer).collect()
        };
        if one == other {
            return true;
        }
        let (ours, theirs) = (related(one), related(other));
        ours.contains(other) || theirs.contains(one) || !ours.is_disjoint(&theirs)
    }

    /// The customers that a tenant belonged to at a moment, as far as was known by a cutoff: those that
    /// a source calls its owner, and those whose verified domain it had. With the events that say so.
    pub fn owners_of(
        &self,
        tenant: &TenantId,
        moment: Timestamp,
        cutoff: Option<Timestamp>,
    ) -> BTreeMap<&CustomerId, Vec<(EventId, String)>> {
        let mut owners: BTreeMap<&CustomerId, Vec<(EventId, String)>> = BTreeMap::new();
        let Some(facts) = self.tenants.get(tenant) else {
            return owners;
        };
        let shown = self.tenant_name(tenant);
        // A source that repeats itself every month says it once.
        let mut say = |customer, event, why: String| {
            let says: &mut Vec<(EventId, String)> = owners.entry(customer).or_default();
            if says.iter().all(|(_, said)| *said != why) {
                says.push((event, why));
            }
        };
        for owner in facts.owners.iter().filter(|owner| owner.by(cutoff)) {
            let why = format!("{shown} belongs to {}", self.customer_name(&owner.value));
            say(&owner.value, owner.event, why);
        }
        let held = |domain: &&Known<HeldDomain>| domain.held_at(moment, cutoff);
        for domain in facts.domains.iter().filter(held) {
            let verified = self.domain_owners.get(&domain.value.id);
            for (customer, since) in verified.into_iter().flatten() {
                if cutoff.is_none_or(|cutoff| *since <= cutoff) {
                    let name = self.customer_name(customer);
                    let domain_name = &domain.value.name;
                    let why = format!("{shown} has verified {domain_name}, a domain of {name}");
                    say(customer, domain.event, why);
                }
            }
        }
        owners
    }

    /// The partner whose own tenant this is, as far as was known.
    pub fn partner_of_tenant(
        &self,
        tenant: &TenantId,
        cutoff: Option<Timestamp>,
    ) -> Option<(&PartnerId, &Known<TenantId>)> {
        let partners = self.partners_of_tenant.get(tenant)?;
        partners.iter().find_map(|partner| {
            let mut own = self.partners.get(partner)?.tenants.iter();
            let own = own.find(|t| t.value == *tenant && t.by(cutoff))?;
            Some((partner, own))
        })
    }

    /// Tenants that ever verified a domain.
    pub fn tenants_of_domain(&self, domain: DomainId) -> impl Iterator<Item = &TenantId> {
        self.tenants_of_domain.get(&domain).into_iter().flatten()
    }

    /// Tenants that a source ever called a customer's.
    pub fn tenants_of_owner(&self, customer: &CustomerId) -> impl Iterator<Item = &TenantId> {
        self.tenants_of_owner.get(customer).into_iter().flatten()
    }

    /// A person and everybody who turned out to be the same one.
    pub fn same_person(&self, person: PersonId) -> BTreeSet<PersonId> {
        let mut same = BTreeSet::from([person]);
        let mut open = vec![person];
        while let Some(person) = open.pop() {
            let others = self.aliases.get(&person).into_iter().flatten();
            open.extend(others.filter(|other| same.insert(**other)));
        }
        same
    }

    /// Whether two pseudonyms are one person's.
    pub fn is_same(&self, one: PersonId, other: PersonId) -> bool {
        one == other || self.same_person(one).contains(&other)
    }

    /// Tenants that a person was ever given a role in.
    pub fn tenants_of_person(&self, person: PersonId) -> impl Iterator<Item = &TenantId> {
        self.tenants_of_person.get(&person).into_iter().flatten()
    }

    /// Subscriptions that were ever in a tenant.
    pub fn subscriptions_of_tenant(
        &self,
        tenant: &TenantId,
    ) -> impl Iterator<Item = &SubscriptionId> {
        self.subscriptions_of_tenant
            .get(tenant)
            .into_iter()
            .flatten()
    }

    /// Whether one event certainly happened before another; overlapping intervals are "order unknown".
    pub fn certainly_before(&self, event: EventId, other: Occurred) -> bool {
        let occurred = self.occurred.get(&event);
        occurred.is_some_and(|occurred| occurred.certainly_before(other))
    }

    /// The sessions that derive from a root authentication.
    pub fn sessions_of_root(&self, root: &SessionId) -> impl Iterator<Item = &SessionId> {
        self.sessions_of_root.get(root).into_iter().flatten()
    }

    /// All trials, in the order in which they began.
    pub fn trials(&self) -> &[Known<TrialFacts>] {
        &self.trials
    }

    /// Trials of a customer or of any of some persons, in the order in which they began.
    pub fn trials_of(
        &self,
        customer: Option<&CustomerId>,
        persons: &BTreeSet<PersonId>,
    ) -> Vec<&Known<TrialFacts>> {
        let of_customer = customer.and_then(|customer| self.trials_of.0.get(customer));
        let all = persons.iter().flat_map(|person| self.same_person(*person));
        let all: BTreeSet<PersonId> = all.collect();
        let of_persons = all.iter().filter_map(|person| self.trials_of.1.get(person));
        let indices: BTreeSet<usize> = of_customer
            .into_iter()
            .chain(of_persons)
            .flatten()
            .copied()
            .collect();
        indices
            .into_iter()
            .filter_map(|index| self.trials.get(index))
            .collect()
    }

    /// The last start of a session.
    pub fn session_start(&self, session: &SessionId) -> Option<&Known<SessionStart>> {
        self.sessions.get(session)?.started.last()
    }

    /// The root authentication of a session, or the session itself.
    pub fn root_of(&self, session: &SessionId) -> SessionId {
        let start = self.session_start(session);
        let root = start.and_then(|start| start.value.root.clone());
        root.unwrap_or_else(|| session.clone())
    }
}
