//! Which lists there are, and who takes what.

use crate::view::{PROJECTIONS, kind_ids, projection};
use ledger::event::{Event, KindId, Payload};
use ledger::lists::Table;
use ledger::secret::DomainId;
use ledger::subject::{Subject, SubjectKind};
use std::sync::OnceLock;

/// The events that the projection of a subject takes, by subject.
pub(super) const INPUTS: Table = Table(0);
/// The changes of a subject's counters, by subject.
pub(super) const CHANGES: Table = Table(1);
/// The events that name a subject and that its projection does not take as inputs, by subject; without
/// those that a seat takes and that are kept with the seat. And the events that name a domain.
pub(super) const OTHERS: Table = Table(6);
/// The subjects that have inputs or changes: lists without values, so that they can be listed without
/// reading what they have.
pub(super) const SUBJECTS: Table = Table(2);
/// The events that a source's record gave, by [`RecordHash`].
pub(super) const VERSIONS: Table = Table(3);
/// The corrections that name an event by its id, by that id.
pub(super) const CORRECTIONS_BY_ID: Table = Table(4);
/// The corrections that name an event by its record, by the first half of [`RecordHash`].
pub(super) const CORRECTIONS_BY_RECORD: Table = Table(5);

/// What of the lists has to change if this does.
const FORMAT: u32 = 2;

/// The name of a subject's lists; no name is the beginning of another one, because an identifier has no
/// zero byte.
pub(super) fn write_name(kind: SubjectKind, id: &[u8], name: &mut Vec<u8>) {
    name.clear();
    name.push(kind as u8);
    name.extend_from_slice(id);
    name.push(0);
}

/// [`write_name`] of a subject.
pub(super) fn write_subject(subject: &Subject, name: &mut Vec<u8>) {
    write_name(subject.kind, subject.id.as_bytes(), name);
}

/// What the names of domains begin with, which no kind of subject is numbered by.
const DOMAIN: u8 = 0xff;

/// The name of a domain's list. All are equally long.
pub(super) fn write_domain(domain: &DomainId, name: &mut Vec<u8>) {
    name.clear();
    name.push(DOMAIN);
    name.extend_from_slice(&domain.0);
}

/// Gives the domains that an event says are verified by somebody.
pub(super) fn each_domain(event: &Event, visit: &mut dyn FnMut(&DomainId)) {
    let domains = if let Payload::CustomerRegistered(registered) = &event.payload {
        registered.verified_domains.as_slice()
    } else if let Payload::TenantObserved(observed) = &event.payload {
        observed.domains.as_slice()
    } else if let Payload::DomainVerified(verified) = &event.payload {
        std::slice::from_ref(&verified.domain)
    } else {
        &[]
    };
    domains.iter().for_each(|domain| visit(&domain.id));
}

/// Whether events of a kind can say that domains are verified.
pub(super) fn verifies_domains(kind: KindId) -> bool {
    kind_ids![CustomerRegistered TenantObserved DomainVerified].contains(&kind)
}

/// What is greater than the names of all subjects of a kind, and of no greater kind.
pub(super) fn after_all_of(kind: SubjectKind) -> [u8; 1] {
    [(kind as u8).saturating_add(1)]
}

/// The id in the name of a subject's lists.
pub(super) fn subject_id(name: &[u8]) -> Option<&str> {
    let (_, rest) = name.split_first()?;
    let (_, id) = rest.split_last()?;
    std::str::from_utf8(id).ok()
}

/// BLAKE3 of what makes two events versions of one record. The first half is of the record and the kind
/// alone, the second one of what the payload names first as well.
pub(super) type RecordHash = [u8; 16];

/// How much of a [`RecordHash`] is of the record and the kind alone.
pub(super) const RECORD_HALF_LENGTH_BYTES: usize = 8;

/// Whether an event of a kind is among the [`events`](super::Stored::events) of a subject of a kind that it
/// names.
pub fn keeps(subject: SubjectKind, kind: KindId) -> bool {
    let takes = Takes::get();
    takes.table(subject, kind) == Some(INPUTS) || takes.is_other(subject, kind)
}

/// The domains that an event says are verified by somebody.
pub fn domains_of(event: &Event) -> Vec<DomainId> {
    let mut domains = Vec::new();
    each_domain(event, &mut |domain| domains.push(*domain));
    domains
}

