//! The inputs of one subject as they are stored, before they are decoded.

use super::value::{Mark, Pair, Value, read_value};
use crate::source::{Order, Replacer, Shows};
use ledger::event::Event;
use ledger::event::walk::Head;
use ledger::id::Position;
use ledger::lists::ListValues;
use std::collections::HashMap;
use std::ops::Range;

/// Where the events of a subject are, and what stands instead of which. Used again and again, so that
/// passing over many subjects allocates nothing for each.
#[derive(Debug, Default)]
pub(super) struct Items {
    items: Vec<Item>,
    replaced: Replaced,
}

/// Where an event comes, and where its stored form is.
#[derive(Debug)]
struct Item {
    order: Order,
    position: Position,
    stored: Range<usize>,
}

impl Items {
    /// Finds what is in the stream of a subject's list and was recorded up to a position, instead of what was
    /// found before. `None` if it cannot be read.
    pub(super) fn find(&mut self, stream: &[u8], end: Position) -> Option<()> {
        self.items.clear();
        self.replaced.marks.clear();
        self.replaced.pairs.clear();
        let mut values = ListValues::of(stream);
        while let Some(value) = values.next() {
            let value_end = stream.len() - values.left_bytes();
            match read_value(value.ok()?)? {
                Value::Item(stored) => {
                    let head = Head::read(stored)?;
                    if head.position <= end {
                        self.items.push(Item {
                            order: head.order()?,
                            position: head.position,
                            stored: value_end - stored.len()..value_end,
                        });
                    }
                }
                Value::Mark(mark) => self.replaced.marks.push(mark),
                Value::Pair(pair) => self.replaced.pairs.push(pair),
            }
        }
        Some(())
    }

    /// Visits the events that are shown of what was found in a stream, in fold order, each with what stands
    /// instead of it. Decodes no other. `None` if one cannot be decoded.
    pub(super) fn each(
        &mut self,
        stream: &[u8],
        end: Position,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(Event, Vec<Replacer>),
    ) -> Option<()> {
        if !self.items.is_sorted_by_key(|item| item.order) {
            self.items.sort_by_key(|item| item.order);
        }
        let mut replacers = match self.replaced.is_empty() {
            true => HashMap::new(),
            false => self.replaced.by_position(end),
        };
        for item in &self.items {
            let replaced_by = match replacers.is_empty() {
                true => Vec::new(),
                false => replacers.remove(&item.position).unwrap_or_default(),
            };
            if shows(&item.order, item.position, &replaced_by) {
                let stored = stream.get(item.stored.clone())?;
                visit(Event::decode(stored).ok()?, replaced_by);
            }
        }
        Some(())
    }
}

/// What of a subject's events is replaced.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    pub(super) marks: Vec<Mark>,
    pub(super) pairs: Vec<Pair>,
}

impl Replaced {
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.pairs.is_empty()
    }

    /// What stands instead of the event at each position, of all that was recorded up to one.
    pub(super) fn by_position(&mut self, end: Position) -> HashMap<Position, Vec<Replacer>> {
        let mut replacers: HashMap<Position, Vec<Replacer>> = HashMap::new();
        for pair in self.pairs.iter().filter(|pair| pair.by.position <= end) {
            replacers.entry(pair.target).or_default().push(pair.by);
        }
        // The versions of a record, from the one that all others stand instead of on.
        let version = |mark: &Mark| (mark.record, mark.observed, mark.by.id);
        self.marks.retain(|mark| mark.by.position <= end);
        self.marks.sort_unstable_by_key(version);
        for versions in self.marks.chunk_by(|one, next| one.record == next.record) {
            for (number, old) in versions.iter().enumerate() {
                let newer = versions.get(number + 1..).unwrap_or_default();
                let newer = newer
                    .iter()
                    .filter(|new| (new.observed, new.by.id) > (old.observed, old.by.id));
                let by = newer.map(|mark| mark.by);
                replacers.entry(old.by.position).or_default().extend(by);
            }
        }
        replacers.retain(|_, by| !by.is_empty());
        replacers
    }
}
