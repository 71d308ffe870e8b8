//! Gathering the evidence: one pass over the events, every kind decided about.

mod commerce;
mod directory;
mod people;

use super::*;
use crate::audit::reads::{Facet, Source};
use ledger::event::kinds::{ActivationEmailResent, ActivationEmailSent};
use ledger::event::{Kind, KindId};

impl Evidence {
    /// Gathers the evidence of every event that is seen. Costs one pass.
    pub fn gather(at: &At<'_>) -> Self {
        let mut evidence = Self::begin(at.point().valid_at);
        for event in at.all_of(Self::is_mail) {
            evidence.index(event);
        }
        for event in at.all() {
            evidence.take(event);
        }
        evidence.end();
        evidence
    }

    /// Evidence of nothing yet, for an audit at an instant. Whoever gathers event by event gives every
    /// mail to [`Evidence::index`] first, then every event to [`Evidence::take`], both in fold order, and
    /// calls [`Evidence::end`].
    pub(in crate::audit) fn begin(valid_at: Timestamp) -> Self {
        Self {
            valid_at: Some(valid_at),
            ..Self::default()
        }
    }

    /// [`Evidence::begin`], of evidence that notes what is looked at.
    pub(in crate::audit) fn watched(valid_at: Timestamp, reads: &Reads) -> Self {
        let mut evidence = Self::begin(valid_at);
        evidence.reads = reads.clone();
        evidence.occurred.watched(reads);
        evidence.words.watched(reads);
        evidence.watch_tables(reads, &Reads::default());
        evidence
    }

    /// What an event by itself is evidence about, and the mailboxes that it tells of: no fact about anything
    /// else can become another one with it, but those of its entitlement and its sessions.
    pub(in crate::audit) fn written_by(
        event: &Event,
    ) -> (BTreeSet<Source>, Vec<(PersonId, Mailbox)>) {
        let writes = Reads::noted();
        let mut evidence = Self::begin(event.occurred_at.start);
        evidence.watch_tables(&Reads::default(), &writes);
        evidence.index(event);
        evidence.take(event);
        evidence.link();
        let mailboxes = evidence.mailboxes.all().map(|(id, at)| (*id, *at));
        (writes.take(), mailboxes.collect())
    }

    fn watch_tables(&mut self, reads: &Reads, writes: &Reads) {
        use Facet::{Aliases, Licences, Mailbox, Said, Subscriptions};
        self.orders.watched(Said, reads, writes);
        self.keys.watched(Said, reads, writes);
        self.agreements.watched(Said, reads, writes);
        self.tenants.watched(Said, reads, writes);
        self.assigned.watched(Licences, reads, writes);
        self.customers.watched(Said, reads, writes);
        self.partners.watched(Said, reads, writes);
        self.sessions.watched(Said, reads, writes);
        self.redemptions.watched(Said, reads, writes);
        self.subscriptions.watched(Said, reads, writes);
        self.authorisations.watched(Said, reads, writes);
        self.aliases.watched(Aliases, reads, writes);
        self.mailboxes.watched(Mailbox, reads, writes);
        self.licences.watched(Licences, reads, writes);
        self.reversed_redemptions.watched(Said, reads, writes);
        self.reversed_keys.watched(Said, reads, writes);
        self.remaps.watched(Said, reads, writes);
        self.decisions.watched(Said, reads, writes);
        self.trials_of.0.watched(Said, reads, writes);
        self.trials_of.1.watched(Said, reads, writes);
        self.tenants_of_domain.watched(Said, reads, writes);
        self.tenants_of_owner.watched(Said, reads, writes);
        self.partners_of_tenant.watched(Said, reads, writes);
        self.subscriptions_of_tenant
            .watched(Subscriptions, reads, writes);
        self.tenants_of_person.watched(Said, reads, writes);
        self.sessions_of_root.watched(Said, reads, writes);
        self.domain_owners.watched(Said, reads, writes);
    }

    /// Whether events of a kind say which agreement a mail and its link are about.
    pub(in crate::audit) fn is_mail(kind: KindId) -> bool {
        [ActivationEmailSent::INFO.id, ActivationEmailResent::INFO.id].contains(&kind)
    }

    /// Takes in an event.
    pub(in crate::audit) fn take(&mut self, event: &Event) {
        self.occurred.add(event.id, event.occurred_at);
        self.people(event);
        self.commerce(event);
        self.directory(event);
    }

    /// Takes in when an event happened that is evidence of nothing else.
    pub(in crate::audit) fn tell(&mut self, event: EventId, at: Occurred) {
        self.occurred.add(event, at);
    }

    /// Brings what was gathered into the order in which it is asked for.
    pub(in crate::audit) fn end(&mut self) {
        self.occurred.settle();
        self.link();
    }

    /// [`Evidence::end`], where little of it is asked for.
    pub(in crate::audit) fn link(&mut self) {
        for (session, facts) in self.sessions.all() {
            let start = facts.started.last();
            let root = start.and_then(|start| start.value.root.clone());
            let root = root.unwrap_or_else(|| session.clone());
            let of = self.sessions_of_root.entry(root).or_default();
            of.insert(session.clone());
        }
    }

    /// Mails and links come first, because a forward or an opened link may be older on paper than the
    /// mail that explains it (day precision beside instants).
    pub(in crate::audit) fn index(&mut self, event: &Event) {
        if let Payload::ActivationEmailSent(sent) = &event.payload {
            self.messages
                .insert(sent.message.clone(), sent.license_id.clone());
            if let Some(link) = &sent.link {
                self.links.insert(link.clone(), sent.license_id.clone());
            }
        } else if let Payload::ActivationEmailResent(sent) = &event.payload {
            let original = self.messages.get(&sent.original).cloned();
            if let Some(license_id) = sent.license_id.clone().or(original) {
                self.messages
                    .insert(sent.message.clone(), license_id.clone());
                if let Some(link) = &sent.link {
                    self.links.insert(link.clone(), license_id);
                }
            }
        }
    }

    /// Remembers where somebody can be written to.
    fn meet(&mut self, person: &Person) {
        let mailbox = Mailbox {
            domain: person.domain,
            public: person.public_domain,
        };
        self.mailboxes.insert(person.id, mailbox);
    }

    fn meet_any(&mut self, person: &Option<Person>) {
        person.iter().for_each(|person| self.meet(person));
    }

    fn meet_all(&mut self, contacts: &[Contact]) {
        contacts
            .iter()
            .for_each(|contact| self.meet(&contact.person));
    }

    fn agreement(&mut self, id: &LicenseId) -> &mut AgreementFacts {
        self.agreements.entry(id.clone()).or_default()
    }

    fn tenant(&mut self, id: &TenantId) -> &mut TenantFacts {
        self.tenants.entry(id.clone()).or_default()
    }

    fn used(
        &mut self,
        session: Option<&SessionId>,
        event: &Event,
        license: &LicenseId,
        by: &'static str,
    ) {
        if let Some(session) = session {
            let session = self.sessions.entry(session.clone()).or_default();
            session
                .used_for
                .push(Known::new(event, (license.clone(), by)));
        }
    }
}
