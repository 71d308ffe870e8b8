//! Cursors: where a list goes on. Callers hand them back as they are.

use super::error::QueryError;
use crate::seen::Point;
use ledger::id::Position;
use ledger::time::Timestamp;
use std::fmt::Write;

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
/// Version, position, instant and check; the id of the last row follows.
const HEAD_BYTES: usize = 1 + 8 + 8 + CHECK_BYTES;

/// Where a list goes on: after which row, seen from which point. The pages of one list do not move
/// when events are appended or time passes meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The point that the list is seen from.
    pub point: Point,
    /// The id of the last row that was given.
    pub after: String,
}

impl Cursor {
    /// The text of a cursor in the list of a query. It carries a check, so that one that was changed,
    /// or belongs to another query, is noticed; it is no secret.
    pub(super) fn write(&self, query: &str) -> String {
        let mut bytes = self.head(query);
        bytes.extend(self.after.as_bytes());
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Reads what [`Cursor::write`] wrote for the same query.
    pub(super) fn read(text: &str, query: &str) -> Result<Self, QueryError> {
        let foreign = || QueryError::ForeignCursor;
        let bytes = read_hex(text.trim()).ok_or_else(foreign)?;
        let (head, after) = bytes.split_at_checked(HEAD_BYTES).ok_or_else(foreign)?;
        let number = |from: usize| {
            let bytes = head.get(from..from + 8)?;
            <[u8; 8]>::try_from(bytes).ok()
        };
        let as_of = number(1).ok_or_else(foreign)?;
        let valid_at = number(9).ok_or_else(foreign)?;
        let cursor = Self {
            point: Point {
                as_of: Position(u64::from_be_bytes(as_of)),
                valid_at: Timestamp::from_micros(i64::from_be_bytes(valid_at)),
            },
            after: String::from_utf8(after.to_vec()).map_err(|_| foreign())?,
        };
        match head == cursor.head(query).as_slice() {
            true => Ok(cursor),
            false => Err(foreign()),
        }
    }

    fn head(&self, query: &str) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.point.as_of.0.to_be_bytes());
        bytes.extend(self.point.valid_at.as_micros().to_be_bytes());
        let mut hasher = blake3::Hasher::new_derive_key("activation-ledger list cursor");
        hasher.update(&bytes);
        for part in [query, &self.after] {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        bytes.extend(hasher.finalize().as_bytes().iter().take(CHECK_BYTES));
        bytes
    }
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(c.to_digit(16)?).ok())
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let pairs = digits.as_chunks::<2>().0.iter();
    Some(pairs.map(|[high, low]| high * 16 + low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_for_its_own_query_only_and_not_if_it_was_changed() {
        let cursor = Cursor {
            point: Point {
                as_of: Position(7),
                valid_at: Timestamp::from_micros(-5),
            },
            after: "contoso.onmicrosoft.example".to_owned(),
        };
        let text = cursor.write("tenant");
        assert_eq!(Cursor::read(&text, "tenant"), Ok(cursor));
        assert_eq!(Cursor::read(&text, "seat"), Err(QueryError::ForeignCursor));
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Cursor::read(&changed, "tenant").is_err(), "{changed}");
        }
        for wrong in ["", "é", &text[..20], &text[..text.len() - 1]] {
            assert!(Cursor::read(wrong, "tenant").is_err(), "{wrong}");
        }
    }
}
