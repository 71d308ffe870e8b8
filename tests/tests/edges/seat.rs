//! Edge cases of machines and their licences.

use projections::policy::{Cancellation, Policies};
use serde_json::{Value, json};
use tests::told::{Told, machine, person, pseudonym};

/// A seat that was licensed on a day for thirty days.
fn licensed(name: &str, until: &str) -> Value {
    json!({ "machine": name, "user": person("ann"), "tenant": "a.example", "valid_until": until })
}

fn seat(name: &str, on: &str, until: &str) -> Told {
    let at = format!("{on}T08:00:00Z");
    Told::new()
        .and(&at, "OfficeInstalled", json!({ "machine": name }))
        .and(
            &at,
            "MachineRegistered",
            json!({ "machine": name, "user": person("ann"), "tenant": "a.example" }),
        )
        .and(&at, "SeatLicensed", licensed(name, until))
}

fn join(one: Told, other: Told) -> Told {
    // Records are numbered by line: those of the second part go on where the first one ends.
    let mut facts = one.0;
    for mut fact in other.0 {
        let record = format!("r{}", facts.len());
        fact.source.record = ledger::id::Name::new(&record).ok();
        facts.push(fact);
    }
    Told(facts)
}

#[test]
fn sixth_install_while_one_is_in_extended_grace() {
    // Five machines, of which the first is offline past its validity: it still counts.
    let mut told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z");
    for number in 2..=5 {
        let other = seat(&format!("M{number}"), "2024-01-20", "2024-02-19T08:00:00Z");
        told = join(told, other);
    }
    let subject = format!("person:{}", pseudonym("ann"));
    let at = "2024-02-05T00:00:00Z";
    let seen = told.view(&subject, at);
    let here = &seen["tenants"]["a.example"];
    assert_eq!(
        (&here["counted"], &here["over_limit"]),
        (&json!(5), &json!(false))
    );
    assert_eq!(
        here["next_bumped"],
        machine("M1"),
        "the least recently validated"
    );
    assert_eq!(here["bump_policy"], "bump_least_recently_validated@1");
    // The sixth takes its place, and the bumped one no longer counts.
    let told = join(told, seat("M6", "2024-02-05", "2024-03-06T08:00:00Z")).and(
        "2024-02-05T08:01:00Z",
        "MachineBumped",
        json!({
            "machine": "M1", "user": person("ann"), "tenant": "a.example", "beneficiary": "M6",
        }),
    );
    let seen = told.view(&subject, "2024-02-06T00:00:00Z");
    assert_eq!(seen["tenants"]["a.example"]["counted"], 5);
    let bumped = told.view("seat:M1", "2024-02-06T00:00:00Z");
    assert_eq!(
        (&bumped["state"], &bumped["counted"]),
        (&json!("ExtendedGrace"), &json!(false))
    );
    assert_eq!(bumped["bumped_for"], machine("M6"));
    assert_eq!(
        told.view("seat:M6", "2024-02-06T00:00:00Z")["took_place_of"],
        json!([machine("M1")])
    );
    // Without the bump there would be six.
    let mut six = told;
    six.0.pop();
    let seen = six.view(&subject, "2024-02-06T00:00:00Z");
    assert_eq!(seen["tenants"]["a.example"]["over_limit"], true);
}

#[test]
fn bumped_and_told_late_keeps_the_grace_that_runs() {
    // Section A: bumped on 5 January with validity to 31 January and a contact on 12 February.
    let told = seat("M1", "2025-01-01", "2025-01-31T00:00:00Z")
        .and(
            "2025-01-05T08:00:00Z",
            "MachineBumped",
            json!({ "machine": "M1", "beneficiary": "M2" }),
        )
        .and(
            "2025-02-12T08:00:00Z",
            "RevalidationFailed",
            json!({ "machine": "M1", "cause": "Bumped" }),
        );
    for (at, state) in [
        ("2025-01-10T00:00:00Z", "Licensed"),
        ("2025-01-31T00:00:00Z", "ExtendedGrace"),
        ("2025-03-01T23:59:59Z", "ExtendedGrace"),
        ("2025-03-02T00:00:00Z", "Notifications"),
    ] {
        assert_eq!(told.view("seat:M1", at)["state"], state, "{at}");
    }
    assert_eq!(
        told.view("seat:M1", "2025-02-13T00:00:00Z")["reduced_from"],
        "2025-03-02T00:00:00Z"
    );
}

