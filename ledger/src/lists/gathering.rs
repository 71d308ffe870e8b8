//! What was gathered of some successive events and is not in a run yet.

use super::{ListName, Table};
use crate::id::Position;
use crate::limits::LIST_NAME_MAX_BYTES;
use crate::runs::varint;
use hashbrown::HashTable;

/// The number of a link that is none.
const NONE: u32 = u32::MAX;

/// Values for lists, of some successive events.
///
/// A value that goes to several lists is kept once. Names and values are in one buffer each, so that
/// adding allocates nothing but now and then a larger buffer. Numbers and places have 32 bits: a gathering
/// is full long before ([`LISTS_OVERLAY_MAX_BYTES`]).
///
/// [`LISTS_OVERLAY_MAX_BYTES`]: crate::limits::LISTS_OVERLAY_MAX_BYTES
#[derive(Debug, Default)]
pub struct Gathering {
    range: Option<(Position, Position)>,
    /// Numbers in `lists`, by the hash of the name.
    by_name: HashTable<u32>,
    lists: Vec<Listed>,
    names: Vec<u8>,
    /// Each with its length before it.
    values: Vec<u8>,
    links: Vec<Link>,
}

/// One list: a chain through the links.
#[derive(Debug)]
struct Listed {
    table: Table,
    hash: u64,
    /// Where its name starts and ends.
    name: (u32, u32),
    first: u32,
    last: u32,
}

/// Where a value starts and ends, and the number of the link with the next one of the same list.
#[derive(Debug)]
struct Link {
    value: (u32, u32),
    next: u32,
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn part(bytes: &[u8], (start, end): (u32, u32)) -> &[u8] {
    bytes.get(at(start)..at(end)).unwrap_or_default()
}

impl Gathering {
    /// Covers the positions up to one, from `first` on if it is empty: what is added comes from them.
    pub fn cover(&mut self, first: Position, until: Position) {
        let first = self.range.map_or(first, |(first, _)| first);
        self.range = Some((first, until));
    }

    /// The first and the last position that it covers.
    pub fn range(&self) -> Option<(Position, Position)> {
        self.range
    }

    /// Adds a value to the end of some lists. Costs one look-up in memory a name. A name that is too long
    /// is cut, which no name that is made of an identifier is.
    pub fn add<'n>(&mut self, names: impl IntoIterator<Item = ListName<'n>>, value: &[u8]) {
        let start = short(self.values.len());
        varint::write(value.len() as u64, &mut self.values);
        self.values.extend_from_slice(value);
        let value = (start, short(self.values.len()));
        for name in names {
            let list = self.list(name);
            self.link(list, value);
        }
    }

    /// Makes a list, empty if it is not there.
    pub fn name(&mut self, name: ListName<'_>) {
        self.list(name);
    }

    fn list(&mut self, name: ListName<'_>) -> u32 {
        if let Some(number) = self.number(name) {
            return number;
        }
        let start = short(self.names.len());
        let bytes = name.bytes.get(..LIST_NAME_MAX_BYTES);
        self.names.extend_from_slice(bytes.unwrap_or(name.bytes));
        let number = short(self.lists.len());
        self.lists.push(Listed {
            table: name.table,
            hash: name.hash,
            name: (start, short(self.names.len())),
            first: NONE,
            last: NONE,
        });
        let lists = &self.lists;
        let rehash = |number: &u32| lists.get(at(*number)).map_or(0, |list| list.hash);
        self.by_name.insert_unique(name.hash, number, rehash);
        number
    }

    fn link(&mut self, list: u32, value: (u32, u32)) {
        let link = short(self.links.len());
        self.links.push(Link { value, next: NONE });
        if let Some(list) = self.lists.get_mut(at(list)) {
            if let Some(before) = self.links.get_mut(at(list.last)) {
                before.next = link;
            }
            if list.first == NONE {
                list.first = link;
            }
            list.last = link;
        }
    }

    fn number(&self, name: ListName<'_>) -> Option<u32> {
        let is_it = |number: &u32| {
            self.lists.get(at(*number)).is_some_and(|list| {
                list.table == name.table && part(&self.names, list.name) == name.bytes
            })
        };
        self.by_name.find(name.hash, is_it).copied()
    }

