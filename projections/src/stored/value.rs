//! What is in the lists. Numbers are little-endian and have their full width; lz4 does the rest.

use super::names::RecordHash;
use crate::source::{Order, Replacer, Step};
use ledger::event::Event;
use ledger::id::{EventId, Position, Sku};
use ledger::secret::{MachineId, PersonId};
use ledger::time::Timestamp;
use std::sync::Arc;

/// A version of a record of which there are several: the one that was observed later stands instead of the
/// others, and among equals the one of the larger id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) record: RecordHash,
    pub(super) observed: Timestamp,
    pub(super) by: Replacer,
}

/// An event stands instead of the one at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) target: Position,
    pub(super) by: Replacer,
}

/// A value of the lists of a subject.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// An event, or its changes.
    Item(&'a [u8]),
    Mark(Mark),
    Pair(Pair),
}

const ITEM: u8 = 0;
const MARK: u8 = 1;
const PAIR: u8 = 2;

/// Begins an item; what it holds is to be appended.
pub(super) fn begin_item(out: &mut Vec<u8>) {
    out.clear();
    out.push(ITEM);
}

pub(super) fn write_mark(mark: &Mark, out: &mut Vec<u8>) {
    out.clear();
    out.push(MARK);
    out.extend_from_slice(&mark.record);
    out.extend_from_slice(&mark.observed.as_micros().to_le_bytes());
    write_replacer(mark.by, out);
}

pub(super) fn write_pair(pair: &Pair, out: &mut Vec<u8>) {
    out.clear();
    out.push(PAIR);
    out.extend_from_slice(&pair.target.0.to_le_bytes());
    write_replacer(pair.by, out);
}

fn write_replacer(by: Replacer, out: &mut Vec<u8>) {
    out.extend_from_slice(&by.position.0.to_le_bytes());
    out.extend_from_slice(&by.id.0);
}

pub(super) fn read_value(bytes: &[u8]) -> Option<Value<'_>> {
    let mut rest = Bytes(bytes);
    match rest.byte()? {
        ITEM => Some(Value::Item(rest.0)),
        MARK => Some(Value::Mark(Mark {
            record: rest.array()?,
            observed: rest.time()?,
            by: rest.replacer()?,
        })),
        PAIR => Some(Value::Pair(Pair {
            target: rest.position()?,
            by: rest.replacer()?,
        })),
        _ => None,
    }
}

/// A correction, in the lists of corrections.
pub(super) fn write_correction(by: Replacer, out: &mut Vec<u8>) {
    out.clear();
    write_replacer(by, out);
}

pub(super) fn read_correction(bytes: &[u8]) -> Option<Replacer> {
    Bytes(bytes).replacer()
}

/// A version of a record, in the list of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) position: Position,
    /// How many came before it.
    pub(super) before: u64,
    /// Whether all up to it are in the lists of the same subjects.
    pub(super) same: bool,
}

pub(super) fn write_version(version: &Version, out: &mut Vec<u8>) {
    out.clear();
    // There is one for nearly every event, and nearly all are the first of their record.
    out.extend_from_slice(&version.position.0.to_le_bytes());
    if version.before > 0 {
        out.push(u8::from(version.same));
        out.extend_from_slice(&version.before.to_le_bytes());
    }
}

pub(super) fn read_version(bytes: &[u8]) -> Option<Version> {
    let mut rest = Bytes(bytes);
    let position = rest.position()?;
    if rest.0.is_empty() {
        let (before, same) = (0, true);
        return Some(Version {
            position,
            before,
            same,
        });
    }
    let same = rest.byte()? == 1;
    let before = rest.number()?;
    Some(Version {
        position,
        before,
        same,
    })
}

/// Where the changes of an event come in the order of folds, and when it was recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeHead {
    pub(super) order: Order,
    pub(super) position: Position,
}

pub(super) fn write_change_head(event: &Event, out: &mut Vec<u8>) {
    let (start, rank, id) = event.order();
    out.extend_from_slice(&start.as_micros().to_le_bytes());
    out.extend_from_slice(&rank.to_le_bytes());
    out.extend_from_slice(&id.0);
    out.extend_from_slice(&event.position.0.to_le_bytes());
}

