//! Appends to a store until it is done or killed: the victim of the fault trials. Its arguments are
//! those of `tests::fault::victim::Orders`.

use tests::fault::panics;
use tests::fault::victim::{self, Orders};

fn main() {
    if let Some(path) = std::env::var_os("FAULT_PANICS") {
        panics::count_in(path.into());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let orders = Orders::parse(&arguments).expect("the arguments are orders");
    let trace = std::env::var_os("FAULT_TRACE").map(Into::into);
    let done = victim::run(&orders, trace);
    // Threads of sled's may still be at work; the preloaded library lets nobody end within an operation.
    std::process::exit(i32::from(!done));
}
