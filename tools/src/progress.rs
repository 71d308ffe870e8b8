//! The progress bar: on a terminal only, and only if the work takes longer than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(1);

/// How far a piece of work has come, in bytes.
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
        let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::hidden());
        let template = "{msg} [{bar:32}] {bytes}/{total_bytes} {eta}";
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
