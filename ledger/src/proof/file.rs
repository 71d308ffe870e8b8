//! Proof files: a proof as one text that needs no store, only the verifier key.
//!
//! The sizes are in the checkpoints and nowhere else. The layout is in `FORMAT.md`; every proof has
//! one form only, so that reading and writing again gives the same bytes.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::leaf::{TreeHash, leaf_hash};
use super::{ProofError, VerifierKey, consistency, inclusion, text};
use crate::event::Event;
use crate::event::codec::{CodecError, EVENT_LENGTH_MAX_BYTES};
use crate::id::Position;
use crate::limits::{PROOF_FILE_LENGTH_MAX_BYTES, PROOF_NODES_MAX};
use std::fmt;

const TITLE: &str = "activation-ledger proof 1";

/// What stands before each line of a checkpoint.
const QUOTE: &str = ">";

/// A proof with all that is needed to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofFile {
    /// That an event is in the log.
    Inclusion {
        /// The position of the event.
        position: Position,
        /// The event, as it is stored.
        stored: Vec<u8>,
        /// The nodes, the lowest first.
        nodes: Vec<TreeHash>,
        /// The log.
        checkpoint: SignedCheckpoint,
    },
    /// That a log continues an earlier one.
    Consistency {
        /// The nodes, the lowest first.
        nodes: Vec<TreeHash>,
        /// The earlier log.
        from: SignedCheckpoint,
        /// The later log.
        to: SignedCheckpoint,
    },
}

/// Why a text is no proof, or a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// Not the form of a proof file.
    #[error("it is no proof of an activation ledger: {reason}")]
    Form {
        /// What is wrong.
        reason: &'static str,
    },
    /// A checkpoint is none, or is not to be believed.
    #[error("a checkpoint in it does not hold: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The nodes do not lead where they should.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The event says that it is elsewhere.
    #[error(
        "the event says that it is at position {said}, and the proof is for position {position}"
    )]
    OtherPosition {
        /// What the event says.
        said: Position,
        /// What the proof is for.
        position: Position,
    },
    /// The checkpoints are of two logs.
    #[error("its checkpoints are not of the same log")]
    OtherLog,
}

fn form(reason: &'static str) -> ProofFileError {
    ProofFileError::Form { reason }
}

impl ProofFile {
    /// Checks the signatures of the checkpoints under a key that the caller trusts, and everything
    /// that [`ProofFile::check_arithmetic`] does. Costs a hash a node.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), ProofFileError> {
        match self {
            Self::Inclusion { checkpoint, .. } => checkpoint.verify(key)?,
            Self::Consistency { from, to, .. } => {
                from.verify(key)?;
                to.verify(key)?;
            }
        }
        self.check_arithmetic()
    }

    /// Checks that the nodes lead to the roots that the checkpoints in the file name. Whoever made up
    /// the file may have made up the checkpoints too: without the key this proves nothing about a log.
    pub fn check_arithmetic(&self) -> Result<(), ProofFileError> {
        match self {
            Self::Inclusion {
                position,
                stored,
                nodes,
                checkpoint,
            } => {
                if let Ok(Event { position: said, .. }) = Event::decode(stored)
                    && said != *position
                {
                    let position = *position;
                    return Err(ProofFileError::OtherPosition { said, position });
                }
                let of = checkpoint.checkpoint();
                let leaf = leaf_hash(stored);
                Ok(inclusion::verify(leaf, *position, nodes, of.size, of.root)?)
            }
            Self::Consistency { nodes, from, to } => {
                let (from, to) = (from.checkpoint(), to.checkpoint());
                if from.origin != to.origin {
                    return Err(ProofFileError::OtherLog);
                }
                let from = (from.size, from.root);
                Ok(consistency::verify(nodes, from, (to.size, to.root))?)
            }
        }
    }

    /// The event that it proves; `None` for a proof of consistency. An error does not refute the
    /// proof: a later version of the ledger may have written the event.
    pub fn event(&self) -> Option<Result<Event, CodecError>> {
        match self {
            Self::Inclusion { stored, .. } => Some(Event::decode(stored)),
            Self::Consistency { .. } => None,
        }
    }

    /// Reads a proof file and checks its form, but nothing of what it claims.
    pub fn parse(text: &str) -> Result<Self, ProofFileError> {
        if text.len() > PROOF_FILE_LENGTH_MAX_BYTES {
            return Err(form("it is too long"));
        }
        let mut lines = Lines(text.lines());
        if lines.0.next() != Some(TITLE) {
            return Err(form("its first line is another"));
        }
        let found = match lines.value("proof")? {
            "inclusion" => {
                let position = text::number(lines.value("position")?);
                let stored = text::bytes(lines.value("event")?);
                let stored = stored.filter(|stored| stored.len() <= EVENT_LENGTH_MAX_BYTES);
                Self::Inclusion {
                    position: Position(position.ok_or(form("its position is no number"))?),
                    stored: stored.ok_or(form("its event is no base64, or too long"))?,
                    nodes: lines.nodes()?,
                    checkpoint: lines.checkpoint("checkpoint")?,
                }
            }
            "consistency" => Self::Consistency {
                nodes: lines.nodes()?,
                from: lines.checkpoint("from")?,
                to: lines.checkpoint("to")?,
            },
            _ => return Err(form("it is a proof of another kind")),
        };
        match found.to_string() == text {
            true => Ok(found),
            false => Err(form("it is not written as proofs are")),
        }
    }
}

