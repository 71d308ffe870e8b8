//! The declarations of stored types: records and choices, each with its [`Field`] implementation, so that one
//! definition gives the stored form, the JSON form, the schema and the subjects.
//!
//! [`Field`]: super::field::Field

/// Declares records: named fields that stand inside events.
macro_rules! record {
    ($($(#[doc = $doc:literal])+ $name:ident {
        $($(#[doc = $fdoc:literal])+ $field:ident: $type:ty),+ $(,)?
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $fdoc])+ pub $field: $type),+
        }
        $crate::event::field::impl_record!($name { $($field: $type = ($($fdoc)+)),+ });
    )+};
}

/// The `Field` implementation of a struct of fields.
macro_rules! impl_record {
    ($name:ident { $($field:ident: $type:ty = ($($fdoc:literal)+)),* }) => {
        impl $crate::event::field::Field for $name {
            fn shape() -> $crate::event::field::Shape {
                $crate::event::field::Shape::Record(stringify!($name), vec![
                    $($crate::event::field::FieldInfo {
                        name: stringify!($field),
                        doc: concat!($($fdoc),+),
                        shape: <$type as $crate::event::field::Field>::shape(),
                    }),*
                ])
            }
            fn read(
                value: &serde_json::Value,
                reader: &mut $crate::event::field::Reader<'_>,
            ) -> Result<Self, $crate::event::field::FieldError> {
                let map = $crate::event::field::object(value, &[$(stringify!($field)),*])?;
                Ok(Self { $($field: $crate::event::field::member(map, stringify!($field), reader)?),* })
            }
            fn write(&self, writer: $crate::event::field::Writer<'_>) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $($crate::event::field::put(&mut map, stringify!($field), &self.$field, writer);)*
                serde_json::Value::Object(map)
            }
            fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                true $(&& $crate::event::field::Field::is_stored_at(&self.$field, stored))*
            }
            fn walk(walker: &mut $crate::event::walk::Walker<'_, '_>) -> Option<()> {
                $(<$type as $crate::event::field::Field>::walk(walker)?;)*
                Some(())
            }
            fn decode(stored: &mut $crate::event::decode::Stored<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::event::field::Field::decode(stored)?),* })
            }
            fn subjects(&self, out: &mut dyn $crate::subject::SubjectSink) {
                $($crate::event::field::Field::subjects(&self.$field, out);)*
            }
            fn visit_sealed(&mut self, visit: &mut $crate::event::field::VisitSealed<'_>) {
                $($crate::event::field::Field::visit_sealed(&mut self.$field, visit);)*
            }
        }
    };
}

/// Declares choices: one word of some.
macro_rules! choice {
    ($($(#[doc = $doc:literal])+ $name:ident {
        $($(#[doc = $vdoc:literal])+ $variant:ident),+ $(,)?
    })+) => {$(
        $(#[doc = $doc])+
        ///
        /// Storage contract: the order of the words; new ones go to the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[doc = $vdoc])+ $variant),+ }

        impl $name {
            /// Every word with its meaning.
            pub const WORDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($variant), concat!($($vdoc),+))),+];

            /// The word, as JSON has it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::event::field::Field for $name {
            fn shape() -> $crate::event::field::Shape {
                $crate::event::field::Shape::Choice(stringify!($name), Self::WORDS)
            }
            fn read(
                value: &serde_json::Value,
                _: &mut $crate::event::field::Reader<'_>,
            ) -> Result<Self, $crate::event::field::FieldError> {
                match $crate::event::field::text(value, "a word")? {
                    $(stringify!($variant) => Ok(Self::$variant),)+
                    _ => Err($crate::event::field::FieldError::new(concat!("is no ", stringify!($name)))
                        .hint(format!("one of: {}", [$(stringify!($variant)),+].join(", ")))),
                }
            }
            fn write(&self, _: $crate::event::field::Writer<'_>) -> serde_json::Value {
                serde_json::Value::from(self.as_str())
            }
            fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
                $crate::event::stored::same(stored, &(*self as u32).to_le_bytes())
            }
            fn walk(walker: &mut $crate::event::walk::Walker<'_, '_>) -> Option<()> {
                walker.pass(size_of::<u32>())
            }
            fn decode(stored: &mut $crate::event::decode::Stored<'_>) -> Option<Self> {
                let number = usize::try_from(stored.take_variant()?).ok()?;
                const { &[$(Self::$variant),+] }.get(number).copied()
            }
        }
    )+};
}

pub(crate) use {choice, impl_record, record};
