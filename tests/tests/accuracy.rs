//! The audit against simulated histories whose mistakes are known: small, on one seed, against
//! the bars of the issue; `accuracy` (tests/src/bin) measures more seeds.

use replay::audit::rules::Rule;
use std::sync::LazyLock;
use tests::accuracy::{Fate, Settings, Tally, measure};
use tools::simulate::noise::Noise;

fn run() -> [Tally; 2] {
    let settings = Settings {
        seeds: vec![11],
        customers: 26,
        months: 13,
        wrong_ppm: 1_000_000,
    };
    let tallies = measure(&settings, &[Noise::NONE, Noise::DEFAULT]);
    tallies.try_into().expect("a tally for each noise")
}

static RUN: LazyLock<[Tally; 2]> = LazyLock::new(run);

fn quiet() -> &'static Tally {
    &RUN[0]
}

fn noisy() -> &'static Tally {
    &RUN[1]
}

#[test]
fn with_noise_off_every_mistake_is_found_and_nothing_else_is_accused() {
    for (kind, marks) in &quiet().rules {
        assert!(marks.decidable > 0, "W{kind} never happened");
    }
    let below = quiet().below(1.0, 1.0);
    assert!(below.is_empty(), "{below:#?}: {:#?}", quiet().notes);
}

#[test]
fn with_the_default_noise_the_bars_hold_over_all_and_for_every_rule() {
    let below = noisy().below(0.97, 0.90);
    assert!(below.is_empty(), "{below:#?}: {:#?}", noisy().notes);
}

#[test]
fn a_mistake_without_evidence_is_never_called_clean() {
    let clean = noisy().without_evidence.get(&Fate::Clean);
    assert_eq!(clean, None, "{:#?}", noisy().notes);
}

#[test]
fn every_miss_and_every_false_alarm_has_a_line_of_its_own() {
    for tally in [quiet(), noisy()] {
        let all = tally.all();
        let lines = |word: &str| tally.notes.iter().filter(|n| n.starts_with(word)).count();
        assert_eq!(lines("missed"), all.missed());
        assert_eq!(lines("false"), all.false_alarms());
        let by_noise: usize = tally.families.values().map(|of| of.by_noise).sum();
        assert_eq!(lines("noise"), by_noise);
        for kind in tally.rules.keys() {
            let code = format!("WTR{kind:03}");
            let marks = tally.rules[kind];
            let is_known = Rule::of_code(&code).is_some();
            assert!(is_known || marks.right == 0, "{code}");
        }
    }
}
