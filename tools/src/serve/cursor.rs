//! Cursors: where a list goes on. Callers hand them back as they are.

use crate::hex;
use ledger::id::Position;
use ledger::subject::Subject;

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
const LENGTH_BYTES: usize = 1 + 8 + 8 + CHECK_BYTES;

/// Where the history of a subject goes on, and where it ends: pages of one list do not move when
/// events are appended meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last position that was given.
    pub after: Position,
    /// The last position of the list.
    pub until: Position,
}

impl Cursor {
    /// The text of a cursor in the history of a subject. It carries a check, so that a cursor that
    /// was changed or belongs to another subject is noticed; it is no secret.
    pub fn write(self, subject: &Subject) -> String {
        hex::write(&self.bytes(subject))
    }

    /// Reads what [`Cursor::write`] wrote for the same subject.
    pub fn read(text: &str, subject: &Subject) -> Option<Self> {
        let bytes = hex::read::<LENGTH_BYTES>(text)?;
        let (version, rest) = bytes.split_first()?;
        let (after, rest) = rest.split_first_chunk::<8>()?;
        let (until, _) = rest.split_first_chunk::<8>()?;
        let cursor = Self {
            after: Position(u64::from_be_bytes(*after)),
            until: Position(u64::from_be_bytes(*until)),
        };
        (*version == VERSION && cursor.bytes(subject) == *bytes.as_slice()).then_some(cursor)
    }

    fn bytes(self, subject: &Subject) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.after.0.to_be_bytes());
        bytes.extend(self.until.0.to_be_bytes());
        let mut hasher = blake3::Hasher::new_derive_key("activation-ledger history cursor");
        hasher.update(&bytes);
        hasher.update(subject.to_string().as_bytes());
        bytes.extend(hasher.finalize().as_bytes().iter().take(CHECK_BYTES));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_for_its_own_subject_only() {
        let cursor = Cursor {
            after: Position(3),
            until: Position(u64::MAX),
        };
        let subject = Subject::parse("tenant:contoso.onmicrosoft.example").unwrap();
        let text = cursor.write(&subject);
        assert_eq!(Cursor::read(&text, &subject), Some(cursor));
        let other = Subject::parse("tenant:fabrikam.onmicrosoft.example").unwrap();
        assert_eq!(Cursor::read(&text, &other), None);
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Cursor::read(&changed, &subject), None, "{changed}");
        }
        assert_eq!(Cursor::read("", &subject), None);
        assert_eq!(Cursor::read(&text[..20], &subject), None);
    }
}
