//! Fields of views: their names, their types, and the way from a view to the value of a field that
//! stands deeper in it.

use super::cell::{Cell, Kind, Shown};
use super::error::QueryError;

/// One field of a view or of a record in it.
pub struct FieldInfo<V> {
    /// Its name, as in JSON.
    pub name: &'static str,
    /// What its values are.
    pub kind: fn() -> Kind,
    /// Its value in a view.
    pub cell: fn(&V) -> Cell,
}

/// A type whose fields can be asked for.
pub trait Fields: Sized + 'static {
    /// All of them, in the order of the type.
    const FIELDS: &'static [FieldInfo<Self>];
}

/// The kind of what a closure leads to.
pub(super) fn kind_of<V, T: Shown>(_: fn(&V) -> &T) -> Kind {
    T::kind()
}

/// Lists the fields of types, each by its name; `name: way.to.it` where it stands elsewhere. A
/// contract test holds the names against the JSON form.
macro_rules! fields {
    ($($type:path { $($name:ident $(: $($way:ident).+)?)+ })+) => {$(
        impl $crate::query::field::Fields for $type {
            const FIELDS: &'static [$crate::query::field::FieldInfo<Self>] = &[
                $($crate::query::field::FieldInfo {
                    name: stringify!($name),
                    kind: || $crate::query::field::kind_of(|view: &Self| {
                        $crate::query::field::fields!(@way view, $name $(, $($way).+)?)
                    }),
                    cell: |view| $crate::query::cell::Shown::cell(
                        $crate::query::field::fields!(@way view, $name $(, $($way).+)?),
                    ),
                }),+
            ];
        }

        impl $crate::query::cell::Shown for $type {
            fn kind() -> $crate::query::cell::Kind {
                use $crate::query::field::Fields;
                let fields = Self::FIELDS.iter().map(|field| (field.name, (field.kind)()));
                $crate::query::cell::Kind::Record(fields.collect())
            }
            fn cell(&self) -> $crate::query::cell::Cell {
                use $crate::query::field::Fields;
                let fields = Self::FIELDS.iter().map(|field| (field.name, (field.cell)(self)));
                $crate::query::cell::Cell::Record(fields.collect())
            }
        }
    )+};
    (@way $view:ident, $name:ident) => { &$view.$name };
    (@way $view:ident, $name:ident, $($way:ident).+) => { &$view.$($way).+ };
}

pub(crate) use fields;

/// The way to a field: `end`, or `keys.last5` for one that stands deeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    first: usize,
    rest: Vec<String>,
    kind: Kind,
    /// Whether the way leads through a list.
    several: bool,
}

impl Path {
    /// Finds the way to a field. Fails if there is no such field; the error names those there are.
    pub(super) fn find(
        text: &str,
        view: &'static str,
        fields: &[(&'static str, Kind)],
    ) -> Result<Self, QueryError> {
        let text = text.trim();
        let (name, mut deeper) = split(text);
        let unknown = |name: &str, inner: &str, names: Vec<String>| QueryError::UnknownField {
            view,
            within: inner.to_owned(),
            field: name.to_owned(),
            known: names,
        };
        let found = fields.iter().position(|(known, _)| *known == name);
        let Some((first, (_, kind))) = found.and_then(|i| fields.get(i).map(|field| (i, field)))
        else {
            let names = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
            return Err(unknown(name, "", names));
        };
        let mut kind = kind.clone();
        let mut rest = Vec::new();
        let mut passed = name.to_owned();
        let mut several = false;
        while let Some(inner) = deeper {
            several |= matches!(kind, Kind::List(_));
            kind = match inner_of(kind) {
                Kind::Record(fields) => {
                    let (name, further) = split(inner);
                    let field = fields.iter().find(|(known, _)| *known == name);
                    let Some((name, kind)) = field else {
                        let names = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
                        return Err(unknown(name, &passed, names));
                    };
                    rest.push((*name).to_owned());
                    deeper = further;
                    kind.clone()
                }
                // A name in a map may have dots in it: it goes on to the end, unless there are
                // fields behind it.
                Kind::Map(value) if !matches!(inner_of((*value).clone()), Kind::Record(_)) => {
                    rest.push(inner.to_owned());
                    deeper = None;
                    *value
                }
                Kind::Map(value) => {
                    let (name, further) = split(inner);
                    rest.push(name.to_owned());
                    deeper = further;
                    *value
                }
                _ => return Err(unknown(inner, &passed, Vec::new())),
            };
            if let Some(step) = rest.last() {
                passed = format!("{passed}.{step}");
            }
        }
        Ok(Self {
            text: text.to_owned(),
            first,
            rest,
            kind,
            several,
        })
    }

    /// The way as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The index of the view's own field that it leads through.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// What the values at its end are; of a list or a map, what is in it.
    pub fn kind(&self) -> Kind {
        inner_of(self.kind.clone())
    }

    /// Whether there can be more than one value at its end.
    pub(super) fn has_several(&self) -> bool {
        self.several || matches!(self.kind, Kind::List(_) | Kind::Map(_))
    }

    /// The value at its end, from that of the view's own field. Under a list it is a list.
    pub(super) fn follow(&self, first: Cell) -> Cell {
        self.rest.iter().fold(first, step)
    }
}

fn step(cell: Cell, name: &String) -> Cell {
    match cell {
        Cell::Record(fields) => {
            let found = fields.into_iter().find(|(known, _)| known == name);
            found.map_or(Cell::Absent, |(_, cell)| cell)
        }
        Cell::Map(mut map) => map.remove(name).unwrap_or(Cell::Absent),
        Cell::List(list) => Cell::List(list.into_iter().map(|cell| step(cell, name)).collect()),
        Cell::Absent
        | Cell::Text(_)
        | Cell::Number(_)
        | Cell::Flag(_)
        | Cell::Word(..)
        | Cell::Day(_)
        | Cell::Instant(_) => Cell::Absent,
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    }
}

/// What is in a list of lists; a map is kept, because its names are part of the way.
fn inner_of(kind: Kind) -> Kind {
    match kind {
        Kind::List(inner) => inner_of(*inner),
        other => other,
    }
}
