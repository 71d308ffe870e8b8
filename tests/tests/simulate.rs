//! The generator: every bench and every try-out stands on its lines, so they have to be readable,
//! the same everywhere, of every kind, in realistic proportions, and true to their own story.

use ledger::event::json::read_fact;
use ledger::event::{Fact, KINDS, KindInfo};
use ledger::id::EventId;
use ledger::secret::PublicKeyring;
use ledger::time::{Date, Occurred, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;
use tools::simulate::{Plan, generate, write};

fn plan(seed: u64, customers: u32, months: u32) -> Plan {
    Plan {
        seed,
        customers,
        months,
        start: Plan::default_start(),
    }
}

fn read_line(line: &str) -> Fact {
    let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    read_fact(&value, &mut PublicKeyring).unwrap_or_else(|error| panic!("{error:?}: {line}"))
}

/// A run that is large enough for every kind: three customers of each storyline.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| generate(plan(7, 96, 24)).collect());

/// What the ledger makes of a line.
struct Read {
    id: EventId,
    occurred: Occurred,
    observed: Option<Timestamp>,
    subjects: usize,
}

/// The same run as the ledger reads it.
static READ: LazyLock<Vec<Read>> = LazyLock::new(|| {
    let facts = LINES.iter().map(|line| read_line(line));
    facts
        .map(|fact| Read {
            id: fact.id,
            occurred: fact.occurred_at,
            observed: fact.observed_at,
            subjects: fact.subjects().len(),
        })
        .collect()
});

/// The same run as JSON, in the order in which it happened.
static STORY: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let values = LINES.iter().map(|line| serde_json::from_str(line).unwrap());
    let mut story: Vec<Value> = values.collect();
    story.sort_by_cached_key(|event: &Value| {
        let occurred = Occurred::parse(event["occurred_at"].as_str().unwrap()).unwrap();
        let kind = KindInfo::named(event["kind"].as_str().unwrap()).unwrap();
        (occurred.start, kind.rank)
    });
    story
});

