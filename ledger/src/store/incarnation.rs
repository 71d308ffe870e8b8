//! Incarnations: a store that was made anew from a backup, or from what was left of a damaged one. It has
//! the identity of the one before, so that its vault stays valid, and says in its log that it is another.

use super::copying::{Copying, count};
use super::directory::Directory;
use super::error::StoreError;
use super::manifest::{Form, Manifest};
use crate::event::field::Count;
use crate::event::kinds::IncarnationBegun;
use crate::event::word::IncarnationCause;
use crate::event::{Event, Fact, Source};
use crate::files;
use crate::id::{EventId, Name, Position};
use crate::log::{Epoch, Frame, LogError};
use crate::secret::PepperId;
use crate::time::{Occurred, Timestamp};
use std::path::Path;

/// What the ids of these events are made for.
const ID_CONTEXT: &str = "activation-ledger 2025 id of the event that an incarnation begins with";

/// What a new incarnation is made with.
#[derive(Debug, Clone)]
pub struct NewIncarnation {
    /// The engine that keeps its log; `None` for the one of its source.
    pub engine: Option<&'static str>,
    /// The program that makes it: the source of the event that says so.
    pub by: Name,
    /// The present instant.
    pub now: Timestamp,
    /// What whoever makes it has to say.
    pub note: Option<Name>,
    /// What the store is, from its vault, for when its manifest cannot be read.
    pub identity: Option<Identity>,
}

/// What a store is, whatever became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub store_id: [u8; 16],
    /// The pepper that its facts are protected with.
    pub pepper: PepperId,
}

/// A new incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incarnation {
    /// Which one it is; that of a new store is the first.
    pub number: u32,
    /// How far its source had reached, as far as that is known.
    pub reached: Position,
    /// The positions whose events are lost: first and last of each range, in order.
    pub lost: Vec<(Position, Position)>,
    /// The position of the event that it begins with, its last one.
    pub end: Position,
}

/// Appends the event that an incarnation begins with, makes its log durable, and writes its manifest.
/// `manifest` is that of its source.
pub(super) fn begin(
    directory: &Path,
    mut copy: Copying<'_>,
    manifest: Manifest,
    cause: IncarnationCause,
    new: &NewIncarnation,
) -> Result<Incarnation, StoreError> {
    let reached = copy.log.end();
    let number = manifest.incarnation.saturating_add(1);
    let recorded_at = copy.recorded_at();
    let epoch = Epoch(manifest.epoch.max(copy.epoch).0 + 1);
    let event = Event {
        position: reached.next(),
        recorded_at: recorded_at.map_or(new.now, |recorded_at| recorded_at.max(new.now)),
        fact: fact(&manifest, &copy, cause, new),
    };
    let position = event.position;
    let stored = event.encode_checked();
    let stored = stored.map_err(|error| StoreError::Event { position, error })?;
    let frame = Frame::new(epoch, position, &[stored]);
    let frame = frame.map_err(|error| LogError::Frame { position, error })?;
    copy.log.append(&frame)?;
    copy.log.sync()?;
    copy.log.close()?;
    let lost = std::mem::take(&mut copy.lost);
    drop(copy);
    files::sync_everything(&Directory::log(directory))?;
    let begun = Manifest {
        form: Form::Store,
        incarnation: number,
        engine: new.engine.map_or(manifest.engine, str::to_owned),
        epoch,
        reached: position,
        is_open: false,
        lost: lost.clone(),
        ..manifest
    };
    begun.write(directory)?;
    Ok(Incarnation {
        number,
        reached,
        lost,
        end: position,
    })
}

fn fact(
    manifest: &Manifest,
    copy: &Copying<'_>,
    cause: IncarnationCause,
    new: &NewIncarnation,
) -> Fact {
    let incarnation = manifest.incarnation.saturating_add(1);
    let reached = copy.log.end();
    let mut hasher = blake3::Hasher::new_derive_key(ID_CONTEXT);
    hasher.update(&manifest.store_id);
    hasher.update(&incarnation.to_le_bytes());
    hasher.update(&reached.0.to_le_bytes());
    hasher.update(&new.now.as_micros().to_le_bytes());
    let id = hasher.finalize();
    let payload = IncarnationBegun {
        incarnation: Count(incarnation),
        cause,
        reached,
        lost: Position(count(&copy.lost)),
        note: new.note.clone(),
    };
    Fact {
        id: EventId(id.as_bytes().first_chunk().copied().unwrap_or_default()),
        occurred_at: Occurred::at(new.now),
        observed_at: None,
        actor: None,
        source: Source {
            system: new.by.clone(),
            record: None,
        },
        correlation: None,
        causation: None,
        corrects: None,
        policies: Vec::new(),
        payload: payload.into(),
    }
}
