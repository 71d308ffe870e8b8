//! Plants each bug of `tests/mutants` in a copy of the tree, builds it, makes trials, and says which bugs
//! they catch. `store_mutants [NAME...]`; it ends with 1 if one is not caught, or if the trials fail
//! without any bug. The copies are built in `target/mutants`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use tests::fault::mutant::{self, Mutant};
use tests::fault::trial::Kind;

const CRATES: &[&str] = &["ledger", "projections", "replay", "tools", "tests"];

/// Copies the tree, without what was built.
fn copy_tree(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    fs::create_dir_all(to).expect("a folder can be made");
    for name in CRATES {
        copy_sources(&from.join(name), &to.join(name));
    }
    for name in ["Cargo.toml", "Cargo.lock"] {
        fs::copy(from.join(name), to.join(name)).expect("a file can be copied");
    }
}

fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the tree can be listed") {
        let entry = entry.expect("the tree can be listed");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true if entry.file_name() == "target" => {}
            true => copy_sources(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a file can be copied")),
        }
    }
}

fn build(tree: &Path, target: &Path) -> bool {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "-p", "tests"]);
    cargo.args([
        "--bin",
        "store_trials",
        "--bin",
        "store_writer",
        "--bin",
        "store_checker",
    ]);
    cargo.args(["--example", "interpose"]);
    cargo.current_dir(tree).env("CARGO_TARGET_DIR", target);
    cargo.status().is_ok_and(|status| status.success())
}

/// Makes the trials of a mutant with what was built; says what the first of them says that failed.
fn trials(mutant: &Mutant, target: &Path) -> Option<String> {
    let mut command = Command::new(target.join("debug/store_trials"));
    for kind in Kind::ALL {
        let count = match kind.name() == mutant.trials.0 {
            true => mutant.trials.1,
            false => 0,
        };
        let name = kind.name().to_uppercase().replace('-', "_");
        command.env(format!("FAULT_{name}"), count.to_string());
    }
    command
        .env("FAULT_ENGINE", &mutant.engine)
        .env("FAULT_PLANS", &mutant.plan);
    let output = command
        .stderr(Stdio::null())
        .output()
        .expect("the trials can be made");
    let said = String::from_utf8_lossy(&output.stdout);
    let failures = said.split_once("\n\n").map(|(_, failures)| failures);
    let failure = failures.and_then(|failures| failures.lines().next());
    let failure = failure.unwrap_or("they ended badly");
    (!output.status.success()).then(|| failure.chars().take(300).collect())
}

fn main() -> ExitCode {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tree is above");
    let folder = tree.join("target/mutants");
    let (copied, target) = (folder.join("tree"), folder.join("target"));
    let asked: BTreeSet<String> = std::env::args().skip(1).collect();
    let chosen = |mutant: &Mutant| asked.is_empty() || asked.contains(&mutant.name);
    let mutants: Vec<_> = mutant::all().into_iter().filter(chosen).collect();
    let mut well = true;

    copy_tree(tree, &copied);
    assert!(build(&copied, &target), "the tree can be built");
    let mut tried = BTreeSet::new();
    for mutant in &mutants {
        let what = (
            mutant.engine.clone(),
            mutant.trials.clone(),
            mutant.plan.clone(),
        );
        if tried.insert(what)
            && let Some(failure) = trials(mutant, &target)
        {
            well = false;
            println!(
                "without any bug the trials of {} fail: {failure}",
                mutant.name
            );
        }
    }
    for mutant in &mutants {
        copy_tree(tree, &copied);
        mutant.plant(&copied).expect("the bug can be planted");
        let caught = match build(&copied, &target) {
            true => trials(mutant, &target),
            false => None,
        };
        well &= caught.is_some();
        match caught {
            Some(failure) => println!(
                "caught      {:<34} {} {failure}",
                mutant.name, mutant.trials.0
            ),
            None => println!("NOT CAUGHT  {:<34} {}", mutant.name, mutant.what),
        }
    }
    ExitCode::from(u8::from(!well))
}
