//! The thread that writes tiles, and which blocks there are.

use super::block::Block;
use super::kept::{BlockError, Kept};
use super::manifest::{self, FILE, SEEN_TITLE};
use super::shelf::{Shelf, database_name};
use super::write::write_block;
use super::{BlockSize, TileError, TilesState};
use crate::files::{self, FileError};
use crate::id::Position;
use crate::log::CommitLog;
use crate::sealed::Seen;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Keeps the tiles of one store. Nothing is written before [`TileKeeper::reached`] was called or
/// [`TileKeeper::write_missing`] is.
pub(crate) struct TileKeeper {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Core {
    shelf: Arc<Shelf>,
    log: Arc<dyn CommitLog>,
    state: Mutex<State>,
    changed: Condvar,
    /// How far the log is durable, as far as the thread was told.
    end: AtomicU64,
    /// The position from which on the thread has something to do.
    due: AtomicU64,
    /// Held by whoever writes.
    writing: Mutex<Writing>,
}

struct State {
    /// By number in the log.
    blocks: BTreeMap<u64, Arc<Block>>,
    doubt: Option<String>,
    closing: bool,
}

impl State {
    /// The number of the first block that is not there.
    fn first_missing(&self) -> u64 {
        let numbers = self.blocks.keys().copied();
        let gap = (0..).zip(numbers).find(|(wanted, found)| wanted != found);
        gap.map_or(self.blocks.len() as u64, |(wanted, _)| wanted)
    }
}

struct Writing {
    next_database: u64,
    /// Whether the blocks that were there were checked and the rest of the folder was cleared.
    settled: bool,
}

impl TileKeeper {
    /// The tiles of a log in the directory of its store. Costs reading one file; the blocks are looked at
    /// when they are needed.
    pub(crate) fn open(
        store: &Path,
        store_id: [u8; 16],
        size: BlockSize,
        log: Arc<dyn CommitLog>,
    ) -> Self {
        let shelf = Arc::new(Shelf::new(store, store_id, size));
        let whole_blocks = log.end().0 / size.leaves();
        let (listed, doubt) = match manifest::read(&shelf.directory, store_id, size) {
            Ok(Some(listed)) => (listed, None),
            Ok(None) if whole_blocks == 0 => (BTreeMap::new(), None),
            Ok(None) => (BTreeMap::new(), Some("there are none".to_owned())),
            Err(reason) => (BTreeMap::new(), Some(format!("their manifest: {reason}"))),
        };
        if let Some(reason) = &doubt {
            tracing::warn!(reason, "all tiles are written again, by whoever appends");
        }
        let greatest = listed.values().map(|info| info.number).max();
        let blocks = listed
            .into_iter()
            .map(|(number, info)| (number, Block::new(number, info, &shelf)));
        let core = Core {
            state: Mutex::new(State {
                blocks: blocks.collect(),
                doubt,
                closing: false,
            }),
            shelf,
            log,
            changed: Condvar::new(),
            end: AtomicU64::new(0),
            due: AtomicU64::new(0),
            writing: Mutex::new(Writing {
                next_database: greatest.unwrap_or(0).saturating_add(1),
                settled: false,
            }),
        };
        core.look_ahead();
        Self {
            core: Arc::new(core),
            thread: Mutex::new(None),
        }
    }

    /// What can be computed from, at this moment.
    pub(crate) fn kept(&self) -> Kept {
        self.core.kept()
    }

    /// What is kept, and what was found to be wrong.
    pub(crate) fn state(&self) -> TilesState {
        let kept = self.core.kept().tree_size();
        TilesState {
            kept: Position(kept.0),
            doubt: self.core.state().doubt.clone(),
        }
    }

    /// The end of the last block that is listed.
    pub(crate) fn listed_until(&self) -> Position {
        let state = self.core.state();
        let last = state.blocks.last_key_value().map(|(number, _)| *number);
        last.map_or(Position(0), |last| {
            *self.core.shelf.size.positions(last).end()
        })
    }

