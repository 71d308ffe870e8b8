//! The server's log: lines on standard error, each passed through the guard against secrets.

use crate::privacy::scrub;
use std::io::{self, Write};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Nothing.
    Off,
    /// What went wrong in the server.
    Error,
    /// Also answers that failed.
    Warn,
    /// Also every request.
    Info,
    /// Also what the libraries say.
    Debug,
    /// Everything.
    Trace,
}

/// Starts the log of this process. A log that was started before stays.
pub fn start(level: Level) {
    let level = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .with_writer(Guarded);
    // An error means that there is a log already.
    let _ = log.try_init();
}

/// Standard error behind the guard.
struct Guarded;

impl<'a> MakeWriter<'a> for Guarded {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Write for Guarded {
    /// Writes a line; a line comes in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = scrub(&String::from_utf8_lossy(line));
        io::stderr().lock().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
