//! Mistakes in simulated histories: every kind of the W list is told, labelled, and comes with twice
//! as many innocent scenes that look like it; the noise is what its profile says; and a label says of
//! the evidence what the lines say.

use ledger::event::json::read_fact;
use ledger::secret::PublicKeyring;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;
use tools::simulate::label::{Label, Role};
use tools::simulate::mistake::{ALIKE_PER_MISTAKE, MISTAKES};
use tools::simulate::noise::Noise;
use tools::simulate::{Plan, Simulation, Trouble, generate, write_with};

fn plan(seed: u64, customers: u32) -> Plan {
    Plan {
        seed,
        customers,
        months: 14,
        start: Plan::default_start(),
    }
}

/// Every landing brings a mistake, so that a small run has all of them.
fn trouble(noise: Noise) -> Trouble {
    Trouble {
        wrong_ppm: 1_000_000,
        noise,
    }
}

struct Run {
    lines: Vec<String>,
    events: Vec<Value>,
    labels: Vec<Label>,
}

fn run(noise: Noise) -> Run {
    run_of(5, noise)
}

fn run_of(seed: u64, noise: Noise) -> Run {
    let mut simulation = Simulation::new(plan(seed, 44), trouble(noise));
    let lines: Vec<String> = simulation.by_ref().collect();
    let events = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    Run {
        events: events.collect(),
        labels: simulation.take_labels(),
        lines,
    }
}

static QUIET: LazyLock<Run> = LazyLock::new(|| run(Noise::NONE));
static NOISY: LazyLock<Run> = LazyLock::new(|| run(Noise::DEFAULT));

#[test]
fn the_registry_is_the_list_of_the_domain() {
    let numbers: Vec<u8> = MISTAKES.iter().map(|mistake| mistake.number).collect();
    assert_eq!(numbers, (1..=27).collect::<Vec<u8>>());
    let mut scenes = HashSet::new();
    for mistake in MISTAKES {
        assert!(!mistake.wrong.is_empty() && !mistake.alike.is_empty());
        for act in mistake.wrong.iter().chain(mistake.alike) {
            assert!(scenes.insert((mistake.number, act.name)), "{}", act.name);
            assert!(!act.also.contains(&mistake.number), "{}", act.name);
        }
    }
}

#[test]
fn every_scene_of_every_kind_is_told_and_look_alikes_come_twice_as_often() {
    for run in [&*QUIET, &*NOISY] {
        let mut told: BTreeMap<(u8, Role), usize> = BTreeMap::new();
        let mut scenes = BTreeSet::new();
        for label in &run.labels {
            *told.entry((label.kind, label.role)).or_default() += 1;
            scenes.insert((label.kind, label.scene));
        }
        for mistake in MISTAKES {
            let of = |role| told.get(&(mistake.number, role)).copied().unwrap_or(0);
            assert!(of(Role::Mistake) > 0, "W{}", mistake.number);
            assert_eq!(
                of(Role::LookAlike),
                ALIKE_PER_MISTAKE * of(Role::Mistake),
                "W{}",
                mistake.number
            );
            for act in mistake.wrong.iter().chain(mistake.alike) {
                let scene = (mistake.number, act.name);
                assert!(scenes.contains(&scene), "never told: {scene:?}");
            }
        }
    }
}

#[test]
fn the_rate_is_the_share_of_the_landings_that_bring_a_mistake() {
    let count = |wrong_ppm| {
        let trouble = Trouble {
            wrong_ppm,
            noise: Noise::NONE,
        };
        let mut simulation = Simulation::new(plan(9, 30), trouble);
        simulation.by_ref().for_each(drop);
        let labels = simulation.take_labels();
        labels.iter().filter(|l| l.role == Role::Mistake).count()
    };
    let (all, half) = (count(1_000_000), count(500_000));
    assert_eq!(count(0), 0);
    assert!(
        (all * 2 / 5..=all * 3 / 5).contains(&half),
        "{half} of {all}"
    );
}

#[test]
fn without_trouble_the_lines_are_those_of_the_plain_generator() {
    let plain: Vec<String> = generate(plan(5, 44)).collect();
    let same: Vec<String> = Simulation::new(plan(5, 44), Trouble::NONE).collect();
    assert_eq!(plain, same);
    assert!(plain.len() < QUIET.lines.len());
}

#[test]
fn the_same_seed_gives_the_same_lines_and_the_same_labels() {
    let bytes = |seed| {
        let (mut lines, mut labels) = (Vec::new(), Vec::new());
        let trouble = trouble(Noise::DEFAULT);
        write_with(plan(seed, 12), trouble, &mut lines, &mut labels).unwrap();
        (lines, labels)
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn every_line_reads_and_every_label_is_a_line_of_json() {
    // The lines of the scenes are those that name their customers; the ordinary ones are read in
    // `simulate.rs`.
    let told = |line: &str| {
        let number = line
            .find("cust-000")
            .and_then(|at| line.get(at + 8..at + 11));
        number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 44))
    };
    let mut read = 0;
    for (line, event) in NOISY.lines.iter().zip(&NOISY.events) {
        let scene = told(line) || line.contains("-warehouse");
        if scene {
            read_fact(event, &mut PublicKeyring).unwrap_or_else(|e| panic!("{e:?}: {line}"));
            read += 1;
        }
    }
    assert!(read > 2000, "{read}");
    for run in [&*QUIET, &*NOISY] {
        for label in &run.labels {
            let value: Value = serde_json::from_str(&label.line()).unwrap();
            assert_eq!(value["role"], label.role.as_str());
            assert_eq!(value["kind"], format!("W{}", label.kind));
            assert_eq!(value["decidable"], label.is_decidable());
        }
    }
}

