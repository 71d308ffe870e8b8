//! Every bug that can be planted finds its place in the source. That the trials catch it is tried by
//! hand: `cargo run -p tests --bin store_mutants`.

use std::path::Path;
use tests::fault::mutant;
use tests::fault::plan::Plan;
use tests::fault::run::engines;
use tests::fault::trial::Kind;

#[test]
fn every_mutant_can_be_planted() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mutants = mutant::all();
    assert!(mutants.len() >= 7);
    for mutant in mutants {
        let name = &mutant.name;
        mutant
            .check(tree)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(mutant.what.ends_with('.'), "{name} says what is wrong");
        assert!(
            engines().any(|engine| engine == mutant.engine),
            "{name} has an engine"
        );
        let (kind, count) = &mutant.trials;
        assert!(
            Kind::named(kind).is_some() && *count > 0,
            "{name} has trials"
        );
        assert!(Plan::parse(&mutant.plan).is_some(), "{name} has a plan");
    }
}