    pub(super) fn size(&self) -> BlockSize {
        self.core.shelf.size
    }

    pub(super) fn block(&self, number: u64) -> Option<Arc<Block>> {
        self.core.state().blocks.get(&number).map(Arc::clone)
    }

    /// Drops a block that was found to be wrong; the next append has it written again.
    pub(crate) fn doubt(&self, found: &BlockError) {
        self.core.doubt(found);
    }

    /// Says that this process has appended, and up to where the log is durable. Costs two atomic
    /// operations, unless there is a block to be written.
    pub(crate) fn reached(&self, end: Position) {
        self.core.end.store(end.0, Ordering::SeqCst);
        if end.0 < self.core.due.load(Ordering::SeqCst) {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let core = Arc::clone(&self.core);
            let builder = std::thread::Builder::new().name("ledger-tree".to_owned());
            match builder.spawn(move || core.follow()) {
                Ok(started) => *thread = Some(started),
                Err(error) => self.core.give_up(&TileError::failed(error)),
            }
        }
        drop(thread);
        self.core.tell();
    }

    /// Checks every block and writes those that are missing up to a position, which has to be durable.
    /// `progress` is called with the end of each. Costs reading all databases and, for what is missing,
    /// the log.
    pub(crate) fn write_missing(
        &self,
        end: Position,
        mut progress: impl FnMut(Position),
    ) -> Result<(), TileError> {
        let core = &*self.core;
        let mut writing = core.writing();
        core.settle(&mut writing)?;
        while let Some(number) = core.missing_up_to(end) {
            core.write(number, &mut writing)?;
            progress(*core.shelf.size.positions(number).end());
        }
        Ok(())
    }

    /// Waits for the block that is being written, writes no further one, and closes what is open. The
    /// tiles can still be read.
    pub(crate) fn close(&self) {
        self.stop();
        let core = &*self.core;
        core.let_go();
    }

