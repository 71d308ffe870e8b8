//! Standard output and standard error: the only places where this program prints.

use crate::error::Failure;
use crate::privacy::scrub;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};

const RED_BOLD: &str = "\u{1b}[1;31m";
const CYAN: &str = "\u{1b}[36m";
const PLAIN: &str = "\u{1b}[0m";

/// When messages are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    fn on_stderr(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !no_color && std::io::stderr().is_terminal()
            }
        }
    }
}

/// Where data goes. A reader that went away is no error: see [`Output::reader_left`].
pub struct Output {
    writer: BufWriter<Box<dyn Write>>,
    reader_left: bool,
}

impl Output {
    /// Standard output, buffered.
    pub fn stdout() -> Self {
        Self::to(Box::new(std::io::stdout()))
    }

    /// Any writer.
    pub fn to(writer: Box<dyn Write>) -> Self {
        Self {
            writer: BufWriter::with_capacity(1 << 16, writer),
            reader_left: false,
        }
    }

    /// Writes a text and a line end.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.writer.write_all(text.as_bytes());
        let written = written.and_then(|()| self.writer.write_all(b"\n"));
        self.check(written)
    }

    /// Writes a JSON value on one line.
    pub fn json_line(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        self.text(&value.to_string())
    }

    /// Writes a JSON value for people, indented.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        self.text(&format!("{value:#}"))
    }

    /// The writer itself, for those who write bytes; errors go to [`Output::check`].
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.writer
    }

    /// Hands on everything that is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.writer.flush();
        self.check(flushed)
    }

    /// Turns an error of writing into one that stops the command.
    pub fn check(&mut self, written: std::io::Result<()>) -> Result<(), Failure> {
        written.map_err(|error| {
            self.reader_left |= error.kind() == ErrorKind::BrokenPipe;
            Failure::output(&error)
        })
    }

    /// Whether the reader has closed its end, so that the command ends without a complaint.
    pub fn reader_left(&self) -> bool {
        self.reader_left
    }
}

/// How wide text for people is, in characters: the terminal's width, but no less than 60 and no more
/// than 120; 100 where standard output is no terminal, so that a report is the same everywhere.
pub fn width() -> usize {
    let terminal = std::io::stdout()
        .is_terminal()
        .then(terminal_size::terminal_size);
    let columns = terminal.flatten().map_or(100, |(width, _)| width.0);
    usize::from(columns).clamp(60, 120)
}

/// Prints a message on standard error.
pub fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(stderr, "{}", scrub(text.trim_end()));
}

/// Prints an error on standard error.
pub fn complain(failure: &Failure, color: ColorChoice) {
    let text = scrub(&failure.to_string());
    let text = match color.on_stderr() {
        false => text,
        true => text
            .replacen("error:", &format!("{RED_BOLD}error:{PLAIN}"), 1)
            .replacen("\n  why:", &format!("\n  {CYAN}why:{PLAIN}"), 1)
            .replacen("\n  hint:", &format!("\n  {CYAN}hint:{PLAIN}"), 1),
    };
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}
