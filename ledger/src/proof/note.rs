//! Signed notes (C2SP signed-note): a text, an empty line, and lines of signatures.
//!
//! What stands in a note means nothing until a signature under a key that is trusted was checked.

use super::key::{KeyId, KeyName, SignerKey, VerifierKey};
use super::text;
use crate::limits::{NOTE_LENGTH_MAX_BYTES, NOTE_SIGNATURES_MAX};
use std::fmt;

/// What a line of a signature begins with: an em dash and a blank.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// A note whose form was checked, but not its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signed>,
}

/// A line of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signed {
    name: KeyName,
    id: KeyId,
    signature: Vec<u8>,
}

/// Why a text is no note, or a note is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not the form of a signed note.
    #[error("it is no signed note: {reason}")]
    Form {
        /// What is wrong.
        reason: &'static str,
    },
    /// No signature by the key that was asked about.
    #[error("it is not signed by {name} with the key {id}")]
    NotSigned {
        /// The name of the key.
        name: KeyName,
        /// The id of the key.
        id: KeyId,
    },
    /// A signature does not belong to the text, or not to the key.
    #[error("its signature by {name} does not match its text: one of both was changed")]
    WrongSignature {
        /// The name of the key.
        name: KeyName,
    },
}

fn form(reason: &'static str) -> NoteError {
    NoteError::Form { reason }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(form("it holds a control character"));
    }
    if !text.ends_with('\n') {
        return Err(form("its last line has no end"));
    }
    Ok(())
}

impl Note {
    /// Signs a text, which has to end with a line end and hold no other control characters.
    pub fn sign(text: String, key: &SignerKey) -> Result<Self, NoteError> {
        check_text(&text)?;
        let signed = Signed {
            name: key.name().clone(),
            id: key.verifier().id(),
            signature: key.sign(text.as_bytes()),
        };
        let signatures = vec![signed];
        Ok(Self { text, signatures })
    }

    /// Reads a note and checks its form, which is the only one: what it prints is what was read.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LENGTH_MAX_BYTES {
            return Err(form("it is too long"));
        }
        check_text(note)?;
        let end = note
            .rfind("\n\n")
            .ok_or(form("it has no line of a signature"))?;
        let (text, rest) = note.split_at(end + 1);
        let lines = rest.trim_start_matches('\n').lines();
        let signatures: Vec<Signed> = lines.map(Signed::parse).collect::<Result<_, _>>()?;
        if signatures.is_empty() {
            return Err(form("it has no line of a signature"));
        }
        if signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(form("it has too many signatures"));
        }
        let text = text.to_owned();
        Ok(Self { text, signatures })
    }

    /// The text, not to be believed before [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks the signatures by a key: there has to be one, and none may be wrong. Those by other
    /// keys are passed over.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let by_key = |signed: &&Signed| signed.name == *key.name() && signed.id == key.id();
        let mut signatures = self.signatures.iter().filter(by_key).peekable();
        if signatures.peek().is_none() {
            let (name, id) = (key.name().clone(), key.id());
            return Err(NoteError::NotSigned { name, id });
        }
        match signatures.all(|signed| key.verifies(self.text.as_bytes(), &signed.signature)) {
            true => Ok(()),
            false => Err(NoteError::WrongSignature {
                name: key.name().clone(),
            }),
        }
    }
}

impl Signed {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(SIGNATURE_MARK);
        let rest = rest.ok_or(form("a line after the last empty one is no signature"))?;
        let parts = rest.split_once(' ');
        let (name, signature) = parts.ok_or(form("a signature has no name"))?;
        let name = KeyName::new(name).ok_or(form("the name of a signature cannot be one"))?;
        let bytes = text::bytes(signature).ok_or(form("a signature is no base64"))?;
        let split = bytes.split_first_chunk();
        match split {
            Some((id, signature)) if !signature.is_empty() => Ok(Self {
                name,
                id: KeyId(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(form("a signature is too short")),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signed {
            name,
            id,
            signature,
        } in &self.signatures
        {
            let bytes = [id.0.as_slice(), signature].concat();
            writeln!(f, "{SIGNATURE_MARK}{name} {}", text::base64(&bytes))?;
        }
        Ok(())
    }
}
