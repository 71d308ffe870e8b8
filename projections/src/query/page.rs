//! Queries over one kind of view: filters, an order, pages, counts and totals.

use super::cell::{Cell, Kind, Unit};
use super::cursor::Cursor;
use super::error::QueryError;
use super::field::Path;
use super::filter::{Filter, Parts};
use super::listing::{Listing, Row};
use crate::seen::Seen;
use ledger::subject::{Subject, SubjectKind};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// A question about all views of one kind.
pub struct Query {
    listing: &'static Listing,
    fields: Vec<(&'static str, Kind)>,
    filters: Vec<Filter>,
    order: Option<(Path, Direction)>,
}

/// Which end of an order comes first. What is absent comes last in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest or earliest.
    Up,
    /// The largest or latest.
    Down,
}

/// Rows, each with its subject.
pub type Rows = Vec<(Subject, Box<dyn Row>)>;

/// One page of a list.
pub struct Page {
    /// The rows.
    pub rows: Rows,
    /// Where the list goes on; absent on the last page.
    pub next: Option<String>,
}

/// How many rows there are and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// The rows.
    pub rows: u64,
    /// The sum of each field that counts seats, by the name of the field.
    pub seats: BTreeMap<&'static str, i64>,
    /// The sum of each field that is an amount of money, by field and currency, in minor units.
    pub amounts: BTreeMap<(&'static str, String), i64>,
}

impl Query {
    /// All views of a kind, by their ids.
    pub fn of(kind: SubjectKind) -> Result<Self, QueryError> {
        let listing = Listing::of(kind).ok_or(QueryError::NoViews { kind: kind.name() })?;
        Ok(Self {
            listing,
            fields: (listing.fields)(),
            filters: Vec::new(),
            order: None,
        })
    }

    /// The way to a field.
    pub fn field(&self, text: &str) -> Result<Path, QueryError> {
        Path::find(text, self.listing.kind.name(), &self.fields)
    }

    /// Adds a filter, `FIELD OPERATOR VALUE`; see [`super`] for the operators.
    pub fn filter(&mut self, text: &str) -> Result<(), QueryError> {
        self.filter_parts(Parts::of(text)?)
    }

    /// Adds a filter that was taken apart.
    pub fn filter_parts(&mut self, parts: Parts<'_>) -> Result<(), QueryError> {
        let path = self.field(parts.field)?;
        self.filters
            .push(Filter::read(path, parts.operator, parts.value)?);
        Ok(())
    }

    /// Sorts by a field, `FIELD` or `-FIELD` for the largest or latest first, and then by id.
    pub fn sort(&mut self, text: &str) -> Result<(), QueryError> {
        let text = text.trim();
        let (name, direction) = match text.strip_prefix('-') {
            Some(name) => (name, Direction::Down),
            None => (text, Direction::Up),
        };
        let path = self.field(name)?;
        let field = path.as_str().to_owned();
        match path.kind() {
            Kind::Record(fields) => {
                let known = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
                return Err(QueryError::WholeRecord { field, known });
            }
            _ if path.has_several() => return Err(QueryError::NoOrder { field }),
            _ => {}
        }
        self.order = Some((path, direction));
        Ok(())
    }

    /// Reads a cursor that a page of this very query gave. The next page has to be seen from the
    /// cursor's point.
    pub fn cursor(&self, text: &str) -> Result<Cursor, QueryError> {
        Cursor::read(text, &self.identity())
    }

    fn identity(&self) -> String {
        let mut filters: Vec<String> = self.filters.iter().map(Filter::identity).collect();
        filters.sort();
        filters.dedup();
        let order = self.order.as_ref();
        let order = order.map(|(path, direction)| format!("{direction:?} {}", path.as_str()));
        format!("{} {filters:?} {order:?}", self.listing.kind.name())
    }

