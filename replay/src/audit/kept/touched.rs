//! Which lists of events an event is in, and what it can change.
//!
//! Units are judged over lists: the history of a subject, the facts of a facet about one, a domain. What a list
//! is of says which events are in it, by the rules of [`Role`]: what only tells of machines is in the histories
//! of machines, and what is told once is evidence and in no history but those of its session and its
//! entitlement.

use super::unit::is_of_entitlement;
use crate::audit::evidence::{Evidence, Mailbox};
use crate::audit::reads::{Facet, Source};
use crate::audit::streamed::role::Role;
use ledger::event::Event;
use ledger::secret::PersonId;
use ledger::subject::SubjectKind;
use projections::stored::{domains_of, keeps};
use std::collections::BTreeSet;

/// What an event is in and can change.
#[derive(Debug, Clone)]
pub(super) struct Touched {
    /// The lists that it is in.
    pub lists: BTreeSet<Source>,
    /// What else the evidence can say otherwise because of it.
    pub facts: BTreeSet<Source>,
    /// The mailboxes that it tells of.
    pub mailboxes: Vec<(PersonId, Mailbox)>,
    /// What it is read for.
    pub role: Role,
}

impl Touched {
    /// What an event is in and can change. Costs gathering it by itself.
    pub fn by(event: &Event) -> Self {
        let role = Role::of(&event.payload);
        let mut touched = Self {
            lists: BTreeSet::from([Source::Event(event.id)]),
            facts: BTreeSet::new(),
            mailboxes: Vec::new(),
            role,
        };
        for subject in event.subjects() {
            if is_in_history(subject.kind, event, role) {
                touched.lists.insert(Source::from(&subject));
                // Facts of an entitlement and of a session are made of each other.
                if is_of_entitlement(subject.kind) || subject.kind == SubjectKind::Session {
                    let (kind, id) = (subject.kind as u8, subject.id);
                    touched.facts.insert(Source::Facts(Facet::Said, kind, id));
                }
            }
        }
        if role == Role::Machines {
            return touched;
        }
        let domains = domains_of(event).into_iter().map(Source::Domain);
        touched.lists.extend(domains);
        let (written, mailboxes) = Evidence::written_by(event);
        for source in written {
            match has_list(&source) {
                true => touched.lists.insert(source),
                false => touched.facts.insert(source),
            };
        }
        touched.mailboxes = mailboxes;
        touched
    }
}

/// Whether an event is in the history of a subject of a kind, which it names.
pub(super) fn is_in_history(kind: SubjectKind, event: &Event, role: Role) -> bool {
    let is_read = match kind {
        SubjectKind::Seat => true,
        _ if is_of_entitlement(kind) => true,
        SubjectKind::Session => role != Role::Machines,
        _ => role != Role::Machines && role != Role::Told,
    };
    is_read && keeps(kind, event.kind().id)
}

/// Whether what is looked at has a list of the events that it is made of, and is made of them alone. Other
/// facts are made of the histories of what they are about, and of what belongs to it.
pub(super) fn has_list(source: &Source) -> bool {
    match source {
        Source::Subject(..) | Source::Domain(_) | Source::Event(_) => true,
        Source::Facts(Facet::Installs, ..) => false,
        Source::Facts(_, kind, _) => is_narrow(*kind),
        Source::Word(_) | Source::Beside(_) | Source::Fleet(_) | Source::Time(_) => false,
    }
}

/// Whether the facts about subjects of a kind are made of the events that say them and of no others.
pub(super) fn is_narrow(kind: u8) -> bool {
    [
        SubjectKind::Tenant,
        SubjectKind::Person,
        SubjectKind::Customer,
        SubjectKind::Partner,
    ]
    .iter()
    .any(|narrow| *narrow as u8 == kind)
}

/// The facets of the facts about subjects of a kind that have lists of their own.
pub(super) fn facets_of(kind: SubjectKind) -> &'static [Facet] {
    match kind {
        SubjectKind::Tenant => &[Facet::Said, Facet::Licences, Facet::Subscriptions],
        SubjectKind::Person => &[Facet::Said, Facet::Licences, Facet::Mailbox, Facet::Aliases],
        SubjectKind::Customer | SubjectKind::Partner => &[Facet::Said],
        _ => &[],
    }
}
