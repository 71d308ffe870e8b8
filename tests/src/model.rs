//! The store as it should be, in the simplest way that could be right: a list, and scans over it.

use ledger::event::{Event, Fact, KindId};
use ledger::id::{Position, Revision};
use ledger::store::{Answer, AppendError, Condition, Known, Receipt, Store};
use ledger::subject::{Subject, SubjectKind};

/// Every fact that was appended, in order.
#[derive(Debug, Default, Clone)]
pub struct Model {
    /// Position 1 first.
    pub facts: Vec<Fact>,
}

/// What an append comes to, without what only the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Appended, or known already.
    Done {
        /// First position.
        first: Option<Position>,
        /// Last position.
        last: Position,
        /// How many were appended.
        appended: usize,
        /// How many were known.
        known: usize,
    },
    /// Refused, and for which sort of reason.
    Refused(&'static str),
}

impl Outcome {
    /// What a store answered.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Ok(receipt) => Self::of_receipt(receipt),
            Err(AppendError::Repeated { .. }) => Self::Refused("repeated"),
            Err(AppendError::OtherContent { .. }) => Self::Refused("other content"),
            Err(AppendError::PartlyKnown { .. }) => Self::Refused("partly known"),
            Err(AppendError::WrongRevision { .. } | AppendError::Changed { .. }) => {
                Self::Refused("condition")
            }
            Err(other) => panic!("the model knows nothing of this: {other}"),
        }
    }

    fn of_receipt(receipt: &Receipt) -> Self {
        Self::Done {
            first: receipt.first,
            last: receipt.last,
            appended: receipt.appended,
            known: receipt.known,
        }
    }
}

impl Model {
    fn end(&self) -> Position {
        Position(self.facts.len() as u64)
    }

    fn position(&self, wanted: &Fact) -> Option<Position> {
        let index = self.facts.iter().position(|fact| fact.id == wanted.id)?;
        Some(Position(index as u64 + 1))
    }

    /// The positions that hold, by a scan over everything.
    pub fn positions(&self, holds: impl Fn(&Fact) -> bool) -> Vec<Position> {
        let numbered = self.facts.iter().zip(1..);
        let held = numbered.filter(|(fact, _)| holds(fact));
        held.map(|(_, number)| Position(number)).collect()
    }

    fn holds(&self, condition: &Condition) -> bool {
        let naming = |subject: &Subject| self.positions(|fact| fact.subjects().contains(subject));
        match condition {
            Condition::SubjectAt { subject, revision } => {
                naming(subject).len() as u64 == revision.0
            }
            Condition::SubjectAbsent { subject } => naming(subject).is_empty(),
            Condition::SubjectUnchangedSince { subject, position } => {
                naming(subject).iter().all(|p| p <= position)
            }
        }
    }

    /// Appends as the store is meant to.
    pub fn append(&mut self, facts: &[Fact], conditions: &[Condition], known: Known) -> Outcome {
        let mut places = Vec::new();
        let mut fresh: Vec<Fact> = Vec::new();
        for (index, fact) in facts.iter().enumerate() {
            let repeated = facts[..index].iter().any(|other| other.id == fact.id);
            if repeated && known == Known::Refuse {
                return Outcome::Refused("repeated");
            }
            if let Some(position) = self.position(fact) {
                if self.facts[position.0 as usize - 1].content() != fact.content() {
                    return Outcome::Refused("other content");
                }
                places.push(position);
            } else if let Some(first) = fresh.iter().find(|other| other.id == fact.id) {
                if first.content() != fact.content() {
                    return Outcome::Refused("repeated");
                }
            } else {
                fresh.push(fact.clone());
            }
        }
        if known == Known::Refuse && !places.is_empty() && !fresh.is_empty() {
            return Outcome::Refused("partly known");
        }
        if fresh.is_empty() && !places.is_empty() {
            return Outcome::Done {
                first: places.iter().min().copied(),
                last: places.iter().max().copied().unwrap_or_default(),
                appended: 0,
                known: places.len(),
            };
        }
        if !conditions.iter().all(|condition| self.holds(condition)) {
            return Outcome::Refused("condition");
        }
        let first = (!fresh.is_empty()).then(|| self.end().next());
        let appended = fresh.len();
        self.facts.extend(fresh);
        Outcome::Done {
            first,
            last: self.end(),
            appended,
            known: facts.len() - appended,
        }
    }

    /// Compares everything that can be read from a store with a scan.
    pub fn check(&self, store: &Store) {
        assert_eq!(store.end(), self.end());
        let read: Vec<Event> = store.read(Position(0)).map(Result::unwrap).collect();
        assert!(read.iter().zip(1..).all(|(event, n)| event.position.0 == n));
        assert!(read.is_sorted_by_key(|event| event.recorded_at));
        let facts = read.into_iter().map(|event| event.fact);
        assert_eq!(facts.collect::<Vec<_>>(), self.facts);
        for kind in SubjectKind::ALL {
            let named = self.facts.iter().flat_map(Fact::subjects);
            let mut named: Vec<_> = named.filter(|subject| subject.kind == *kind).collect();
            named.sort();
            named.dedup();
            assert_eq!(store.subjects(*kind).unwrap(), named);
            for subject in named {
                self.check_subject(store, &subject);
            }
        }
        for id in [1, 501, 604] {
            let kind = KindId(id);
            let found: Vec<_> = store.of_kind(kind, Position(0)).collect();
            let found: Vec<_> = found.into_iter().map(|e| e.unwrap().position).collect();
            assert_eq!(found, self.positions(|fact| fact.kind().id == kind));
        }
        for (fact, number) in self.facts.iter().zip(1..) {
            let found = store.find(fact.id).unwrap().unwrap();
            assert_eq!((found.position, &found.fact), (Position(number), fact));
        }
    }

    fn check_subject(&self, store: &Store, subject: &Subject) {
        let naming = self.positions(|fact| fact.subjects().contains(subject));
        assert_eq!(
            store.revision(subject).unwrap(),
            Revision(naming.len() as u64)
        );
        for after in [
            Position(0),
            Position(3),
            naming[naming.len() / 2],
            self.end(),
        ] {
            let found = store.history(subject, after);
            let found: Vec<_> = found.map(|event| event.unwrap().position).collect();
            let wanted: Vec<_> = naming.iter().copied().filter(|p| *p > after).collect();
            assert_eq!(found, wanted, "{subject} after {after}");
        }
    }
}