pub(super) fn read_change_head<'a>(bytes: &mut &'a [u8]) -> Option<ChangeHead> {
    let mut rest = Bytes::<'a>(bytes);
    let start = rest.time()?;
    let rank = u16::from_le_bytes(rest.array()?);
    let id = EventId(rest.array()?);
    let position = rest.position()?;
    *bytes = rest.0;
    Some(ChangeHead {
        order: (start, rank, id),
        position,
    })
}

const HOLDS: u8 = 0;
const DROPS: u8 = 1;
const DROPS_ALL: u8 = 2;
const REGISTERS: u8 = 3;
const LEAVES: u8 = 4;
const LICENSES: u8 = 5;
const SIGNS_IN: u8 = 6;

pub(super) fn write_step(step: &Step, out: &mut Vec<u8>) {
    match step {
        Step::Holds(user, sku) => write_holding(HOLDS, user, sku.as_deref(), out),
        Step::Drops(user, sku) => write_holding(DROPS, user, sku.as_deref(), out),
        Step::DropsAll(user) => write_id(DROPS_ALL, &user.0, out),
        Step::SignsIn => out.push(SIGNS_IN),
        Step::Registers(machine) => write_id(REGISTERS, &machine.0, out),
        Step::Leaves(machine) => write_id(LEAVES, &machine.0, out),
        Step::Licenses(machine, until) => {
            write_id(LICENSES, &machine.0, out);
            out.extend_from_slice(&until.as_micros().to_le_bytes());
        }
    }
}

fn write_id(tag: u8, id: &[u8; 16], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(id);
}

fn write_holding(tag: u8, user: &PersonId, sku: Option<&Sku>, out: &mut Vec<u8>) {
    write_id(tag, &user.0, out);
    // An empty text is no SKU; none has more bytes than an identifier may have, 256.
    let sku = sku.map_or("", Sku::as_str);
    let length = u16::try_from(sku.len()).unwrap_or(0);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(sku.as_bytes());
}

/// SKUs that were read, so that a million changes of ten SKUs hold ten texts.
#[derive(Debug, Default)]
pub(super) struct Skus(Vec<Arc<Sku>>);

impl Skus {
    fn get(&mut self, text: &[u8]) -> Option<Arc<Sku>> {
        if let Some(known) = self.0.iter().find(|sku| sku.as_str().as_bytes() == text) {
            return Some(Arc::clone(known));
        }
        let sku = Arc::new(Sku::new(std::str::from_utf8(text).ok()?).ok()?);
        self.0.push(Arc::clone(&sku));
        Some(sku)
    }
}

/// Takes a step off the front.
pub(super) fn read_step<'a>(bytes: &mut &'a [u8], skus: &mut Skus) -> Option<Step> {
    let mut rest = Bytes::<'a>(bytes);
    let tag = rest.byte()?;
    if tag == SIGNS_IN {
        *bytes = rest.0;
        return Some(Step::SignsIn);
    }
    let id = rest.array()?;
    let mut sku = |rest: &mut Bytes<'_>| -> Option<Option<Arc<Sku>>> {
        match rest.text()? {
            [] => Some(None),
            text => skus.get(text).map(Some),
        }
    };
    let step = match tag {
        HOLDS => Step::Holds(PersonId(id), sku(&mut rest)?),
        DROPS => Step::Drops(PersonId(id), sku(&mut rest)?),
        DROPS_ALL => Step::DropsAll(PersonId(id)),
        REGISTERS => Step::Registers(MachineId(id)),
        LEAVES => Step::Leaves(MachineId(id)),
        LICENSES => Step::Licenses(MachineId(id), rest.time()?),
        _ => return None,
    };
    *bytes = rest.0;
    Some(step)
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn position(&mut self) -> Option<Position> {
        self.number().map(Position)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.array()
            .map(|bytes| Timestamp::from_micros(i64::from_le_bytes(bytes)))
    }

    fn replacer(&mut self) -> Option<Replacer> {
        Some(Replacer {
            position: self.position()?,
            id: EventId(self.array()?),
        })
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_le_bytes(self.array()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}