#[test]
fn reinstall_on_day_29() {
    let told = Told::new()
        .and(
            "2024-01-01T08:00:00Z",
            "OfficeInstalled",
            json!({ "machine": "M1", "install": "one" }),
        )
        .and(
            "2024-01-05T08:00:00Z",
            "MachineBumped",
            json!({ "machine": "M1", "beneficiary": "M2" }),
        )
        .and(
            "2024-01-30T08:00:00Z",
            "OfficeInstalled",
            json!({ "machine": "M1", "install": "two" }),
        );
    let seen = told.view("seat:M1", "2024-02-28T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["former_installs"]),
        (&json!("OobGrace"), &json!(1))
    );
    assert_eq!(
        seen["bumped"], true,
        "a reinstall does not reset a bumped machine's history"
    );
    assert_eq!(
        told.view("seat:M1", "2024-02-29T08:00:00Z")["state"],
        "Notifications"
    );
    // The first install alone would have been over by then.
    let mut first = told;
    first.0.pop();
    assert_eq!(
        first.view("seat:M1", "2024-01-31T08:00:00Z")["state"],
        "Notifications"
    );
}

#[test]
fn machine_clock_40_days_ahead_and_back() {
    for offset in [40 * 86_400, -40 * 86_400] {
        let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z")
            .and(
                "2024-01-10T08:00:00Z",
                "ClockSkewObserved",
                json!({ "machine": "M1", "offset_seconds": offset }),
            )
            .and(
                "2024-01-10T08:00:00Z",
                "LicenseStateObserved",
                json!({ "machine": "M1", "state": "Unlicensed", "tool": "ospp" }),
            );
        let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
        assert_eq!(seen["clock_skew_seconds"], offset);
        // The service's time decides, not the machine's.
        assert_eq!(
            (&seen["state"], &seen["observed_state"]),
            (&json!("Licensed"), &json!("Unlicensed"))
        );
    }
}

#[test]
fn success_on_day_59_60_and_61_after_the_last_contact() {
    for (on, before) in [
        ("2024-02-29", "ExtendedGrace"),
        ("2024-03-01", "Notifications"),
        ("2024-03-02", "Notifications"),
    ] {
        let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z");
        let at = format!("{on}T08:00:00Z");
        assert_eq!(told.view("seat:M1", &at)["state"], before, "{on}");
        let told = told.and(
            &at,
            "SeatRevalidated",
            json!({ "machine": "M1", "valid_until": "2024-04-01T08:00:00Z" }),
        );
        let seen = told.view("seat:M1", &at);
        assert_eq!(
            (&seen["state"], &seen["valid_until"]),
            (&json!("Licensed"), &json!("2024-04-01T08:00:00Z")),
            "{on}"
        );
    }
}

#[test]
fn cancelled_at_contact_reduces_at_once_or_after_a_grace() {
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z").and(
        "2024-01-10T08:00:00Z",
        "RevalidationFailed",
        json!({ "machine": "M1", "cause": "Cancelled" }),
    );
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["policies"]),
        (
            &json!("Notifications"),
            &json!(["cancel_reduces_at_contact@1"])
        )
    );
    let grace = Policies {
        cancellation: Cancellation::GraceFirst,
        ..Policies::default()
    };
    let seen = told.view_under(grace, "seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["grace_until"]),
        (&json!("ExtendedGrace"), &json!("2024-02-09T08:00:00Z"))
    );
    // Before the contact the machine does not know.
    assert_eq!(
        told.view("seat:M1", "2024-01-09T00:00:00Z")["state"],
        "Licensed"
    );
}

