//! What was gathered of some successive events and is not in a run yet.

use super::{ListName, Table};
use crate::id::Position;
use crate::limits::LIST_NAME_MAX_BYTES;
use crate::runs::varint;
use hashbrown::HashTable;
use std::ops::ControlFlow;
use std::sync::OnceLock;

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
    /// The bits of the tables that have lists.
    tables: u8,
    /// Numbers in `lists`, by the hash of the name.
    by_name: HashTable<u32>,
    lists: Vec<Listed>,
    names: Vec<u8>,
    /// Each with its length before it.
    values: Vec<u8>,
    links: Vec<Link>,
    /// The numbers of the lists by their names, once somebody asked for it and until a list is added.
    order: OnceLock<Vec<u32>>,
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

/// The bit that says whether a table has lists.
fn bit_of(table: Table) -> u8 {
    const { assert!(Table::COUNT <= 8) };
    1_u8.checked_shl(u32::from(table.0)).unwrap_or(0)
}

/// What a name begins with; zeros after its end.
fn first_bytes(name: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first
        .iter_mut()
        .zip(name)
        .for_each(|(to, from)| *to = *from);
    first
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
        self.add_making(names, value, |_, _| {});
    }

    /// Makes a list, empty if it is not there.
    pub fn name(&mut self, name: ListName<'_>) {
        self.list(name);
    }

    /// [`Gathering::add`]; calls `made` with the name of each list that was not there before.
    pub fn add_making<'n>(
        &mut self,
        names: impl IntoIterator<Item = ListName<'n>>,
        value: &[u8],
        mut made: impl FnMut(&mut Self, ListName<'n>),
    ) {
        let value = self.keep(value);
        for name in names {
            let before = self.lists.len();
            let list = self.list(name);
            self.link(list, value);
            if self.lists.len() > before {
                made(self, name);
            }
        }
    }

    /// Keeps a value; where it starts and ends.
    fn keep(&mut self, value: &[u8]) -> (u32, u32) {
        let start = short(self.values.len());
        varint::write(value.len() as u64, &mut self.values);
        self.values.extend_from_slice(value);
        (start, short(self.values.len()))
    }

    fn list(&mut self, name: ListName<'_>) -> u32 {
        if let Some(number) = self.number(name) {
            return number;
        }
        let start = short(self.names.len());
        let bytes = name.bytes.get(..LIST_NAME_MAX_BYTES);
        self.names.extend_from_slice(bytes.unwrap_or(name.bytes));
        let number = short(self.lists.len());
        self.order.take();
        self.tables |= bit_of(name.table);
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
        if !self.has_any(name.table) {
            return None;
        }
        let is_it = |number: &u32| {
            self.lists.get(at(*number)).is_some_and(|list| {
                list.table == name.table && part(&self.names, list.name) == name.bytes
            })
        };
        self.by_name.find(name.hash, is_it).copied()
    }

    fn name_of(&self, list: &Listed) -> &[u8] {
        part(&self.names, list.name)
    }

    fn find(&self, name: ListName<'_>) -> Option<&Listed> {
        let number = self.number(name)?;
        self.lists.get(at(number))
    }

    /// The values of a list, each with its length before it.
    fn chain(&self, list: &Listed) -> impl Iterator<Item = &[u8]> + Clone {
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

    /// Whether a table has any list.
    pub fn has_any(&self, table: Table) -> bool {
        self.tables & bit_of(table) != 0
    }

    /// Visits the names of a table that begin with a prefix, in no order. Costs a look at every name.
    pub(super) fn names(&self, table: Table, prefix: &[u8], mut visit: impl FnMut(&[u8])) {
        let of_table = self.lists.iter().filter(|list| list.table == table);
        let names = of_table.map(|list| part(&self.names, list.name));
        names
            .filter(|name| name.starts_with(prefix))
            .for_each(&mut visit);
    }

    /// Visits the lists of a table from a name on, in order, each with its values, which have their length
    /// before them. Costs a sort of all names after lists were added.
    pub(super) fn in_order<'s>(
        &'s self,
        table: Table,
        from: &[u8],
        mut visit: impl FnMut(&'s [u8], &mut dyn Iterator<Item = &'s [u8]>) -> ControlFlow<()>,
    ) {
        let order = self.order();
        let list_of = |number: &u32| self.lists.get(at(*number));
        let start = order.partition_point(|number| {
            list_of(number).map(|list| (list.table, part(&self.names, list.name)))
                < Some((table, from))
        });
        let following = order.get(start..).unwrap_or_default().iter();
        for list in following.filter_map(list_of) {
            let name = part(&self.names, list.name);
            if list.table != table || visit(name, &mut self.chain(list)).is_break() {
                break;
            }
        }
    }

    /// [`Gathering::names`] in order, of one to which nothing is added any more. Costs a sort of all names the
    /// first time, and then by the names themselves.
    pub(super) fn names_in_order(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        mut visit: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) {
        let from = after.unwrap_or(prefix).max(prefix);
        self.in_order(table, from, |name, _| {
            if !name.starts_with(prefix) {
                return ControlFlow::Break(());
            }
            match after.is_none_or(|after| name > after) {
                true => visit(name),
                false => ControlFlow::Continue(()),
            }
        });
    }

    /// The numbers of the lists, sorted by table and name.
    fn order(&self) -> &[u32] {
        self.order.get_or_init(|| {
            // Most names differ in their first bytes, which are beside each other then.
            let numbered = (0_u32..).zip(&self.lists);
            let mut order: Vec<(Table, [u8; 16], u32)> = numbered
                .map(|(number, list)| (list.table, first_bytes(self.name_of(list)), number))
                .collect();
            let name_of = |number: u32| Some(self.name_of(self.lists.get(at(number))?));
            order.sort_unstable_by(
                |(table, first, number), (other_table, other, other_number)| {
                    let first = (table, first).cmp(&(other_table, other));
                    first.then_with(|| name_of(*number).cmp(&name_of(*other_number)))
                },
            );
            order.into_iter().map(|(.., number)| number).collect()
        })
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
        self.tables = 0;
        self.by_name.clear();
        self.lists.clear();
        self.names.clear();
        self.values.clear();
        self.links.clear();
        self.order.take();
    }

    /// The lists, sorted by table and name: table, name, hash of the name, values each with its length.
    pub(super) fn sorted(
        &self,
    ) -> impl Iterator<Item = (Table, &[u8], u64, impl Iterator<Item = &[u8]> + Clone)> {
        let lists = self.order().iter();
        let lists = lists.filter_map(|number| self.lists.get(at(*number)));
        lists.map(|list| {
            let name = part(&self.names, list.name);
            (list.table, name, list.hash, self.chain(list))
        })
    }
}
