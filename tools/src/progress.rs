//! The progress bar: on a terminal only, and only if the work takes longer than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::id::Position;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(1);

/// Looking at the clock costs more than counting.
const EVENTS_BETWEEN_LOOKS: u64 = 4_096;

/// How far a piece of work has come, in bytes or in events.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    waiting: bool,
    done_bytes: u64,
}

impl Progress {
    /// Begins a piece of work of that many bytes. Nothing is drawn unless standard error is a
    /// terminal.
    pub fn new(what: &'static str, total_bytes: u64) -> Self {
        Self::with(
            what,
            total_bytes,
            "{msg} [{bar:32}] {bytes}/{total_bytes} {eta}",
        )
    }

    /// Begins a piece of work of that many events, likewise.
    pub fn of_events(what: &'static str, total_events: u64) -> Self {
        Self::with(what, total_events, "{msg} [{bar:32}] {pos}/{len} {eta}")
    }

    fn with(what: &'static str, total: u64, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Self {
            bar,
            started: Instant::now(),
            waiting: std::io::stderr().is_terminal(),
            done_bytes: 0,
        }
    }

    /// The work has come to a position, and goes on to another one.
    pub fn over(&mut self, done: Position, of: Position) {
        self.show_if_slow();
        self.bar.set_length(of.0);
        self.bar.set_position(done.0);
    }

    /// So many events are done.
    pub fn to_event(&mut self, number: u64) {
        if number.is_multiple_of(EVENTS_BETWEEN_LOOKS) {
            self.to(number);
        }
    }

    /// The present file has been read so far.
    pub fn to(&mut self, file_bytes: u64) {
        self.show_if_slow();
        self.bar.set_position(self.done_bytes + file_bytes);
    }

    /// The present file has been read to its end.
    pub fn file_done(&mut self, file_bytes: u64) {
        self.done_bytes += file_bytes;
        self.to(0);
    }

    fn show_if_slow(&mut self) {
        if self.waiting && self.started.elapsed() >= PATIENCE {
            self.waiting = false;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
