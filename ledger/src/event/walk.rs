//! Walking over a stored event without decoding it: which subjects it names, what is sealed in it, and what
//! its envelope says of where it belongs.
//!
//! Whoever goes through the whole log and puts events somewhere by what they name does not need their
//! fields. A walk passes over the stored layout as the fields of a kind are declared, as
//! [`stored`](super::stored) does, and costs an eighth of a decoding. It takes for granted what decoding
//! would check, that texts are texts and words are known: what reads an event afterwards decodes it.

use super::codec::CodecError;
use super::decode::Stored;
use super::field::Field;
use super::part::PolicyRef;
use super::{Actor, Event, KindId, Payload, Source};
use crate::id::{EventId, Name, Position};
use crate::subject::{SubjectKind, SubjectSink};
use crate::time::Timestamp;
use std::ops::Range;

/// What a walk has found.
#[derive(Debug, Default)]
struct Found {
    names: Vec<u8>,
    /// The kind of each subject and where its id is among the names, in field order and with repetition.
    subjects: Vec<(SubjectKind, Range<usize>)>,
    /// Where the nonce and the ciphertext of each sealed part are: from the nonce to the end.
    sealed: Vec<Range<usize>>,
}

/// Passes over stored bytes. Every method is `None` where they end too early.
pub struct Walker<'a, 'f> {
    rest: Stored<'a>,
    length: usize,
    found: &'f mut Found,
}

impl SubjectSink for Walker<'_, '_> {
    fn subject(&mut self, kind: SubjectKind, id: &str) {
        self.name(kind, id.as_bytes());
    }
}

impl<'a> Walker<'a, '_> {
    /// Passes over some bytes.
    pub(crate) fn pass(&mut self, count: usize) -> Option<()> {
        self.rest.pass(count)
    }

    /// Takes a fixed number of bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.rest.take()
    }

    /// Takes the number of elements that follow it.
    pub(crate) fn take_length(&mut self) -> Option<usize> {
        self.rest.take_length()
    }

    /// Takes a text, with its length before it.
    pub(crate) fn take_text(&mut self) -> Option<&'a [u8]> {
        self.rest.take_bytes()
    }

    /// Takes the mark before a value that may be absent.
    pub(crate) fn take_presence(&mut self) -> Option<bool> {
        self.rest.take_presence()
    }

    /// Notes a subject by its id, which is not looked at.
    pub(crate) fn name(&mut self, kind: SubjectKind, id: &[u8]) {
        let start = self.found.names.len();
        self.found.names.extend_from_slice(id);
        let range = start..self.found.names.len();
        self.found.subjects.push((kind, range));
    }

    /// Passes over a sealed part, and notes where it is.
    pub(crate) fn pass_sealed(&mut self) -> Option<()> {
        const NONCE_BYTES: usize = 24;
        self.pass(OWNER_LENGTH_BYTES)?;
        let start = self.at();
        self.pass(NONCE_BYTES)?;
        self.take_text()?;
        let range = start..self.at();
        self.found.sealed.push(range);
        Some(())
    }

    fn at(&self) -> usize {
        self.length - self.rest.0.len()
    }

    fn range_of_text(&mut self) -> Option<Range<usize>> {
        let text = self.take_text()?;
        let end = self.at();
        Some(end - text.len()..end)
    }

    fn pass_reference(&mut self) -> Option<bool> {
        if !self.take_presence()? {
            return Some(false);
        }
        match u32::from_le_bytes(*self.take()?) {
            0 => self.pass(size_of::<EventId>())?,
            1 => Source::walk(self)?,
            _ => return None,
        }
        Some(true)
    }
}

/// What is known of a stored event without decoding it. Made once and read into again and again, so that
/// reading one allocates nothing.
#[derive(Debug, Default)]
pub struct Outline {
    position: Position,
    id: EventId,
    kind: KindId,
    occurred_micros: i64,
    observed_micros: Option<i64>,
    system: Range<usize>,
    record: Option<Range<usize>>,
    corrects: bool,
    /// Where the length of the payload is.
    payload: usize,
    found: Found,
    /// How many of the names that were found are the envelope's.
    named_outside: usize,
    /// The subjects, sorted and each once.
    sorted: Vec<(SubjectKind, Range<usize>)>,
}