    fn stop(&self) {
        self.core.state().closing = true;
        self.core.tell();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that panicked has said so, and left nothing that counts.
        drop(thread.take().map(JoinHandle::join));
    }
}

impl Drop for TileKeeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread, after something was changed.
    fn tell(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    /// The number of the first block that is not there, if it ends at or before a position.
    fn missing_up_to(&self, end: Position) -> Option<u64> {
        let number = self.state().first_missing();
        (*self.shelf.size.positions(number).end() <= end).then_some(number)
    }

    /// Notes from which position on there is something to do.
    fn look_ahead(&self) {
        let next = self.shelf.size.positions(self.state().first_missing());
        self.due.store(next.end().0, Ordering::SeqCst);
    }

    /// The blocks from the first position on, the last of which was held against the log.
    fn kept(&self) -> Kept {
        loop {
            let state = self.state();
            let blocks = state.blocks.range(..state.first_missing());
            let blocks: Vec<_> = blocks.map(|(_, block)| Arc::clone(block)).collect();
            drop(state);
            let trusted = blocks.last().map(|last| last.trust(&*self.log));
            match trusted {
                None | Some(Ok(())) => return Kept::new(self.shelf.size, blocks),
                Some(Err(error)) => self.doubt(&BlockError {
                    number: blocks.len().saturating_sub(1) as u64,
                    error,
                }),
            }
        }
    }

    fn doubt(&self, found: &BlockError) {
        let BlockError { number, error } = found;
        let positions = self.shelf.size.positions(*number);
        let (first, last) = (positions.start(), positions.end());
        let reason = format!("the tiles of positions {first} to {last}: {error}");
        tracing::warn!(reason, "tiles are written again, by whoever appends");
        let mut state = self.state();
        // Its files stay until somebody writes: who only reads leaves everything as it is.
        state.blocks.remove(number);
        state.doubt.get_or_insert(reason);
        drop(state);
        self.due.store(0, Ordering::SeqCst);
    }

    /// The thread.
    fn follow(&self) {
        if let Err(error) = self.work() {
            self.give_up(&error);
        }
    }

    fn give_up(&self, error: &TileError) {
        tracing::warn!(%error, "tiles could not be written; the store goes on without them");
        self.state().closing = true;
        self.due.store(u64::MAX, Ordering::SeqCst);
    }

    fn work(&self) -> Result<(), TileError> {
        self.settle(&mut self.writing())?;
        while self.wait() {
            let mut writing = self.writing();
            // Somebody else may have written it meanwhile.
            if let Some(number) = self.missing_up_to(self.told()) {
                self.write(number, &mut writing)?;
            }
        }
        Ok(())
    }

    fn told(&self) -> Position {
        Position(self.end.load(Ordering::SeqCst))
    }

    /// Waits until there is a block to be written; `false` once none is to be written any more.
    fn wait(&self) -> bool {
        loop {
            self.look_ahead();
            let is_due = self.missing_up_to(self.told()).is_some();
            let state = self.state();
            if state.closing {
                return false;
            }
            if is_due {
                // Nobody need wake this thread while it writes.
                self.due.store(u64::MAX, Ordering::SeqCst);
                return true;
            }
            if self.told().0 < self.due.load(Ordering::SeqCst) {
                drop(self.changed.wait(state));
            }
        }
    }

    /// Checks the files of the blocks that were there, and removes what else is in the folder: databases
    /// that were being written when the process was killed, or that were dropped.
    fn settle(&self, writing: &mut Writing) -> Result<(), TileError> {
        if writing.settled {
            return Ok(());
        }
        let directory = &self.shelf.directory;
        if !directory.is_dir() {
            files::make_directory(directory)?;
            files::sync_directory(directory.parent().unwrap_or(directory))?;
        }
        let blocks = self.state().blocks.clone();
        for (number, block) in blocks {
            if self.state().closing {
                return Ok(());
            }
            if let Err(error) = block.check() {
                self.doubt(&BlockError { number, error });
            }
        }
        let listed: Vec<_> = {
            let state = self.state();
            let numbers = state.blocks.values().map(|block| block.info.number);
            numbers.map(database_name).collect()
        };
        let failed = |error| FileError::new("clearing", directory, error);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name == FILE || Seen::is_file(&name) || listed.iter().any(|listed| name == **listed)
            {
                continue;
            }
            let removed = match entry.file_type().map_err(failed)?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            removed.map_err(failed)?;
        }
        writing.settled = true;
        Ok(())
    }

    /// Writes a block and then lists it.
    fn write(&self, number: u64, writing: &mut Writing) -> Result<(), TileError> {
        let database = writing.next_database;
        writing.next_database = database.saturating_add(1);
        let block = write_block(&self.shelf, &*self.log, number, database)?;
        let mut listed: manifest::Listed = {
            let state = self.state();
            let infos = state.blocks.iter();
            infos
                .map(|(number, block)| (*number, block.info.clone()))
                .collect()
        };
        listed.insert(number, block.info.clone());
        let Shelf {
            directory,
            store_id,
            size,
            ..
        } = &*self.shelf;
        manifest::write(directory, *store_id, *size, &listed)?;
        block.let_go();
        self.state().blocks.insert(number, block);
        self.write_seen();
        Ok(())
    }

    fn let_go(&self) {
        let blocks = self.state().blocks.clone();
        for block in blocks.values() {
            block.let_go();
        }
        if self.shelf.directory.is_dir() {
            self.write_seen();
        }
    }

    fn write_seen(&self) {
        let state = self.state();
        let numbers = state.blocks.values().map(|block| block.info.number);
        let numbers: Vec<_> = numbers.collect();
        drop(state);
        let mut seen = self.shelf.seen();
        seen.retain(|number| numbers.contains(&number));
        seen.write(&self.shelf.directory, SEEN_TITLE);
    }
}
