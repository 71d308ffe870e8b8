//! Reads a whole store: the judge of the damage tests.
//!
//! `store_reader STORE` prints how many events it read; it ends with 3 and the error if it cannot
//! read them all.

use ledger::id::Position;
use ledger::store::StoreError;
use std::path::Path;
use tests::stores::try_open;

fn read(path: &Path) -> Result<usize, StoreError> {
    let store = try_open(path)?;
    let mut events = 0;
    for event in store.read(Position(0)) {
        event?;
        events += 1;
    }
    Ok(events)
}

fn main() {
    let path = std::env::args_os()
        .nth(1)
        .expect("usage: store_reader STORE");
    match read(Path::new(&path)) {
        Ok(events) => println!("{events}"),
        Err(error) => {
            eprintln!("{error}\n{}", error.hint());
            std::process::exit(3);
        }
    }
}
