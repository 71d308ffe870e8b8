//! From arguments to an exit code: what is the same for every command.

use crate::command::Command;
use crate::error::{Failure, Outcome, exit_code};
use crate::format::Asked;
use crate::output::{ColorChoice, Output, complain};
use crate::place::Place;
use crate::session::Session;
use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

/// The activation ledger: every fact of volume-licensing activations, kept for ever and explained.
///
/// Data goes to standard output, everything else to standard error. Exit codes: 0 clean, 1 findings
/// or differences, 2 could not run, 3 integrity broken, 4 refused or conflict. Activation keys,
/// persons and machines are stored as pseudonyms. No key is ever printed, and a person or a machine
/// only with --reveal, which is recorded.
#[derive(Debug, Parser)]
#[command(name = "actl", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The folder of the store.
    #[arg(long, global = true, env = "ACTL_STORE", hide_env_values = true)]
    #[arg(value_name = "PATH", default_value = "activation-ledger")]
    store: PathBuf,

    /// The file of the vault: the pepper and the sealing keys. Default: `.vault` added to the store.
    #[arg(
        long,
        global = true,
        env = "ACTL_VAULT",
        hide_env_values = true,
        value_name = "PATH"
    )]
    vault: Option<PathBuf>,

    /// The file of the master key, under which the vault is encrypted. Default: ACTL_MASTER_KEY, which
    /// holds the key itself; else `.master-key` beside the vault.
    #[arg(
        long,
        global = true,
        env = "ACTL_MASTER_KEY_FILE",
        hide_env_values = true,
        value_name = "PATH"
    )]
    master_key: Option<PathBuf>,

    /// How the answer is written.
    #[arg(long, global = true, value_enum, default_value_t = Asked::Table)]
    format: Asked,

    /// When messages are coloured; `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
}

/// Where the last panic was. Its message is not kept, because it could hold data.
static PANIC_PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Runs the command that the arguments name and returns the exit code. Never panics.
pub fn main(arguments: impl Iterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.collect();
    guarded(|| run(&arguments)).unwrap_or_else(|failure| {
        complain(&failure, ColorChoice::Auto);
        exit_code(&Err(failure))
    })
}

/// Does some work; a panic in it is a failure that says where it was, and nothing of its message.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        if let Ok(mut last) = PANIC_PLACE.lock() {
            *last = place;
        }
    }));
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let place = PANIC_PLACE.lock().ok().and_then(|place| place.clone());
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        let place = place
            .rsplit_once("/src/")
            .map_or(place.as_str(), |(_, file)| file);
        Failure::new(
            "actl stopped because of a mistake in it",
            format!("a check failed at {place}"),
            "please report this line; what was acknowledged before is stored",
        )
    })
}

fn run(arguments: &[OsString]) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return parser_says(&error),
    };
    let color = cli.global.color;
    let (format, report) = cli.global.format.forms();
    let mut session = Session {
        place: Place::new(cli.global.store, cli.global.vault, cli.global.master_key),
        format,
        report,
        out: Output::stdout(),
    };
    if report.is_some() && !cli.command.has_reports() {
        let hint = "table, json and jsonl are there for every command";
        let why = "only `audit replay` writes csv, sarif and html";
        let failure = Failure::new("cannot answer in this form", why, hint);
        complain(&failure, color);
        return exit_code(&Err(failure));
    }
    let mut result = cli.command.run(&mut session);
    if let (Ok(_), Err(failure)) = (&result, session.out.flush()) {
        result = Err(failure);
    }
    if session.out.reader_left() {
        // Whoever reads has seen enough, as in `actl log | head`.
        return exit_code(&Ok(Outcome::Clean));
    }
    if let Err(failure) = &result {
        complain(failure, color);
    }
    exit_code(&result)
}

/// Prints help to standard output and errors about arguments to standard error.
fn parser_says(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let mut out = Output::stdout();
        let printed = out.text(text.trim_end()).and_then(|()| out.flush());
        return match out.reader_left() {
            true => 0,
            false => exit_code(&printed.map(|()| Outcome::Clean)),
        };
    }
    crate::output::note(&text);
    exit_code(&Err(Failure::new("", "", "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_where_it_was_and_nothing_of_its_message() {
        let before = std::panic::take_hook();
        let failure = guarded(|| panic!("Jo Blake has {}", "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2"));
        std::panic::set_hook(before);
        let text = failure.map(|()| String::new()).unwrap_err().to_string();
        assert!(text.contains("cli.rs:"), "{text}");
        assert!(!text.contains("Jo") && !text.contains("EEEE2"), "{text}");
    }
}
