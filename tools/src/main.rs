//! `actl`: see the library `tools`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tools::cli::main(std::env::args_os()))
}
