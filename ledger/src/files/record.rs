//! The text form of the store's small files: a title, lines of `name value`, and a check.
//!
//! They are read by people in need as well, so they are text. The check is the BLAKE3 of all lines
//! before it.

use std::fmt::Write;

/// Names and values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    lines: Vec<(String, String)>,
}

impl Record {
    /// Adds a line. Neither part may hold a line end, nor the name a space.
    pub(crate) fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        self.lines.push((name.to_owned(), value.to_string()));
    }

    /// The value of the first line of a name.
    pub(crate) fn get(&self, name: &str) -> Result<&str, String> {
        let value = self.all(name).next();
        value.ok_or_else(|| format!("it has no line `{name}`"))
    }

    /// The value of a name, read as a number.
    pub(crate) fn number(&self, name: &str) -> Result<u64, String> {
        let number = self.get(name)?.parse();
        number.map_err(|_| format!("`{name}` is no number"))
    }

    /// The values of all lines of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().filter(move |(n, _)| n == name);
        lines.map(|(_, value)| value.as_str())
    }

    /// The text form.
    pub(crate) fn write(&self, title: &str) -> String {
        let mut text = format!("{title}\n");
        for (name, value) in &self.lines {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{name} {value}");
        }
        let check = blake3::hash(text.as_bytes());
        let _ = writeln!(text, "check {}", check.to_hex());
        text
    }

    /// Reads the text form and compares the check.
    pub(crate) fn read(title: &str, text: &str) -> Result<Self, String> {
        let body = text
            .strip_suffix('\n')
            .and_then(|text| text.rsplit_once('\n'));
        let (body, check) = body.ok_or("it is too short")?;
        let check = check
            .strip_prefix("check ")
            .ok_or("its last line is no check")?;
        let found = blake3::hash(format!("{body}\n").as_bytes());
        if found.to_hex().as_str() != check {
            return Err("its check does not match it".to_owned());
        }
        let mut lines = body.lines();
        if lines.next() != Some(title) {
            return Err(format!("its first line is not `{title}`"));
        }
        let lines = lines.map(|line| {
            let parts = line.split_once(' ');
            let (name, value) = parts.ok_or_else(|| format!("line `{line}` has no value"))?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let lines = lines.collect::<Result<_, String>>()?;
        Ok(Self { lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_every_changed_byte_is_noticed() {
        let mut record = Record::default();
        record.put("format", 1);
        record.put("run", "1 5");
        record.put("run", "6 9");
        let text = record.write("a title");
        assert_eq!(Record::read("a title", &text).unwrap(), record);
        assert_eq!(record.all("run").collect::<Vec<_>>(), ["1 5", "6 9"]);
        assert_eq!(record.number("format"), Ok(1));
        assert!(record.number("run").is_err() && record.get("other").is_err());
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8_lossy(&changed);
            assert!(Record::read("a title", &changed).is_err(), "byte {at}");
        }
        assert!(Record::read("another title", &text).is_err());
        assert!(Record::read("a title", "").is_err());
    }
}