#[test]
fn deprovisioned_users_keep_their_machine_until_it_is_told() {
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z").and(
        "2024-01-05T08:00:00Z",
        "UserDeprovisioned",
        json!({ "tenant": "a.example", "user": person("ann") }),
    );
    let seen = told.view("seat:M1", "2024-01-06T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["user_deprovisioned"]),
        (&json!("Licensed"), &json!(true))
    );
    let told = told.and(
        "2024-01-10T08:00:00Z",
        "RevalidationFailed",
        json!({ "machine": "M1", "cause": "Deprovisioned" }),
    );
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["grace_until"]),
        (&json!("ExtendedGrace"), &json!("2024-02-09T08:00:00Z"))
    );
    let told = told
        .and(
            "2024-02-20T08:00:00Z",
            "UserReprovisioned",
            json!({ "tenant": "a.example", "user": person("ann") }),
        )
        .and(
            "2024-02-20T09:00:00Z",
            "SeatLicensed",
            licensed("M1", "2024-03-21T09:00:00Z"),
        );
    let seen = told.view("seat:M1", "2024-02-21T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["user_deprovisioned"]),
        (&json!("Licensed"), &json!(false))
    );
}

#[test]
fn a_reset_gives_the_seat_to_the_next_sign_in() {
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z")
        .and(
            "2024-01-08T08:00:00Z",
            "SeatResetRequested",
            json!({ "machine": "M1", "case": "SR-1" }),
        )
        .and(
            "2024-01-10T08:00:00Z",
            "SeatReset",
            json!({ "machine": "M1", "tool": "OsppRemoveKey" }),
        );
    let waiting = told.view("seat:M1", "2024-01-09T00:00:00Z");
    assert_eq!(
        (&waiting["reset_requested"], &waiting["cases"]),
        (&json!("2024-01-08T08:00:00Z"), &json!(["SR-1"]))
    );
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["tenant"], &seen["reset_requested"]),
        (&json!("Notifications"), &json!(null), &json!(null))
    );
    let told = told.and("2024-01-12T08:00:00Z", "SeatLicensed", json!({
        "machine": "M1", "user": person("bob"), "tenant": "b.example", "valid_until": "2024-01-20T08:00:00Z",
    }));
    let seen = told.view("seat:M1", "2024-01-13T00:00:00Z");
    assert_eq!(
        (&seen["tenant"], &seen["valid_until"]),
        (&json!("b.example"), &json!("2024-01-20T08:00:00Z"))
    );
}

fn printed(product: &str, description: &str, state: &str, minutes: u32) -> Value {
    json!({
        "machine": "M1", "product": product, "description": description, "state": state,
        "remaining_minutes": minutes, "tool": "ospp",
    })
}

#[test]
fn four_products_and_one_subscription() {
    let at = "2024-01-10T08:00:00Z";
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z")
        .and(
            at,
            "LicenseStateObserved",
            printed("Visio", "VOLUME_KMS channel", "OobGrace", 10),
        )
        .and(
            at,
            "LicenseStateObserved",
            printed("Suite", "TIMEBASED_SUB channel", "Licensed", 30_240),
        )
        .and(
            at,
            "LicenseStateObserved",
            printed("Project", "RETAIL channel", "Unlicensed", 0),
        )
        .and(
            at,
            "LicenseStateObserved",
            printed("Lync", "VOLUME_MAK channel", "Notifications", 0),
        );
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["observed_state"], &seen["observed_differs"]),
        (&json!("Licensed"), &json!(false))
    );
    assert_eq!(
        seen["printed"].as_object().map(serde_json::Map::len),
        Some(4)
    );
    assert_eq!(seen["printed"]["Lync"]["state"], "Notifications");
}

#[test]
fn stale_grace_beside_an_active_licence() {
    let at = "2024-01-10T08:00:00Z";
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z")
        .and(at, "LicenseStateObserved", printed("Grace", "TIMEBASED_SUB channel", "OobGrace", 100))
        .and(at, "LicenseStateObserved", json!({
            "machine": "M1", "product": "vNext", "state": "Licensed", "tenant": "a.example", "tool": "vnextdiag",
        }));
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["observed_state"], &seen["observed_differs"]),
        (&json!("Licensed"), &json!(false))
    );
}

#[test]
fn remaining_minutes_are_whole_days_cut_down() {
    let told = seat("M1", "2024-01-01", "2024-01-31T08:00:00Z").and(
        "2024-01-10T08:00:00Z",
        "LicenseStateObserved",
        printed("Suite", "TIMEBASED_SUB", "Licensed", 41_865),
    );
    let seen = told.view("seat:M1", "2024-01-11T00:00:00Z");
    let print = &seen["printed"]["Suite"];
    assert_eq!(
        (&print["remaining_minutes"], &print["remaining_days"]),
        (&json!(41_865), &json!(29))
    );
}
