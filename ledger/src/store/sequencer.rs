//! The sequencer: the one thread that writes the end of the log.
//!
//! It takes the frame that the desk has made, writes it, makes it durable once, and only then shows it to
//! readers and answers everybody in it. What a frame holds is in no index before it is durable, so a
//! frame that failed leaves nothing behind.

use super::answer::send;
use super::append::Answer;
use super::desk::{Answered, Taken};
use super::directory::Directory;
use super::draft::Draft;
use super::error::{AppendError, StoreError};
use super::indexing::Source;
use super::read::Shared;
use crate::id::Position;
use crate::limits::MARK_AFTER;
use crate::log::{Epoch, Frame, LogError};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// The state of the sequencer thread.
pub(crate) struct Sequencer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) durable: watch::Sender<Position>,
    /// The directory whose manifest says that the store is being written; `None` in memory.
    pub(crate) directory: Option<Directory>,
    /// The epoch that this opening writes under, once it does.
    pub(crate) epoch: Option<Epoch>,
}

impl Sequencer {
    /// Makes the index ready and works until the desk is closed and empty, then closes the log cleanly.
    pub(crate) fn run(mut self, index: Source) -> Result<(), StoreError> {
        // Whatever ends this thread, nobody may wait for it.
        let shared = Arc::clone(&self.shared);
        let _guard = CloseOnDrop(&shared);
        let is_closed = || shared.desk.is_closed();
        shared.indexing.make_ready(&*shared.log, index, &is_closed);
        let mut marked = Instant::now();
        loop {
            // Only what was written since the last mark needs another one.
            match shared
                .desk
                .take(&shared, self.is_unmarked().then_some(MARK_AFTER))
            {
                Taken::Frame(draft, answers) => {
                    self.frame(&draft, answers);
                    shared.desk.take_back(draft);
                }
                Taken::Idle => {}
                Taken::Closed => break,
            }
            if marked.elapsed() >= MARK_AFTER {
                self.mark();
                marked = Instant::now();
            }
        }
        self.close()
    }

    /// Whether events were appended of which the manifest does not say that they are durable.
    fn is_unmarked(&self) -> bool {
        let reached = self
            .directory
            .as_ref()
            .map(|directory| directory.manifest.reached);
        self.epoch.is_some() && reached.is_some_and(|reached| reached < self.shared.end())
    }

    /// Says in the manifest how far the log is durable. Without it the log is as durable as with it,
    /// but what rots after a kill is not told apart from what was never there.
    fn mark(&mut self) {
        if !self.is_unmarked() || self.shared.desk.is_stopped() {
            return;
        }
        let end = self.shared.end();
        if let Some(Err(error)) = self.directory.as_mut().map(|directory| directory.mark(end)) {
            tracing::warn!(%error, "the manifest could not be written");
        }
    }

    fn close(self) -> Result<(), StoreError> {
        if let Some(tiles) = &self.shared.tiles {
            tiles.close();
        }
        if self.shared.desk.is_stopped() {
            return Ok(());
        }
        // Without an index nothing was appended.
        let Ok(index) = self.shared.indexing.get() else {
            return Ok(());
        };
        index.close()?;
        match (self.directory, self.epoch) {
            (Some(mut directory), Some(_)) => {
                self.shared.log.close()?;
                directory.close(self.shared.end())
            }
            _ => Ok(()),
        }
    }

    /// Writes a frame and answers everybody in it.
    fn frame(&mut self, draft: &Draft, answers: Vec<Answered>) {
        let end = self.shared.end();
        match self.write(draft) {
            Ok(()) => {
                self.shared.desk.settle(&self.shared, &self.durable);
                send(answers);
                if let Some(tiles) = self.shared.tiles.as_ref().filter(|_| !draft.is_empty()) {
                    tiles.reached(draft.last());
                }
                self.make_room();
            }
            Err(error) => {
                tracing::error!(%error, "a frame could not be written");
                let later = self.shared.desk.undo(end, &error);
                let answer = |(to, answer)| (to, failed(answer, end, &error));
                send(answers.into_iter().map(answer));
                let answer = |(to, answer)| (to, displaced(answer, end, &error));
                send(later.into_iter().map(answer));
            }
        }
    }

    fn write(&mut self, draft: &Draft) -> Result<(), LogError> {
        if draft.is_empty() {
            return Ok(());
        }
        let epoch = self.claim()?;
        let frame = Frame::new(epoch, draft.first(), &draft.stored());
        let frame = frame.map_err(|error| LogError::NotWritten {
            reason: error.to_string(),
        })?;
        self.shared.log.append(&frame)?;
        self.shared.log.sync()
    }

    /// The epoch to write under. The first time, the manifest is made to say that the store is
    /// being written, so that readers leave no trace and a kill is noticed.
    fn claim(&mut self) -> Result<Epoch, LogError> {
        if let Some(epoch) = self.epoch {
            return Ok(epoch);
        }
        let epoch = match &mut self.directory {
            None => Epoch(self.shared.description.epoch.0 + 1),
            Some(directory) => directory.claim().map_err(|error| LogError::NotWritten {
                reason: error.to_string(),
            })?,
        };
        self.epoch = Some(epoch);
        Ok(epoch)
    }

    fn make_room(&mut self) {
        let Ok(index) = self.shared.indexing.get() else {
            return;
        };
        if let Err(error) = index.make_room() {
            // What was acknowledged is in the log. Going on would fill the memory.
            tracing::error!(%error, "the index could not be written; nothing more is accepted");
            index.distrust();
            let stopped = self.shared.desk.stop().into_iter();
            send(stopped.map(|(to, _)| (to, Err(AppendError::Stopped))));
        }
    }
}

/// Lets nobody wait for a sequencer that is gone.
struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.desk.close();
        self.0.indexing.give_up();
        // Dropping what is left answers it.
        drop(self.0.desk.stop());
        self.0.desk.abandon();
    }
}

/// The answer to a request of a frame that failed. Only what was durable before stands; a refusal
/// may have been because of an event of this frame.
fn failed(answer: Answer, end: Position, error: &LogError) -> Answer {
    match answer {
        Ok(receipt) if receipt.last <= end => Ok(receipt),
        Ok(_) if !error.nothing_written() => Err(AppendError::Ambiguous {
            reason: error.to_string(),
        }),
        answer => displaced(answer, end, error),
    }
}

/// The answer to a request that was admitted after a frame that failed, and never written.
fn displaced(answer: Answer, end: Position, error: &LogError) -> Answer {
    match answer {
        Ok(receipt) if receipt.last <= end => Ok(receipt),
        _ if error.nothing_written() => {
            let reason = error.to_string();
            let error = LogError::NotWritten { reason };
            Err(AppendError::NotAppended(StoreError::Log(error)))
        }
        _ => Err(AppendError::Stopped),
    }
}
