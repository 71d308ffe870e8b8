//! The text of an event line: JSON written directly, because everything written is known to need
//! no escaping.

use super::cast::Person;
use ledger::time::{Date, Timestamp};
use std::fmt::Write as _;

/// Writes the members of one JSON object.
pub struct Fields<'t> {
    text: &'t mut String,
    empty: bool,
}

impl<'t> Fields<'t> {
    /// Writes one object, opened and closed.
    pub fn object(text: &'t mut String, members: impl FnOnce(&mut Fields<'_>)) {
        text.push('{');
        let mut fields = Fields { text, empty: true };
        members(&mut fields);
        fields.text.push('}');
    }

    fn name(&mut self, name: &str) -> &mut String {
        if !self.empty {
            self.text.push(',');
        }
        self.empty = false;
        quote(self.text, name);
        self.text.push(':');
        self.text
    }

    /// A text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        quote(self.name(name), value);
        self
    }

    /// A text that may be absent.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, value: impl Into<i64>) -> &mut Self {
        let value: i64 = value.into();
        put(self.name(name), format_args!("{value}"));
        self
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.name(name)
            .push_str(if value { "true" } else { "false" });
        self
    }

    /// A day.
    pub fn date(&mut self, name: &str, value: Date) -> &mut Self {
        put(self.name(name), format_args!("\"{value}\""));
        self
    }

    /// A day that may be absent.
    pub fn maybe_date(&mut self, name: &str, value: Option<Date>) -> &mut Self {
        if let Some(value) = value {
            self.date(name, value);
        }
        self
    }

    /// An instant.
    pub fn instant(&mut self, name: &str, value: Timestamp) -> &mut Self {
        put(self.name(name), format_args!("\"{value}\""));
        self
    }

    /// A person by the address alone, as logs print one.
    pub fn person(&mut self, name: &str, person: &Person) -> &mut Self {
        self.text(name, &person.address)
    }

    /// A person with address and name, as registers print one.
    pub fn named(&mut self, name: &str, person: &Person) -> &mut Self {
        self.record(name, |f| {
            f.text("address", &person.address)
                .text("name", &person.name);
        })
    }

    /// An amount of money in the minor unit of the only currency of these stories.
    pub fn money(&mut self, name: &str, minor_units: i64) -> &mut Self {
        self.record(name, |f| {
            f.number("minor_units", minor_units).text("currency", "USD");
        })
    }

    /// A record.
    pub fn record(&mut self, name: &str, members: impl FnOnce(&mut Fields<'_>)) -> &mut Self {
        Fields::object(self.name(name), members);
        self
    }

    /// A list of texts.
    pub fn texts<'v>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> &mut Self {
        self.list(name, values, quote)
    }

    /// A list of persons by their addresses.
    pub fn people<'v>(
        &mut self,
        name: &str,
        people: impl IntoIterator<Item = &'v Person>,
    ) -> &mut Self {
        self.list(name, people, |text, person| quote(text, &person.address))
    }

    /// A list of records.
    pub fn records<T>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
        mut members: impl FnMut(&mut Fields<'_>, T),
    ) -> &mut Self {
        self.list(name, values, |text, value| {
            Fields::object(text, |f| members(f, value));
        })
    }

    fn list<T>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) -> &mut Self {
        let text = self.name(name);
        text.push('[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            write(text, value);
        }
        text.push(']');
        self
    }
}

fn quote(text: &mut String, value: &str) {
    debug_assert!(
        !value.contains(|c: char| c == '"' || c == '\\' || c.is_control()),
        "generated texts need no escaping"
    );
    text.push('"');
    text.push_str(value);
    text.push('"');
}

/// Appends formatted text; writing to a `String` does not fail.
pub fn put(text: &mut String, value: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(value);
    debug_assert!(written.is_ok(), "writing to a text does not fail");
}