/// What stands at the beginning of a stored event: where it comes in the log and in the order of folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Where the event stands in the log.
    pub position: Position,
    /// When the ledger took it in.
    pub recorded_at: Timestamp,
    /// Its identity.
    pub id: EventId,
    /// Its kind.
    pub kind: KindId,
    /// The first instant at which it can have happened.
    pub start: Timestamp,
}

impl Head {
    /// Reads the head of an event in its stored form; `None` if it is cut. Costs next to nothing.
    pub fn read(stored: &[u8]) -> Option<Self> {
        let mut stored = Stored(stored);
        let position = Position::decode(&mut stored)?;
        let recorded_at = Timestamp::decode(&mut stored)?;
        let id = EventId(*stored.take()?);
        let kind = KindId(u16::from_le_bytes(*stored.take()?));
        stored.pass(size_of::<u16>())?;
        Some(Self {
            position,
            recorded_at,
            id,
            kind,
            start: Timestamp::decode(&mut stored)?,
        })
    }

    /// [`Fact::order`](super::Fact::order) of the event; `None` if its kind is not known.
    pub fn order(&self) -> Option<(Timestamp, u16, EventId)> {
        Some((self.start, Payload::rank_of(self.kind)?, self.id))
    }
}

/// How much of a sealed part is left without its ciphertext: an empty nonce, and the length of nothing.
const EMPTY_SEALED: [u8; 24 + size_of::<u64>()] = [0; 32];

/// Before the nonce of a sealed part stands whose it is.
const OWNER_LENGTH_BYTES: usize = 16;

/// Where the kind of a stored event stands: behind its position, when it was recorded, and its id.
const KIND_AT: usize = 8 + 8 + size_of::<EventId>();

/// The kind of an event in its stored form, without looking at anything else.
pub fn kind_of(stored: &[u8]) -> Option<KindId> {
    let kind = stored.get(KIND_AT..)?.first_chunk()?;
    Some(KindId(u16::from_le_bytes(*kind)))
}

impl Outline {
    /// Reads the outline of an event in its stored form. Fails where decoding would fail for the layout, the
    /// kind or the version. Costs a walk over the bytes.
    pub fn read(&mut self, stored: &[u8]) -> Result<(), CodecError> {
        self.found.names.clear();
        self.found.subjects.clear();
        self.found.sealed.clear();
        match self.walk(stored) {
            Some(()) => Ok(()),
            None => Err(Event::decode(stored)
                .err()
                .unwrap_or(CodecError::Malformed {
                    what: "event",
                    reason: "it ends early, or is not laid out as its fields are declared"
                        .to_owned(),
                })),
        }
    }

    fn walk(&mut self, stored: &[u8]) -> Option<()> {
        let mut walker = Walker {
            rest: Stored(stored),
            length: stored.len(),
            found: &mut self.found,
        };
        let walker = &mut walker;
        self.position = Position(u64::from_le_bytes(*walker.take()?));
        Timestamp::walk(walker)?;
        self.id = EventId(*walker.take()?);
        self.kind = KindId(u16::from_le_bytes(*walker.take()?));
        let version = u16::from_le_bytes(*walker.take()?);
        self.occurred_micros = i64::from_le_bytes(*walker.take()?);
        // How long the interval is.
        walker.pass(size_of::<u32>())?;
        self.observed_micros = match walker.take_presence()? {
            true => Some(i64::from_le_bytes(*walker.take()?)),
            false => None,
        };
        Option::<Actor>::walk(walker)?;
        self.system = walker.range_of_text()?;
        self.record = match walker.take_presence()? {
            true => Some(walker.range_of_text()?),
            false => None,
        };
        Option::<Name>::walk(walker)?;
        walker.pass_reference()?;
        self.corrects = walker.pass_reference()?;
        Vec::<PolicyRef>::walk(walker)?;
        self.payload = walker.at();
        let length = walker.take_length()?;
        if length != walker.rest.0.len() {
            return None;
        }
        self.named_outside = walker.found.subjects.len();
        Payload::walk(self.kind, version, walker)?;
        if !walker.rest.0.is_empty() {
            return None;
        }
        let found = &self.found;
        let key = |(kind, range): &(SubjectKind, Range<usize>)| (*kind, found.id(range));
        self.sorted.clone_from(&found.subjects);
        self.sorted
            .sort_unstable_by(|one, other| key(one).cmp(&key(other)));
        self.sorted.dedup_by(|one, other| key(one) == key(other));
        Some(())
    }