fn of_kind<'a>(kind: &'a str) -> impl Iterator<Item = &'static Value> + 'a {
    STORY.iter().filter(move |event| event["kind"] == kind)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| {
        let mut bytes = Vec::new();
        let count = write(plan(seed, 12, 10), &mut bytes).unwrap();
        assert_eq!(
            bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
            count
        );
        bytes
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

/// What no source says: the ledger itself records it when a store is restored or salvaged, and when
/// somebody erases, merges or looks at persons.
const OF_THE_STORE: &[&str] = &[
    "IncarnationBegun",
    "PersonErased",
    "PersonsMerged",
    "PersonalDataRevealed",
];

#[test]
fn every_kind_that_a_source_can_say_occurs_in_a_large_enough_run() {
    let seen: HashSet<&str> = STORY
        .iter()
        .filter_map(|event| event["kind"].as_str())
        .collect();
    let missing: Vec<&str> = KINDS
        .iter()
        .map(|kind| kind.name)
        .filter(|name| !seen.contains(name) && !OF_THE_STORE.contains(name))
        .collect();
    assert!(missing.is_empty(), "never written: {missing:?}");
}

#[test]
fn every_flow_and_every_mode_of_a_redemption_occurs() {
    let words = |kind: &str, field: &str| -> BTreeSet<String> {
        of_kind(kind)
            .map(|event| event["data"][field].as_str().unwrap().to_owned())
            .collect()
    };
    let all = |words: &[(&str, &str)]| -> BTreeSet<String> {
        words.iter().map(|(word, _)| (*word).to_owned()).collect()
    };
    use ledger::event::word::{RedemptionFlow, RedemptionMode, Scenario};
    assert_eq!(
        words("RedemptionStarted", "flow"),
        all(RedemptionFlow::WORDS)
    );
    assert_eq!(words("KeysRedeemed", "mode"), all(RedemptionMode::WORDS));
    assert_eq!(words("ScenarioAssessed", "scenario"), all(Scenario::WORDS));
}

#[test]
fn every_line_reads_no_event_comes_twice_and_four_to_six_subjects_are_usual() {
    let ids: HashSet<EventId> = READ.iter().map(|read| read.id).collect();
    assert_eq!(ids.len(), LINES.len());
    let subjects: usize = READ.iter().map(|read| read.subjects).sum();
    let average = subjects as f64 / LINES.len() as f64;
    assert!(
        (4.0..=6.0).contains(&average),
        "{average} subjects an event"
    );
}

#[test]
fn a_tenth_arrives_late_and_out_of_order() {
    let mut latest = Timestamp::from_micros(0);
    let (mut late, mut out_of_order) = (0, 0);
    for Read {
        occurred, observed, ..
    } in READ.iter()
    {
        if let Some(observed) = observed {
            late += 1;
            assert!(
                *observed > occurred.last(),
                "observed at {observed}, at {occurred}"
            );
            out_of_order += usize::from(occurred.start < latest);
        }
        latest = latest.max(occurred.start);
    }
    let share = f64::from(late) / LINES.len() as f64;
    assert!(
        (0.08..=0.12).contains(&share),
        "{share} of the events are late"
    );
    assert!(
        out_of_order * 100 > late as usize * 99,
        "late events stand out of order"
    );
}

#[test]
fn more_customers_and_more_months_give_more_events() {
    let count = |customers, months| generate(plan(3, customers, months)).count();
    let (small, wide, long) = (count(10, 8), count(20, 8), count(10, 16));
    assert!(
        0 < small && small < wide && small < long,
        "{small} {wide} {long}"
    );
    assert_eq!(count(0, 8), 0);
    assert_eq!(count(8, 0), 0);
}

#[test]
fn the_run_ends_with_its_last_month() {
    let end = Plan::default_start().plus_months(24, 1).start();
    assert!(READ.iter().all(|read| read.occurred.start < end));
}

#[test]
fn a_key_is_issued_before_it_is_redeemed_and_redeemed_once() {
    let mut issued: HashMap<&str, u64> = HashMap::new();
    let mut redeemed: HashSet<&str> = HashSet::new();
    for event in STORY.iter() {
        let data = &event["data"];
        match event["kind"].as_str().unwrap() {
            "KeyIssued" => {
                issued.insert(
                    data["key"].as_str().unwrap(),
                    data["seats"].as_u64().unwrap_or(0),
                );
            }
            "KeyReissued" => {
                assert!(redeemed.contains(data["old_key"].as_str().unwrap()));
                let seats = data["seats"].as_u64().unwrap_or(0);
                issued.insert(data["new_key"].as_str().unwrap(), seats);
            }
            "KeysRedeemed" => {
                for key in list(&data["keys"]) {
                    let name = key["key"].as_str().unwrap();
                    let seats = key["seats"].as_u64().unwrap_or(0);
                    assert_eq!(issued.get(name), Some(&seats), "{event}");
                    assert!(redeemed.insert(name), "redeemed twice: {event}");
                }
            }
            _ => {}
        }
    }
    assert!(redeemed.len() > 200);
}

/// A subscription as its redemptions say it is: seats and last day.
type Counters = HashMap<String, (u64, Date)>;

#[test]
fn seats_and_end_dates_of_redemptions_follow_the_rules() {
    let mut known: Counters = HashMap::new();
    let mut checked = 0;
    for event in STORY.iter() {
        let data = &event["data"];
        match event["kind"].as_str().unwrap() {
            "KeysRedeemed" => checked += redemption_follows(event, &mut known),
            "EndDateCorrected" => {
                let entry = known
                    .get_mut(data["subscription"].as_str().unwrap())
                    .unwrap();
                assert_eq!(
                    entry.1,
                    Date::parse(data["from"].as_str().unwrap()).unwrap()
                );
                entry.1 = Date::parse(data["to"].as_str().unwrap()).unwrap();
            }
            _ => {}
        }
    }
    assert!(checked > 200, "{checked}");
}

fn redemption_follows(event: &Value, known: &mut Counters) -> usize {
    let data = &event["data"];
    let day = Date::parse(&event["occurred_at"].as_str().unwrap()[..10]).unwrap();
    let total: u64 = list(&data["keys"])
        .filter_map(|key| key["seats"].as_u64())
        .sum();
    let (mut before_all, mut after_all, mut count) = (0, 0, 0);
    for effect in list(&data["effects"]) {
        let id = effect["subscription"].as_str().unwrap().to_owned();
        let after = effect["seats_after"].as_u64().unwrap();
        let end = Date::parse(effect["end_after"].as_str().unwrap()).unwrap();
        let was = known.insert(id, (after, end));
        let before = effect["seats_before"].as_u64();
        assert_eq!(before, was.map(|(seats, _)| seats), "{event}");
        let end_before = effect["end_before"].as_str().and_then(Date::parse);
        assert_eq!(end_before, was.map(|(_, end)| end), "{event}");
        let from_now = day.plus_months(12, day.day_of_month());
        match (data["mode"].as_str().unwrap(), end_before) {
            ("AddKeepEnd", Some(end_before)) => assert_eq!(end, end_before, "{event}"),
            ("RenewPlus12", Some(end_before)) => {
                let from_end = end_before.plus_months(12, end_before.day_of_month());
                assert!(end == from_end || end == from_now, "{event}");
            }
            _ => assert_eq!(end, from_now, "{event}"),
        }
        before_all += before.unwrap_or(0);
        after_all += after;
        count += 1;
    }
    if count > 0 {
        let kept = if data["mode"] == "RenewPlus12" {
            0
        } else {
            before_all
        };
        assert_eq!(after_all, kept + total, "{event}");
    }
    count
}

#[test]
fn a_session_is_for_one_agreement_and_lands_in_its_own_tenant() {
    let mut agreement: HashMap<&str, &str> = HashMap::new();
    let mut tenants: HashMap<&str, &str> = HashMap::new();
    for event in of_kind("SessionStarted") {
        let data = &event["data"];
        let session = data["session"].as_str().unwrap();
        if let Some(tenant) = data["resource_tenant"].as_str() {
            tenants.insert(session, tenant);
        }
    }
    for event in STORY.iter() {
        let data = &event["data"];
        let (Some(session), Some(license)) =
            (data["session"].as_str(), data["license_id"].as_str())
        else {
            continue;
        };
        assert_eq!(
            *agreement.entry(session).or_insert(license),
            license,
            "{event}"
        );
        if let (Some(tenant), Some(landed)) = (tenants.get(session), data["tenant"].as_str()) {
            assert_eq!(*tenant, landed, "{event}");
        }
    }
    assert!(agreement.len() > 200);
}

#[test]
fn only_compensated_mistakes_leave_the_customers_own_tenant() {
    let mut owner: HashMap<&str, &str> = HashMap::new();
    let mut customer: HashMap<&str, &str> = HashMap::new();
    for event in of_kind("TenantObserved") {
        if let Some(id) = event["data"]["owner"].as_str() {
            owner.insert(event["data"]["tenant"].as_str().unwrap(), id);
        }
    }
    for event in of_kind("AgreementSigned") {
        let data = &event["data"];
        customer.insert(
            data["license_id"].as_str().unwrap(),
            data["customer"].as_str().unwrap(),
        );
    }
    let reversed: HashSet<&str> = of_kind("RedemptionReversed")
        .map(|e| e["data"]["redemption"].as_str().unwrap())
        .collect();
    let mut strays = 0;
    for event in of_kind("KeysRedeemed") {
        let data = &event["data"];
        let redemption = data["redemption"].as_str().unwrap();
        let whose = customer[data["license_id"].as_str().unwrap()];
        let Some(owner) = owner.get(data["tenant"].as_str().unwrap()) else {
            continue;
        };
        if *owner != whose {
            strays += 1;
            // The last ones may not have been found out when the run ends.
            let young = event["occurred_at"].as_str().unwrap() > "2015-11-01";
            assert!(young || reversed.contains(redemption), "{event}");
        }
    }
    assert!(strays > 0);
}

#[test]
fn a_machine_is_installed_before_it_is_licensed_and_never_loses_validity() {
    let mut valid: HashMap<&str, &str> = HashMap::new();
    let mut installed: HashSet<&str> = HashSet::new();
    for event in STORY.iter() {
        let data = &event["data"];
        let Some(machine) = data["machine"].as_str() else {
            continue;
        };
        match event["kind"].as_str().unwrap() {
            "OfficeInstalled" => assert!(installed.insert(machine), "{event}"),
            "SeatLicensed" => {
                valid.insert(machine, data["valid_until"].as_str().unwrap());
            }
            "SeatRevalidated" => {
                let after = data["valid_until"].as_str().unwrap();
                let before = valid.insert(machine, after);
                assert_eq!(before, data["valid_until_before"].as_str(), "{event}");
                assert!(before.is_some_and(|before| before < after), "{event}");
            }
            _ => {}
        }
        assert!(installed.contains(machine), "not installed: {event}");
    }
}

#[test]
fn more_licences_are_never_assigned_than_there_are_seats() {
    let mut assigned: BTreeMap<&str, i64> = BTreeMap::new();
    let reduced: HashSet<&str> = of_kind("SeatsReduced")
        .filter_map(|e| e["data"]["subscription"].as_str())
        .collect();
    for event in STORY.iter() {
        let data = &event["data"];
        let users = list(&data["users"]).count() as i64;
        let subscription = || data["subscription"].as_str().unwrap();
        match event["kind"].as_str().unwrap() {
            "LicensesAssigned" => *assigned.entry(subscription()).or_default() += users,
            "LicensesUnassigned" => *assigned.entry(subscription()).or_default() -= users,
            "SubscriptionObserved" => {
                let seats = ["enabled", "warning", "suspended"].iter();
                let seats: u64 = seats.filter_map(|field| data[*field].as_u64()).sum();
                let consumed = data["consumed"].as_u64().unwrap();
                // A renewal with fewer seats is followed by the next look of the month.
                let shrinking = reduced.contains(data["subscription"].as_str().unwrap());
                assert!(consumed <= seats || shrinking, "{event}");
            }
            _ => {}
        }
    }
    assert!(assigned.values().all(|count| *count >= 0), "{assigned:?}");
}
