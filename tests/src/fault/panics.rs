//! Panics are counted, in every thread, whoever catches them.

use std::backtrace::Backtrace;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Whether a line of a backtrace is the function at which the store catches panics of sled. With debug
/// information its name is without the module, and has the types that it was made for.
fn is_boundary(frame: &str) -> bool {
    frame.contains("sled_file::guard")
        || (frame.contains(": guard<") && frame.contains("sled_file"))
}

/// How many panics there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Panics {
    /// In a call of the store into sled: they became errors.
    pub caught: usize,
    /// Anywhere else, threads of sled's own included.
    pub loose: usize,
}

/// Makes this process note its panics in a file: where, never what was said.
pub fn count_in(path: PathBuf) {
    std::panic::set_hook(Box::new(move |panic| {
        let trace = Backtrace::force_capture().to_string();
        let sort = match trace.lines().any(is_boundary) {
            true => "caught",
            false => "loose",
        };
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        let thread = std::thread::current();
        let mut line = format!("{sort} {} {place}\n", thread.name().unwrap_or("unnamed"));
        if sort == "loose" {
            // What was said is not in it.
            let frames = trace.lines().map(|frame| format!("  {}\n", frame.trim()));
            line.extend(frames);
        }
        let file = OpenOptions::new().append(true).create(true).open(&path);
        // There is nobody to tell; the process ends badly then, which is noticed as well.
        drop(file.and_then(|mut file| file.write_all(line.as_bytes())));
        eprint!("panic: {line}");
    }));
}

/// The panics that were noted in a file.
pub fn read(path: &Path) -> Panics {
    let text = fs::read_to_string(path).unwrap_or_default();
    let count = |sort: &str| text.lines().filter(|line| line.starts_with(sort)).count();
    Panics {
        caught: count("caught "),
        loose: count("loose "),
    }
}
