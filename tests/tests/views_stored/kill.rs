//! Views whose process is killed while it takes in what is new.

use crate::{SMALL, append, caught_up, check, gathered, shuffled};
use ledger::id::Position;
use ledger::lists::RunSize;
use projections::stored::{Sizes, Views};
use tests::stores::{Place, create, open};

/// Longer runs, since the whole of it is done many times.
const KILLED: Sizes = Sizes {
    runs: RunSize {
        full: 64,
        ..SMALL.runs
    },
    ..SMALL
};

/// The process that is killed: it makes the views again and again until then.
#[test]
#[ignore = "it is started by the test below, and ends only when it is killed"]
fn victim() {
    let path = std::env::var_os("VIEWS_VICTIM").expect("the path of a store is given");
    let path = std::path::PathBuf::from(path);
    let store = open(&path);
    loop {
        let views = Views::open_with(&store, KILLED).expect("views can be opened");
        println!("from {}", views.end());
        caught_up(&views);
        views.close().expect("views can be closed");
        drop(views);
        std::fs::remove_dir_all(path.join("views")).expect("a folder can be removed");
    }
}

type Said = std::io::BufReader<std::process::ChildStdout>;

fn start_victim(place: &Place) -> (std::process::Child, Said) {
    let itself = std::env::current_exe().expect("a test knows itself");
    let mut victim = std::process::Command::new(itself)
        .args(["--exact", "kill::victim", "--ignored", "--nocapture"])
        .env("VIEWS_VICTIM", place.store())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the victim can be started");
    let output = victim.stdout.take().expect("it has an output");
    (victim, std::io::BufReader::new(output))
}

fn wait_until_it_begins(said: &mut Said) {
    let mut line = String::new();
    while !line.contains("from ") {
        line.clear();
        let read = std::io::BufRead::read_line(said, &mut line);
        assert!(read.expect("it can be read") > 0, "the victim ended");
    }
}

#[test]
fn wherever_catching_up_is_killed_the_views_are_the_same_afterwards() {
    let place = Place::new();
    let store = create(&place.store());
    append(&store, &shuffled(8));
    let histories = gathered(&store);
    store.close().expect("the store can be closed");
    // How long it takes to make them all says when to kill, however busy the machine is.
    let (mut victim, mut said) = start_victim(&place);
    wait_until_it_begins(&mut said);
    let start = std::time::Instant::now();
    wait_until_it_begins(&mut said);
    let round = start.elapsed();
    victim.kill().expect("the victim can be killed");
    victim.wait().expect("the victim has ended");
    let (mut begun, mut whole) = (0, 0);
    for number in 0..12 {
        let (mut victim, mut said) = start_victim(&place);
        wait_until_it_begins(&mut said);
        // Wherever it is then: opening, reading, writing a run, merging, or closing.
        std::thread::sleep(round * number / 12);
        victim.kill().expect("the victim can be killed");
        victim.wait().expect("the victim has ended");
        let store = open(&place.store());
        let views = Views::open_with(&store, KILLED).expect("views can be opened");
        begun += usize::from(views.end() > Position(0));
        whole += usize::from(views.lag() == 0);
        check(&caught_up(&views), &histories);
        drop(views);
        store.close().expect("the store can be closed");
    }
    assert!(
        begun > whole,
        "no kill was in the middle: {begun} had begun, {whole} were whole"
    );
}
