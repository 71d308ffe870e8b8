//! Salvaging: a new store of everything that can still be read of a damaged one.

use super::checkpoints;
use super::copying::{Copying, LostLeaf, Watch};
use super::directory::{Directory, hold};
use super::error::{PathDisplay, StoreError};
use super::incarnation::{Incarnation, NewIncarnation, begin};
use super::making::make_beside;
use super::manifest::{self, Form, Manifest};
use super::open::{make_log, persistent};
use crate::event::word::IncarnationCause;
use crate::event::{Event, Payload};
use crate::id::Position;
use crate::index::disk;
use crate::log::{Damage, ENGINES, Engine, Epoch, StoredFrame};
use crate::tiles::{self, KeptLeaves};
use std::path::Path;

/// What was salvaged, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The store that was made.
    pub incarnation: Incarnation,
    /// The bytes of the old log that are not what was written.
    pub damage: Vec<Damage>,
}

/// Makes a store at `to`, where nothing may be, of everything that can be read of the one at `from`, which
/// is not changed: the same frames at the same positions, the whole blocks of damaged ones, and the places of the events that are lost, with
/// their leaf hashes where `leaf` or the old store's tiles know them. Its vault stays valid. The new store is durable when this
/// returns, and not there at all before.
///
/// Lost is also what the store says to have reached and what is no longer there. Costs one pass over the
/// log, two for the sled engine.
pub fn salvage(
    from: &Path,
    to: &Path,
    new: &NewIncarnation,
    leaf: LostLeaf<'_>,
    watch: Watch<'_>,
) -> Result<Salvaged, StoreError> {
    let (manifest, is_known) = match Manifest::read(from) {
        Ok(manifest) => (manifest, true),
        Err(error @ StoreError::DamagedManifest { .. }) => (stand_in(from, new, error)?, false),
        Err(error) => return Err(error),
    };
    let _lock = hold(from)?;
    let engine = persistent(from, &manifest.engine)?;
    let watermark = disk::watermark(&Directory::index(from), manifest.store_id);
    let reached = manifest
        .reached
        .max(watermark)
        .max(checkpoints::reached(from)?)
        .max(tiles::watermark(from, manifest.store_id));
    let kept = KeptLeaves::of(from, manifest.store_id);
    let kept = |position| kept.as_ref().ok()?.leaf(position);
    let leaf = |position| leaf(position).or_else(|| kept(position));
    make_beside(to, manifest.store_id, |making| {
        let mut frames = (engine.salvage)(&Directory::log(from), reached)?;
        let log = make_log(making, new.engine.unwrap_or(engine.name))?;
        let mut copy = Copying::into(log, &leaf);
        let mut manifest = manifest;
        for frame in frames.by_ref() {
            copy.add(&frame)?;
            if !is_known {
                manifest.incarnation = incarnation_in(&frame).unwrap_or(manifest.incarnation);
            }
            watch(frame.last(), reached.max(frame.last()));
        }
        copy.lose_until(reached)?;
        checkpoints::hand_down(from, making, manifest.incarnation, copy.log.end())?;
        let incarnation = begin(making, copy, manifest, IncarnationCause::Salvaged, new)?;
        Ok(Salvaged {
            incarnation,
            damage: frames.damage().to_vec(),
        })
    })
}

/// What the manifest of a store would say, as far as that is known without it.
fn stand_in(from: &Path, new: &NewIncarnation, error: StoreError) -> Result<Manifest, StoreError> {
    let Some(identity) = new.identity else {
        return Err(error);
    };
    let log = Directory::log(from);
    let holds_frames = |engine: &&Engine| {
        let frames = (engine.salvage)(&log, Position(0));
        engine.persistent && frames.is_ok_and(|mut frames| frames.next().is_some())
    };
    let engine = ENGINES.iter().find(holds_frames);
    let engine = engine.ok_or_else(|| StoreError::DamagedManifest {
        path: PathDisplay(from.join(manifest::FILE)),
        reason: "without it nothing can be read of the log".to_owned(),
    })?;
    Ok(Manifest {
        form: Form::Store,
        store_id: identity.store_id,
        incarnation: 1,
        engine: engine.name.to_owned(),
        pepper: identity.pepper,
        created_at: new.now,
        epoch: Epoch(0),
        reached: Position(0),
        is_open: true,
        lost: Vec::new(),
    })
}

/// The incarnation that begins in a frame.
fn incarnation_in(frame: &StoredFrame) -> Option<u32> {
    let positions = (frame.first().0..=frame.last().0).map(Position);
    let events = positions.filter_map(|position| Event::decode(frame.event(position)?).ok());
    let mut begun = events.filter_map(|event| match &event.payload {
        Payload::IncarnationBegun(begun) => Some(begun.incarnation.0),
        _ => None,
    });
    begun.next_back()
}