/// Reads the lines of a proof file. What this is lenient about is noticed when the proof is written
/// again.
struct Lines<'t>(std::str::Lines<'t>);

impl<'t> Lines<'t> {
    fn value(&mut self, name: &'static str) -> Result<&'t str, ProofFileError> {
        let line = self.0.next().and_then(|line| line.strip_prefix(name));
        let value = line.and_then(|rest| rest.strip_prefix(' '));
        value.ok_or(form("a line is missing"))
    }

    fn nodes(&mut self) -> Result<Vec<TreeHash>, ProofFileError> {
        let count = text::number(self.value("nodes")?);
        let count = count.and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count <= PROOF_NODES_MAX);
        let count = count.ok_or(form("it has too many nodes, or no number of them"))?;
        let nodes = self.0.by_ref().take(count).map(TreeHash::parse);
        let nodes = nodes.collect::<Option<Vec<_>>>();
        nodes.ok_or(form("a node is no BLAKE3 hash in base64"))
    }

    fn checkpoint(&mut self, name: &'static str) -> Result<SignedCheckpoint, ProofFileError> {
        if self.0.next() != Some(name) {
            return Err(form("a checkpoint is missing"));
        }
        let mut note = String::new();
        // The next checkpoint begins with a line that is no quotation.
        while let Some(line) = self.0.clone().next().and_then(|l| l.strip_prefix(QUOTE)) {
            note.push_str(line.strip_prefix(' ').unwrap_or(line));
            note.push('\n');
            self.0.next();
        }
        Ok(SignedCheckpoint::parse(&note)?)
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        match self {
            Self::Inclusion {
                position,
                stored,
                nodes,
                checkpoint,
            } => {
                writeln!(f, "proof inclusion\nposition {position}")?;
                writeln!(f, "event {}", text::base64(stored))?;
                write_nodes(f, nodes)?;
                write_checkpoint(f, "checkpoint", checkpoint)
            }
            Self::Consistency { nodes, from, to } => {
                writeln!(f, "proof consistency")?;
                write_nodes(f, nodes)?;
                write_checkpoint(f, "from", from)?;
                write_checkpoint(f, "to", to)
            }
        }
    }
}

fn write_nodes(f: &mut fmt::Formatter<'_>, nodes: &[TreeHash]) -> fmt::Result {
    writeln!(f, "nodes {}", nodes.len())?;
    nodes.iter().try_for_each(|node| writeln!(f, "{node}"))
}

fn write_checkpoint(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    checkpoint: &SignedCheckpoint,
) -> fmt::Result {
    writeln!(f, "{name}")?;
    for line in checkpoint.to_string().lines() {
        match line.is_empty() {
            true => writeln!(f, "{QUOTE}")?,
            false => writeln!(f, "{QUOTE} {line}")?,
        }
    }
    Ok(())
}
