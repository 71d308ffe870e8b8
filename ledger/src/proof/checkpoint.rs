//! Checkpoints: signed statements of the size and the root of a log (C2SP tlog-checkpoint).

use super::key::{SignerKey, VerifierKey};
use super::leaf::{TreeHash, TreeSize};
use super::note::{Note, NoteError};
use super::text;
use crate::id::EventId;
use std::fmt;

/// What every origin begins with. It names the hash, because a root says nothing without it.
const ORIGIN_MARK: &str = "activation-ledger/blake3/";

/// Which log: that of a store, in one of its incarnations. It is also the name of the key that signs
/// the log's checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The identity of the store.
    pub store_id: [u8; 16],
    /// How many times it was declared to begin anew, after a restore or a salvage.
    pub incarnation: u64,
}

/// The text of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many events it has.
    pub size: TreeSize,
    /// The root of the tree over them.
    pub root: TreeHash,
    /// Further lines, none of them empty. The ledger writes none.
    pub extensions: Vec<String>,
}

/// A checkpoint with the note that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: Note,
    checkpoint: Checkpoint,
}

/// Why a text is no checkpoint, or a checkpoint is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not the form of a checkpoint of an activation ledger.
    #[error("it is no checkpoint of an activation ledger: {reason}")]
    Form {
        /// What is wrong.
        reason: &'static str,
    },
    /// Not a note, or one that is not to be believed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The key belongs to another log.
    #[error("it is a checkpoint of {origin}, but the key is that of {key}")]
    OtherKey {
        /// The log.
        origin: Origin,
        /// The name of the key.
        key: String,
    },
}

fn form(reason: &'static str) -> CheckpointError {
    CheckpointError::Form { reason }
}

impl Origin {
    fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix(ORIGIN_MARK)?;
        let (store, incarnation) = match rest.split_once('/') {
            None => (rest, 0),
            Some((store, number)) => (store, text::number(number).filter(|number| *number > 0)?),
        };
        let origin = Self {
            store_id: EventId::parse(store)?.0,
            incarnation,
        };
        (origin.to_string() == line).then_some(origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ORIGIN_MARK}{}", EventId(self.store_id))?;
        match self.incarnation {
            0 => Ok(()),
            number => write!(f, "/{number}"),
        }
    }
}

impl Checkpoint {
    /// Reads the text of a checkpoint, which has one form only.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n');
        let mut lines = body.ok_or(form("its last line has no end"))?.split('\n');
        let origin = lines.next().and_then(Origin::parse);
        let size = lines.next().and_then(text::number);
        let root = lines.next().and_then(TreeHash::parse);
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(form("it has an empty line"));
        }
        Ok(Self {
            origin: origin.ok_or(form("its first line names no activation ledger"))?,
            size: TreeSize(size.ok_or(form("its second line is no size"))?),
            root: root.ok_or(form("its third line is no BLAKE3 hash in base64"))?,
            extensions,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        for line in &self.extensions {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl SignedCheckpoint {
    /// Signs a checkpoint with the key of its log. What is signed can never be taken back: nobody may
    /// sign a checkpoint that does not continue every one that was signed before.
    pub fn sign(checkpoint: Checkpoint, key: &SignerKey) -> Result<Self, CheckpointError> {
        check_name(&checkpoint, &key.verifier())?;
        let note = Note::sign(checkpoint.to_string(), key)?;
        // An extension with a line end would say something else when it is read.
        match Checkpoint::parse(note.text())? == checkpoint {
            true => Ok(Self { note, checkpoint }),
            false => Err(form("a further line holds a line end")),
        }
    }

    /// Reads a checkpoint without checking who signed it: [`SignedCheckpoint::verify`] does that.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint })
    }

    /// Checks that it was signed with the key of its log.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        check_name(&self.checkpoint, key)?;
        Ok(self.note.verify(key)?)
    }

    /// What it says, to be believed only after [`SignedCheckpoint::verify`].
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

/// The note.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}

fn check_name(checkpoint: &Checkpoint, key: &VerifierKey) -> Result<(), CheckpointError> {
    let origin = checkpoint.origin;
    let key = key.name().to_string();
    match key == origin.to_string() {
        true => Ok(()),
        false => Err(CheckpointError::OtherKey { origin, key }),
    }
}