    /// A page of at most `limit` rows after a cursor's. `seen` has to be at the cursor's point.
    ///
    /// Without filters and order a page costs its own rows. A filter costs the rows that it leaves
    /// out on the way, an order all views of the kind, and memory for a page.
    pub fn page(&self, seen: &Seen<'_>, limit: usize, after: Option<&Cursor>) -> Page {
        let limit = limit.max(1);
        let (mut found, more) = match &self.order {
            None => self.by_id(seen, limit, after),
            Some((path, direction)) => self.in_order(seen, limit, after, path, *direction),
        };
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|(subject, _)| Cursor {
            point: seen.point(),
            after: subject.id.clone(),
        });
        Page {
            next: last.map(|cursor| cursor.write(&self.identity())),
            rows: found,
        }
    }

    /// Counts the rows and adds up their seats and amounts. Costs a fold of every view of the kind.
    pub fn totals(&self, seen: &Seen<'_>) -> Totals {
        let summed: Vec<(usize, &'static str, &Kind)> = (0..)
            .zip(&self.fields)
            .map(|(index, (name, kind))| (index, *name, kind))
            .filter(|(_, name, kind)| {
                **kind == Kind::Number(Unit::Seats) || self.listing.money.contains(name)
            })
            .collect();
        let mut totals = Totals::default();
        let currency = self.fields.iter().position(|(name, _)| *name == "currency");
        for (_, row) in self.rows(seen, None) {
            totals.rows += 1;
            for (index, name, kind) in &summed {
                let (Cell::Number(number), kind) = (row.cell(*index), *kind) else {
                    continue;
                };
                let sum = match kind {
                    Kind::Number(Unit::Seats) => totals.seats.entry(name).or_default(),
                    _ => match currency.map(|index| row.cell(index)) {
                        Some(Cell::Text(code)) => totals.amounts.entry((name, code)).or_default(),
                        _ => continue,
                    },
                };
                *sum = sum.saturating_add(number);
            }
        }
        for (_, name, kind) in &summed {
            if **kind == Kind::Number(Unit::Seats) {
                totals.seats.entry(name).or_default();
            }
        }
        totals
    }

    /// Visits every row that passes, by id. Costs a fold of every view of the kind.
    pub fn each(&self, seen: &Seen<'_>, visit: &mut dyn FnMut(&Subject, &dyn Row)) {
        for (subject, row) in self.rows(seen, None) {
            visit(&subject, row.as_ref());
        }
    }

    /// The rows that pass, by id, after one.
    fn rows<'q>(
        &'q self,
        seen: &'q Seen<'_>,
        after: Option<&str>,
    ) -> impl Iterator<Item = (Subject, Box<dyn Row>)> + 'q {
        subjects_after(seen, self.listing.kind, after)
            .filter_map(|subject| {
                let row = (self.listing.row)(seen, &subject)?;
                Some((subject, row))
            })
            .filter(|(_, row)| self.passes(row.as_ref()))
    }

    fn passes(&self, row: &dyn Row) -> bool {
        self.filters
            .iter()
            .all(|filter| filter.passes(&value(row, filter.path())))
    }

    fn by_id(&self, seen: &Seen<'_>, limit: usize, after: Option<&Cursor>) -> (Rows, bool) {
        let after = after.map(|cursor| cursor.after.as_str());
        let found: Vec<_> = self.rows(seen, after).take(limit + 1).collect();
        let more = found.len() > limit;
        (found, more)
    }

    /// Keeps the first `limit + 1` rows in order while walking over all of them. The cursor names the
    /// last row of the page before; its place in the order is folded again.
    fn in_order(
        &self,
        seen: &Seen<'_>,
        limit: usize,
        after: Option<&Cursor>,
        path: &Path,
        direction: Direction,
    ) -> (Rows, bool) {
        let placed = |subject: Subject, row: &dyn Row| Placed {
            cell: value(row, path),
            subject,
            direction,
        };
        let after = after.and_then(|cursor| {
            let subject = Subject::new(self.listing.kind, &cursor.after);
            let row = (self.listing.row)(seen, &subject)?;
            Some(placed(subject, row.as_ref()))
        });
        let mut first: BinaryHeap<Placed> = BinaryHeap::new();
        for (subject, row) in self.rows(seen, None) {
            let one = placed(subject, row.as_ref());
            if after.as_ref().is_some_and(|after| one <= *after) {
                continue;
            }
            first.push(one);
            if first.len() > limit + 1 {
                first.pop();
            }
        }
        let more = first.len() > limit;
        let first = first.into_sorted_vec().into_iter().take(limit);
        let rows = first.filter_map(|one| {
            let row = (self.listing.row)(seen, &one.subject)?;
            Some((one.subject, row))
        });
        (rows.collect(), more)
    }
}

/// A row's place in an order: by the field, then by id.
struct Placed {
    cell: Cell,
    subject: Subject,
    direction: Direction,
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        let cells = self.cell.order(&other.cell);
        let absent = self.cell.is_absent() || other.cell.is_absent();
        let cells = match self.direction {
            Direction::Down if !absent => cells.reverse(),
            Direction::Up | Direction::Down => cells,
        };
        cells.then_with(|| self.subject.cmp(&other.subject))
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Placed {}

/// The value at the end of a way, in a row.
pub(super) fn value(row: &dyn Row, path: &Path) -> Cell {
    path.follow(row.cell(path.first()))
}

/// Subjects that are asked for at once.
const SUBJECTS_READ: usize = 256;

/// The subjects of a kind by id, after one.
fn subjects_after<'a>(
    seen: &'a Seen<'_>,
    kind: SubjectKind,
    after: Option<&str>,
) -> impl Iterator<Item = Subject> + 'a {
    let mut after = after.map(str::to_owned);
    let mut read = Vec::new().into_iter();
    std::iter::from_fn(move || {
        let next: Option<String> = read.next();
        let id = next.or_else(|| {
            read = seen
                .subjects(kind, after.as_deref(), SUBJECTS_READ)
                .into_iter();
            read.next()
        })?;
        after = Some(id.clone());
        Some(Subject::new(kind, id))
    })
}
