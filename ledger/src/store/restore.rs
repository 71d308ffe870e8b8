//! Restoring: a new store of a backup.

use super::checkpoints;
use super::copying::{Copying, Watch};
use super::directory::Directory;
use super::error::StoreError;
use super::incarnation::{Incarnation, NewIncarnation, begin};
use super::making::make_beside;
use super::manifest::{Form, Manifest};
use super::open::{DEFAULT_ENGINE, make_log};
use crate::event::word::IncarnationCause;
use crate::id::Position;
use crate::log::journal;
use std::path::Path;

/// Makes a store at `to`, where nothing may be, of the backup at `from`, which is not changed: the same
/// frames, each checked, up to where the backup reaches. Its vault stays valid. The new store is durable
/// when this returns, and not there at all before. Costs one pass over the backup.
pub fn restore(
    from: &Path,
    to: &Path,
    new: &NewIncarnation,
    watch: Watch<'_>,
) -> Result<Incarnation, StoreError> {
    let manifest = Manifest::read_form(from, Form::Backup)?;
    let reached = manifest.reached;
    let engine = new.engine.unwrap_or(DEFAULT_ENGINE);
    make_beside(to, manifest.store_id, |making| {
        let log = make_log(making, engine)?;
        let mut copy = Copying::into(log, &|_| None);
        for frame in journal::read(&Directory::log(from), Position(0), reached)? {
            let frame = frame?;
            copy.add(&frame)?;
            watch(frame.last(), reached);
        }
        let end = copy.log.end();
        if end != reached {
            return Err(StoreError::Shorter { end, reached });
        }
        checkpoints::hand_down(from, making, manifest.incarnation, reached)?;
        let new = NewIncarnation {
            engine: Some(engine),
            ..new.clone()
        };
        begin(making, copy, manifest, IncarnationCause::Restored, &new)
    })
}
