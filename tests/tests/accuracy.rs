//! The audit against simulated histories whose mistakes are known: small, on one seed. The bars are
//! those that hold; `accuracy` (tests/src/bin) measures more seeds against the bars of the issue.

use replay::audit::rules::Rule;
use std::sync::LazyLock;
use tests::accuracy::{Fate, Settings, Tally, measure};
use tools::simulate::noise::Noise;

/// Rules whose kind has to be found wherever its evidence is in the lines.
const COMPLETE: &[u8] = &[1, 2, 5, 6, 8, 10, 27];
/// The least precision over all rules. What is missing are first landings that were right and are
/// accused after a later one of the same customer went astray.
const PRECISION_MIN: f64 = 0.85;

fn run(noise: Noise) -> Tally {
    let settings = Settings {
        seeds: vec![11],
        customers: 26,
        months: 13,
        wrong_ppm: 1_000_000,
    };
    measure(&settings, noise)
}

static QUIET: LazyLock<Tally> = LazyLock::new(|| run(Noise::NONE));
static NOISY: LazyLock<Tally> = LazyLock::new(|| run(Noise::DEFAULT));

#[test]
fn with_noise_off_every_mistake_of_a_complete_rule_is_found() {
    for kind in COMPLETE {
        let marks = QUIET.rules[kind];
        assert!(marks.decidable > 0, "W{kind} never happened");
        assert_eq!(marks.missed(), 0, "WTR{kind:03}: {:#?}", QUIET.notes);
    }
}

#[test]
fn with_the_default_noise_most_mistakes_with_evidence_are_found() {
    let marks = COMPLETE.iter().map(|kind| NOISY.rules[kind]);
    let (found, decidable) = marks.fold((0, 0), |(found, decidable), marks| {
        (found + marks.found, decidable + marks.decidable)
    });
    assert!(decidable > 0);
    assert!(found * 100 >= decidable * 90, "{found} of {decidable}");
}

#[test]
fn few_findings_are_false_alarms() {
    for tally in [&*QUIET, &*NOISY] {
        let precision = tally.all().precision().expect("there are findings");
        assert!(
            precision >= PRECISION_MIN,
            "{precision}: {:#?}",
            tally.notes
        );
    }
}

#[test]
fn a_mistake_without_evidence_is_never_called_clean() {
    let clean = NOISY.without_evidence.get(&Fate::Clean);
    assert_eq!(clean, None, "{:#?}", NOISY.notes);
}

#[test]
fn every_miss_and_every_false_alarm_has_a_line_of_its_own() {
    for tally in [&*QUIET, &*NOISY] {
        let all = tally.all();
        let lines = |word: &str| tally.notes.iter().filter(|n| n.starts_with(word)).count();
        assert_eq!(lines("missed"), all.missed());
        assert_eq!(lines("false"), all.false_alarms());
        for kind in tally.rules.keys() {
            let code = format!("WTR{kind:03}");
            let marks = tally.rules[kind];
            let is_known = Rule::of_code(&code).is_some();
            assert!(is_known || marks.right == 0, "{code}");
        }
    }
}
