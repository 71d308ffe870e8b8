//! Appends to a store until it is killed: the victim of the crash tests.
//!
//! `store_writer STORE WITNESS` writes to WITNESS, synced, how many appends were acknowledged.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use tests::stores::{open, sequence};

/// How many appends are on their way at once.
const PENDING_MAX: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(store), Some(witness)) = (arguments.next(), arguments.next()) else {
        panic!("usage: store_writer STORE WITNESS");
    };
    let store = open(Path::new(&store));
    let witness = OpenOptions::new().append(true).create(true).open(witness);
    let mut witness = witness.expect("the witness can be written");
    let mut pending = VecDeque::new();
    for append in sequence::from_end(store.end()) {
        let facts = sequence::facts(append);
        let answer = store.submit(facts, vec![], ledger::store::Known::Refuse);
        pending.push_back((append, answer));
        if pending.len() > PENDING_MAX {
            let (append, answer) = pending.pop_front().expect("it is not empty");
            answer.wait().expect("the append is taken");
            writeln!(witness, "{append}").expect("the witness can be written");
            witness.sync_data().expect("the witness can be synced");
        }
    }
}