    fn find(&self, name: ListName<'_>) -> Option<&Listed> {
        let number = self.number(name)?;
        self.lists.get(at(number))
    }

    /// The values of a list, each with its length before it.
    fn chain(&self, list: &Listed) -> impl Iterator<Item = &[u8]> {
        let first = self.links.get(at(list.first));
        let links = std::iter::successors(first, |link| self.links.get(at(link.next)));
        links.map(|link| part(&self.values, link.value))
    }

    /// Appends the values of a list, each with its length before it.
    pub(super) fn copy_list(&self, name: ListName<'_>, out: &mut Vec<u8>) {
        if let Some(list) = self.find(name) {
            self.chain(list)
                .for_each(|value| out.extend_from_slice(value));
        }
    }

    /// The last value of a list.
    pub fn last(&self, name: ListName<'_>) -> Option<&[u8]> {
        let link = self.links.get(at(self.find(name)?.last))?;
        varint::read_bytes(&mut part(&self.values, link.value))
    }

    /// Visits the values of a list.
    pub fn read(&self, name: ListName<'_>, visit: &mut dyn FnMut(&[u8])) {
        for mut value in self.find(name).iter().flat_map(|list| self.chain(list)) {
            if let Some(value) = varint::read_bytes(&mut value) {
                visit(value);
            }
        }
    }

    /// Whether it has a list.
    pub(super) fn has(&self, name: ListName<'_>) -> bool {
        self.number(name).is_some()
    }

    /// Whether a table has any list. Costs a look at every name at worst.
    pub fn has_any(&self, table: Table) -> bool {
        self.lists.iter().any(|list| list.table == table)
    }

    /// Visits the names of a table, in no order.
    pub(super) fn names(&self, table: Table, mut visit: impl FnMut(&[u8])) {
        let of_table = self.lists.iter().filter(|list| list.table == table);
        of_table.for_each(|list| visit(part(&self.names, list.name)));
    }

    /// The names of a table that begin with a prefix, in no order. Costs a look at every name.
    pub fn names_with(&self, table: Table, prefix: &[u8]) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        self.names(table, |name| {
            if name.starts_with(prefix) {
                names.push(name.to_vec());
            }
        });
        names
    }

    /// How many lists it has.
    pub(super) fn lists_count(&self) -> usize {
        self.lists.len()
    }

    /// How many bytes it takes, about.
    pub fn length_bytes(&self) -> usize {
        self.names.len()
            + self.values.len()
            + self.links.len() * size_of::<Link>()
            + self.lists.len() * size_of::<Listed>()
    }

    /// Adds all that another one has, which comes after it.
    pub(super) fn absorb(&mut self, other: &Self) {
        if let Some((first, last)) = other.range {
            self.cover(first, last);
        }
        let base = short(self.values.len());
        self.values.extend_from_slice(&other.values);
        for list in &other.lists {
            let number = self.list(ListName {
                table: list.table,
                bytes: part(&other.names, list.name),
                hash: list.hash,
            });
            let first = other.links.get(at(list.first));
            let links = std::iter::successors(first, |link| other.links.get(at(link.next)));
            for link in links {
                let (start, end) = link.value;
                self.link(
                    number,
                    (start.saturating_add(base), end.saturating_add(base)),
                );
            }
        }
    }

    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.range = None;
        self.by_name.clear();
        self.lists.clear();
        self.names.clear();
        self.values.clear();
        self.links.clear();
    }

    /// The lists, sorted by table and name: table, name, hash of the name, values each with its length.
    pub(super) fn sorted(
        &self,
    ) -> impl Iterator<Item = (Table, &[u8], u64, impl Iterator<Item = &[u8]>)> {
        let keys = self.lists.iter().map(|list| {
            let name = part(&self.names, list.name);
            (list.table, name, list)
        });
        let mut sorted: Vec<_> = keys.collect();
        sorted.sort_unstable_by_key(|(table, name, _)| (*table, *name));
        sorted
            .into_iter()
            .map(|(table, name, list)| (table, name, list.hash, self.chain(list)))
    }
}
