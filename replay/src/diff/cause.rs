//! Causes: what made an event happen. An order, with its keys, redemptions and activations; else
//! whatever the event is about.

use ledger::event::{Event, Payload};
use ledger::subject::{Subject, SubjectKind};
use std::collections::{BTreeMap, BTreeSet};

/// Whether things of this kind belong together when one event names them: an order, its keys, and
/// where they went.
pub fn is_strong(kind: SubjectKind) -> bool {
    rank(kind) < STRONG
}

/// How many of the first ranks are strong.
const STRONG: usize = 5;

/// The kinds that a cause is named after, the best first.
fn rank(kind: SubjectKind) -> usize {
    match kind {
        SubjectKind::Order => 0,
        SubjectKind::Key => 1,
        SubjectKind::Redemption => 2,
        SubjectKind::Activation => 3,
        SubjectKind::Credit => 4,
        SubjectKind::Agreement => 5,
        SubjectKind::Case => 6,
        SubjectKind::Finding => 7,
        SubjectKind::Seat => 8,
        SubjectKind::Subscription => 9,
        SubjectKind::Link => 10,
        SubjectKind::Email => 11,
        SubjectKind::Session => 12,
        SubjectKind::Person => 13,
        SubjectKind::Partner => 14,
        SubjectKind::Customer => 15,
        SubjectKind::Pcn => 16,
        SubjectKind::Tenant => 17,
    }
}

/// Which strong subjects belong together.
#[derive(Default)]
pub struct Causes {
    /// From a subject to the best one that it belongs together with.
    joined: BTreeMap<Subject, Subject>,
    /// The orders of each agreement.
    orders: BTreeMap<Subject, BTreeSet<Subject>>,
}

impl Causes {
    /// Notes what an event ties together.
    pub fn learn(&mut self, event: &Event) {
        // A case may be about several orders without making them one.
        if matches!(event.payload, Payload::CaseOpened(_)) {
            return;
        }
        let mut named = Vec::new();
        event.payload.subjects(&mut named);
        let agreements = named.iter().filter(|s| s.kind == SubjectKind::Agreement);
        let orders = named.iter().filter(|s| s.kind == SubjectKind::Order);
        for agreement in agreements {
            let known = self.orders.entry(agreement.clone()).or_default();
            known.extend(orders.clone().cloned());
        }
        let strong = named.into_iter().filter(|subject| is_strong(subject.kind));
        let strong: Vec<Subject> = strong.collect();
        let Some(first) = strong.first() else {
            return;
        };
        for other in &strong {
            let (one, other) = (self.root(first), self.root(other));
            let best = best(&one, &other).clone();
            for subject in [one, other] {
                self.joined.insert(subject, best.clone());
            }
        }
    }

    fn root(&self, subject: &Subject) -> Subject {
        let mut at = subject;
        while let Some(next) = self.joined.get(at).filter(|next| *next != at) {
            at = next;
        }
        at.clone()
    }

    /// The cause of an event; `None` if it is about the tenant itself. What happens to an agreement
    /// with one order belongs to that order.
    pub fn of(&self, event: &Event) -> Option<Subject> {
        let mut named = Vec::new();
        event.payload.subjects(&mut named);
        let cause = named
            .into_iter()
            .filter(|subject| rank(subject.kind) < rank(SubjectKind::Partner))
            .min_by_key(|subject| (rank(subject.kind), subject.clone()))?;
        if is_strong(cause.kind) {
            return Some(self.root(&cause));
        }
        // A case names its agreement, and is a cause of its own.
        if let Payload::CaseOpened(opened) = &event.payload {
            return Some(Subject::new(SubjectKind::Case, &opened.case));
        }
        let mut orders = self.orders.get(&cause).into_iter().flatten();
        match (orders.next(), orders.next()) {
            (Some(only), None) => Some(self.root(only)),
            _ => Some(cause),
        }
    }
}

fn best<'s>(one: &'s Subject, other: &'s Subject) -> &'s Subject {
    match (rank(one.kind), one) <= (rank(other.kind), other) {
        true => one,
        false => other,
    }
}
