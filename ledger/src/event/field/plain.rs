//! The fields that are no texts and no numbers, and those that are there perhaps or several times.

use super::{Field, FieldError, LIST_ROOM_MAX, Reader, Shape, VisitSealed, Writer, text, type_of};
use crate::event::decode::Stored;
use crate::event::stored::{is_length_at, same};
use crate::event::walk::Walker;
use crate::secret::Last5;
use crate::subject::SubjectSink;
use crate::time::{Date, Timestamp};
use serde_json::Value;

impl Field for bool {
    fn shape() -> Shape {
        Shape::Boolean
    }
    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
        value.as_bool().ok_or_else(|| {
            FieldError::new(format!(
                "should be true or false, but is {}",
                type_of(value)
            ))
        })
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(*self)
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &[u8::from(*self)])
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        walker.pass(1)
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        stored.take_presence()
    }
}

impl Field for Date {
    fn shape() -> Shape {
        Shape::Date
    }
    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
        Self::parse(text(value, "a day such as 2024-03-11")?)
            .ok_or_else(|| FieldError::new("is no day; write it as 2024-03-11"))
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(self.to_string())
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.day_number().to_le_bytes())
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        walker.pass(size_of::<Self>())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self::of_stored(i32::from_le_bytes(*stored.take()?)))
    }
}

impl Field for Timestamp {
    fn shape() -> Shape {
        Shape::Instant
    }
    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
        Self::parse(text(value, "an instant such as 2024-03-11T09:42:00Z")?).ok_or_else(|| {
            FieldError::new("is no instant; write it with its offset, as 2024-03-11T09:42:00Z")
        })
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(self.to_string())
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, &self.as_micros().to_le_bytes())
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        walker.pass(size_of::<Self>())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self::of_stored(i64::from_le_bytes(*stored.take()?)))
    }
}

impl Field for Last5 {
    fn shape() -> Shape {
        Shape::Text("Last5")
    }
    fn read(value: &Value, _: &mut Reader<'_>) -> Result<Self, FieldError> {
        Self::parse(text(value, "the last five characters of a key")?)
            .ok_or_else(|| FieldError::new("should be exactly five letters or digits"))
    }
    fn write(&self, _: Writer<'_>) -> Value {
        Value::from(self.as_str())
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        same(stored, self.as_str().as_bytes())
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        walker.pass(size_of::<Self>())
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        Some(Self::of_stored(*stored.take()?))
    }
}

impl<T: Field> Field for Option<T> {
    fn shape() -> Shape {
        Shape::Optional(Box::new(T::shape()))
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        T::read(value, reader).map(Some)
    }
    fn absent() -> Result<Self, FieldError> {
        Ok(None)
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        self.as_ref()
            .map_or(Value::Null, |field| field.write(writer))
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        match self {
            None => same(stored, &[0]),
            Some(field) => same(stored, &[1]) && field.is_stored_at(stored),
        }
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        match walker.take_presence()? {
            true => T::walk(walker),
            false => Some(()),
        }
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        match stored.take_presence()? {
            true => T::decode(stored).map(Some),
            false => Some(None),
        }
    }
    fn subjects(&self, out: &mut dyn SubjectSink) {
        if let Some(field) = self {
            field.subjects(out);
        }
    }
    fn visit_sealed(&mut self, visit: &mut VisitSealed<'_>) {
        if let Some(field) = self {
            field.visit_sealed(visit);
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        let list = value.as_array().ok_or_else(|| {
            FieldError::new(format!("should be a list, but is {}", type_of(value)))
        })?;
        list.iter()
            .enumerate()
            .map(|(index, value)| T::read(value, reader).map_err(|error| error.within(index)))
            .collect()
    }
    fn absent() -> Result<Self, FieldError> {
        Ok(Self::new())
    }
    fn write(&self, writer: Writer<'_>) -> Value {
        if self.is_empty() {
            return Value::Null;
        }
        self.iter().map(|field| field.write(writer)).collect()
    }
    fn is_stored_at(&self, stored: &mut &[u8]) -> bool {
        is_length_at(self.len(), stored) && self.iter().all(|field| field.is_stored_at(stored))
    }
    fn walk(walker: &mut Walker<'_, '_>) -> Option<()> {
        (0..walker.take_length()?).try_for_each(|_| T::walk(walker))
    }
    fn decode(stored: &mut Stored<'_>) -> Option<Self> {
        let length = stored.take_length()?;
        // A length that is no length takes no memory before the bytes end.
        let mut list = Self::with_capacity(length.min(LIST_ROOM_MAX));
        for _ in 0..length {
            list.push(T::decode(stored)?);
        }
        Some(list)
    }
    fn subjects(&self, out: &mut dyn SubjectSink) {
        self.iter().for_each(|field| field.subjects(out));
    }
    fn visit_sealed(&mut self, visit: &mut VisitSealed<'_>) {
        self.iter_mut().for_each(|field| field.visit_sealed(visit));
    }
}
