//! `actl`: see the library `tools`.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

// A store's threads let go of what other threads have allocated, all the time.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    ExitCode::from(tools::cli::main(std::env::args_os()))
}
