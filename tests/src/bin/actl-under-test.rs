//! `actl` as its own process for the tests of this crate: the same code as the program itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tools::cli::main(std::env::args_os()))
}