    /// Where the event stands in the log.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its identity.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// Its kind.
    pub fn kind(&self) -> KindId {
        self.kind
    }

    /// Whether it says that it corrects another one.
    pub fn corrects(&self) -> bool {
        self.corrects
    }

    /// Its system and record, in the bytes that it was read of; `None` if its source gave no record.
    pub fn record<'s>(&self, stored: &'s [u8]) -> Option<(&'s [u8], &'s [u8])> {
        let system = stored.get(self.system.clone())?;
        Some((system, stored.get(self.record.clone()?)?))
    }

    /// The subjects that it names with their ids, each once, sorted.
    pub fn subjects(&self) -> impl Iterator<Item = (SubjectKind, &[u8])> {
        let subjects = self.sorted.iter();
        subjects.map(|(kind, range)| (*kind, self.found.id(range)))
    }

    /// The subjects that its payload names, in field order and with repetition.
    pub fn named(&self) -> impl Iterator<Item = (SubjectKind, &[u8])> {
        let named = self.found.subjects.get(self.named_outside..);
        let named = named.unwrap_or_default().iter();
        named.map(|(kind, range)| (*kind, self.found.id(range)))
    }

    /// The subjects that its envelope names, in field order and with repetition.
    pub fn named_outside(&self) -> impl Iterator<Item = (SubjectKind, &[u8])> {
        let named = self.found.subjects.iter().take(self.named_outside);
        named.map(|(kind, range)| (*kind, self.found.id(range)))
    }

    /// What its payload names first.
    pub fn about(&self) -> Option<(SubjectKind, &[u8])> {
        self.named().next()
    }

    /// When it happened, or the start of the interval in which it did.
    pub fn occurred(&self) -> Timestamp {
        Timestamp::from_micros(self.occurred_micros)
    }

    /// When its source observed it: `observed_at`, else when it happened.
    pub fn observed(&self) -> Timestamp {
        Timestamp::from_micros(self.observed_micros.unwrap_or(self.occurred_micros))
    }

    /// Appends the event without ciphertext, as [`Event::encode`] would write it: the bytes that it was read
    /// of, with every sealed part emptied.
    pub fn write_without_ciphertext(&self, stored: &[u8], out: &mut Vec<u8>) {
        self.write_emptied(stored, 0, out);
    }

    /// Appends the event as [`Outline::write_without_ciphertext`] does, and with zeros for whose the
    /// sealed parts are.
    pub fn write_without_sealed(&self, stored: &[u8], out: &mut Vec<u8>) {
        self.write_emptied(stored, OWNER_LENGTH_BYTES, out);
    }

    /// Empties every sealed part, and so many bytes before its nonce.
    fn write_emptied(&self, stored: &[u8], before_nonce: usize, out: &mut Vec<u8>) {
        let start = out.len();
        let mut from = 0;
        let mut cut = 0;
        for sealed in &self.found.sealed {
            let kept = sealed.start - before_nonce;
            out.extend_from_slice(stored.get(from..kept).unwrap_or_default());
            out.resize(out.len() + before_nonce, 0);
            out.extend_from_slice(&EMPTY_SEALED);
            if sealed.start > self.payload {
                cut += sealed.len() - EMPTY_SEALED.len();
            }
            from = sealed.end;
        }
        out.extend_from_slice(stored.get(from..).unwrap_or_default());
        // The payload is behind the actor, whose sealed parts may have been emptied before it.
        let before = self
            .found
            .sealed
            .iter()
            .filter(|sealed| sealed.start < self.payload);
        let before: usize = before.map(|sealed| sealed.len() - EMPTY_SEALED.len()).sum();
        let at = start + self.payload - before;
        let length = out.get_mut(at..at + size_of::<u64>());
        if let Some(length) = length.and_then(|length| length.first_chunk_mut()) {
            *length = (u64::from_le_bytes(*length) - cut as u64).to_le_bytes();
        }
    }
}

impl Found {
    fn id(&self, range: &Range<usize>) -> &[u8] {
        self.names.get(range.clone()).unwrap_or_default()
    }
}