#[test]
fn a_label_names_what_the_lines_hold() {
    let mut redeemed: HashMap<&str, &Value> = HashMap::new();
    let mut reached: HashSet<(&str, &str)> = HashSet::new();
    let mut machines: HashSet<&str> = HashSet::new();
    for event in &QUIET.events {
        let data = &event["data"];
        let text = |name: &str| data[name].as_str();
        match event["kind"].as_str().unwrap() {
            "KeysRedeemed" => {
                redeemed.insert(text("redemption").unwrap(), data);
            }
            "ServicesBoundToTenant" | "ServicesAutoAssigned" | "BypassTransitioned" => {
                reached.insert((text("license_id").unwrap(), text("tenant").unwrap()));
            }
            "TenantRemapped" => {
                for moved in data["moves"].as_array().unwrap() {
                    let license = moved["license_id"].as_str().unwrap();
                    reached.insert((license, moved["to"].as_str().unwrap()));
                }
            }
            "LicenseStateObserved" => {
                machines.insert(text("machine").unwrap());
            }
            _ => {}
        }
    }
    for label in &QUIET.labels {
        let of = &label.subject;
        if let Some(redemption) = &of.redemption {
            let data = redeemed[redemption.as_str()];
            assert_eq!(data["tenant"], of.tenant.as_str(), "{label:?}");
            assert_eq!(data["license_id"], of.license_id.as_str(), "{label:?}");
            assert_eq!(data["order"].as_str(), of.order.as_deref(), "{label:?}");
            for (key, last5) in data["keys"].as_array().unwrap().iter().zip(&of.keys_last5) {
                assert!(key["key"].as_str().unwrap().ends_with(last5), "{label:?}");
            }
        } else if let Some(machine) = &of.machine {
            assert!(machines.contains(machine.as_str()), "{label:?}");
        } else {
            let landing = (of.license_id.as_str(), of.tenant.as_str());
            assert!(reached.contains(&landing), "{label:?}");
        }
    }
}

#[test]
fn with_noise_off_all_evidence_is_there_except_what_no_record_ever_says() {
    for label in &QUIET.labels {
        let never_said = label.scene.contains("nothing in the record says")
            || label.scene.contains("which nothing says");
        assert_eq!(label.is_decidable(), !never_said, "{label:?}");
    }
}

#[test]
fn a_label_misses_the_sign_in_exactly_where_the_lines_do() {
    let (mut there, mut missing) = (0, 0);
    for seed in 5..11 {
        let run = run_of(seed, Noise::DEFAULT);
        let started = run.events.iter().filter(|e| e["kind"] == "SessionStarted");
        let started: HashSet<&str> = started
            .filter_map(|event| event["data"]["session"].as_str())
            .collect();
        for label in &run.labels {
            let need = label.needs.iter().find(|need| need.what == "the sign-in");
            let Some(need) = need else { continue };
            let session = label.subject.session.as_deref().unwrap();
            assert_eq!(need.met, started.contains(session), "{label:?}");
            match need.met {
                true => there += 1,
                false => missing += 1,
            }
        }
    }
    assert!(there > 0 && missing > 0, "{there} there, {missing} missing");
}

#[test]
fn the_default_noise_is_what_its_profile_says() {
    let share = |part: usize, of: usize| part as f64 / of as f64;
    let sessions = |kind: &str| -> HashSet<&str> {
        let of_kind = NOISY.events.iter().filter(|event| event["kind"] == kind);
        of_kind
            .filter_map(|e| e["data"]["session"].as_str())
            .collect()
    };
    // Ordinary sessions are started and ended; the end is never lost.
    let (started, ended) = (sessions("SessionStarted"), sessions("SessionEnded"));
    let lost = share(ended.difference(&started).count(), ended.len());
    assert!((0.17..0.23).contains(&lost), "{lost} of the sign-ins lost");

    let mut seen = HashSet::new();
    let mut again = 0;
    for event in &NOISY.events {
        let key = (
            event["source"]["record"].as_str(),
            event["data"].to_string(),
        );
        again += usize::from(!seen.insert(key));
    }
    let again = share(again, seen.len());
    assert!(
        (0.37..0.43).contains(&again),
        "{again} of the records come again"
    );

    let by_another = NOISY.events.iter().filter(|event| {
        let system = event["source"]["system"].as_str().unwrap();
        system.ends_with("-warehouse")
    });
    assert!(by_another.count() > 50);
}