/// The hash of an event's record: system, record, kind, and what the payload names first.
pub(super) fn record_hash(
    system: &[u8],
    record: &[u8],
    kind: KindId,
    about: Option<(SubjectKind, &[u8])>,
) -> RecordHash {
    let mut hasher = half_hasher(system, record, kind);
    let mut hash = [0; 16];
    let (first, second) = hash.split_at_mut(RECORD_HALF_LENGTH_BYTES);
    hasher.finalize_xof().fill(first);
    if let Some((kind, id)) = about {
        hasher.update(&[kind as u8]);
        hasher.update(id);
    }
    hasher.update(b"about");
    hasher.finalize_xof().fill(second);
    hash
}

/// The first half of the hash of a record.
pub(super) fn record_half(system: &str, record: &str, kind: KindId) -> [u8; 8] {
    let mut half = [0; RECORD_HALF_LENGTH_BYTES];
    half_hasher(system.as_bytes(), record.as_bytes(), kind)
        .finalize_xof()
        .fill(&mut half);
    half
}

fn half_hasher(system: &[u8], record: &[u8], kind: KindId) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&kind.0.to_le_bytes());
    hasher.update(&(system.len() as u64).to_le_bytes());
    hasher.update(system);
    hasher.update(&(record.len() as u64).to_le_bytes());
    hasher.update(record);
    hasher
}

/// Who takes events of which kinds: what the registry says, looked up at once.
#[derive(Debug)]
pub(super) struct Takes {
    /// By subject kind and event kind.
    tables: Vec<Option<Table>>,
    kinds: usize,
    of_seats: &'static [KindId],
}

impl Takes {
    pub(super) fn get() -> &'static Self {
        static TAKES: OnceLock<Takes> = OnceLock::new();
        TAKES.get_or_init(Self::new)
    }

    fn new() -> Self {
        let kinds = ledger::event::KINDS.iter();
        let kinds = kinds.map(|kind| usize::from(kind.id.0) + 1).max();
        let kinds = kinds.unwrap_or(0);
        let subjects = SubjectKind::ALL.iter().map(|kind| *kind as usize + 1).max();
        let mut takes = Self {
            tables: vec![None; subjects.unwrap_or(0) * kinds],
            kinds,
            of_seats: projection(SubjectKind::Seat).map_or(&[], |seat| seat.takes),
        };
        for projection in PROJECTIONS {
            for (taken, table) in [(projection.takes, INPUTS), (projection.series, CHANGES)] {
                for kind in taken {
                    let place = takes.place(projection.kind, *kind);
                    if let Some(place) = takes.tables.get_mut(place) {
                        *place = Some(table);
                    }
                }
            }
        }
        takes
    }

    fn place(&self, subject: SubjectKind, kind: KindId) -> usize {
        subject as usize * self.kinds + usize::from(kind.0)
    }

    /// Whether an event of a kind goes to the other events of a subject of a kind: what is not among its
    /// inputs, and not with a seat.
    pub(super) fn is_other(&self, subject: SubjectKind, kind: KindId) -> bool {
        self.table(subject, kind) != Some(INPUTS) && !self.of_seats.contains(&kind)
    }

    /// Where an event of a kind goes that names a subject of a kind, if anywhere.
    pub(super) fn table(&self, subject: SubjectKind, kind: KindId) -> Option<Table> {
        self.tables.get(self.place(subject, kind)).copied()?
    }
}

/// What the lists of a store are made by: the form of their values, and which projections there are, in
/// which version, with what they take. Lists that were made by something else are made again.
pub fn made_by() -> String {
    let mut hasher = blake3::Hasher::new();
    for projection in PROJECTIONS {
        hasher.update(projection.kind.name().as_bytes());
        hasher.update(&projection.version.to_le_bytes());
        for taken in [projection.takes, projection.series] {
            hasher.update(&(taken.len() as u64).to_le_bytes());
            taken.iter().for_each(|kind| {
                hasher.update(&kind.0.to_le_bytes());
            });
        }
    }
    for kind in ledger::event::KINDS {
        hasher.update(&kind.id.0.to_le_bytes());
        hasher.update(&kind.version.to_le_bytes());
        // The order of folds, which the changes of counters hold.
        hasher.update(&kind.rank.to_le_bytes());
    }
    format!("{FORMAT} {}", hasher.finalize().to_hex())
}
