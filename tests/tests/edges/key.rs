//! Edge cases of keys, redemptions, cases and reservations.

use serde_json::json;
use tests::told::{KEY, OTHER_KEY, Told, key, person, pseudonym, redeemed};

#[test]
fn key_redeemed_twice_in_the_same_tenant_is_one_landing() {
    let told = Told::new()
        .and("2024-03-11T09:00:00Z", "KeyIssued", key(KEY, "L1", 25))
        .and(
            "2024-03-11T10:00:00Z",
            "KeysRedeemed",
            redeemed("rd-1", "a.example", KEY, "NewSubscription", 25),
        )
        .and(
            "2024-03-11T10:05:00Z",
            "KeysRedeemed",
            redeemed("other-system-7", "a.example", KEY, "NewSubscription", 25),
        );
    let seen = told.view(&format!("key:{KEY}"), "2024-03-12T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["reports"]),
        (&json!("Redeemed"), &json!(2))
    );
    let subscription = told.view("subscription:sub", "2024-03-12T00:00:00Z");
    assert_eq!(
        subscription["seats"], 25,
        "one landing reported twice folds once"
    );
    let agreement = told.view("agreement:L1", "2024-03-12T00:00:00Z");
    assert_eq!(
        (&agreement["state"], &agreement["seats_landed"]),
        (&json!("Bound"), &json!(25))
    );
}

#[test]
fn key_redeemed_in_another_tenant_is_redeemed_twice() {
    let told = Told::new()
        .and("2024-03-11T09:00:00Z", "KeyIssued", key(KEY, "L1", 25))
        .and(
            "2024-03-11T10:00:00Z",
            "KeysRedeemed",
            redeemed("rd-1", "a.example", KEY, "NewSubscription", 25),
        )
        .and(
            "2024-03-11T11:00:00Z",
            "KeysRedeemed",
            redeemed("rd-2", "b.example", KEY, "NewSubscription", 25),
        );
    let seen = told.view(&format!("key:{KEY}"), "2024-03-12T00:00:00Z");
    assert_eq!(seen["state"], "RedeemedTwice");
    assert_eq!(
        (&seen["tenant"], &seen["also_redeemed_in"]),
        (&json!("a.example"), &json!(["b.example"]))
    );
    let agreement = told.view("agreement:L1", "2024-03-12T00:00:00Z");
    assert_eq!(
        (&agreement["state"], &agreement["contested_by"]),
        (&json!("Contested"), &json!(["b.example"]))
    );
}

#[test]
fn keys_of_two_agreements_in_one_redemption_bind_both() {
    let told = Told::new()
        .and("2024-03-11T09:00:00Z", "KeyIssued", key(KEY, "L1", 25))
        .and("2024-03-11T09:00:00Z", "KeyIssued", key(OTHER_KEY, "L2", 5))
        .and("2024-03-11T09:30:00Z", "SessionStarted", json!({ "session": "s1", "auth": "Cached" }))
        .and("2024-03-11T10:00:00Z", "KeysRedeemed", json!({
            "redemption": "rd", "tenant": "a.example", "mode": "NewSubscription", "session": "s1",
            "license_id": "L1", "effects": [],
            "keys": [{ "key": KEY, "seats": 25 }, { "key": OTHER_KEY, "seats": 5 }],
        }));
    for (license, seats) in [("L1", 25), ("L2", 5)] {
        let seen = told.view(&format!("agreement:{license}"), "2024-03-12T00:00:00Z");
        assert_eq!(seen["tenant"], "a.example", "{license}");
        assert_eq!(seen["seats_landed"], seats, "{license}");
    }
    let session = told.view("session:s1", "2024-03-12T00:00:00Z");
    assert_eq!(
        (&session["separate"], &session["agreements"]),
        (&json!(false), &json!(["L1", "L2"]))
    );
    assert_eq!(session["unattended"], true);
}

#[test]
fn status_that_lags_23_25_and_49_hours() {
    for (at, hours, lag) in [
        ("2024-03-12T09:00:00Z", 23, "WithinFirstLimit"),
        ("2024-03-12T11:00:00Z", 25, "WithinSecondLimit"),
        ("2024-03-13T11:00:00Z", 49, "Contradicts"),
    ] {
        let told = Told::new()
            .and("2024-03-11T09:00:00Z", "KeyIssued", key(KEY, "L1", 25))
            .and(
                "2024-03-11T10:00:00Z",
                "KeysRedeemed",
                redeemed("rd-1", "a.example", KEY, "NewSubscription", 25),
            )
            .and(
                at,
                "ActivationStatusObserved",
                json!({ "license_id": "L1", "order": "o-L1", "status": "NotActivated" }),
            );
        for subject in ["agreement:L1", "order:o-L1"] {
            let seen = told.view(subject, "2024-03-14T00:00:00Z");
            assert_eq!(seen["portal"]["hours_after_landing"], hours, "{subject}");
            assert_eq!(seen["portal"]["lag"], lag, "{subject}");
        }
    }
}

#[test]
fn guest_account_redeems_across_tenants() {
    let told = Told::new()
        .and("2024-03-11T09:30:00Z", "SessionStarted", json!({
            "session": "s1", "auth": "Interactive", "principal": person("guest"),
            "home_tenant": "home.example", "resource_tenant": "a.example",
        }))
        .and("2024-03-11T10:00:00Z", "KeysRedeemed", json!({
            "redemption": "rd", "tenant": "a.example", "mode": "NewSubscription", "session": "s1",
            "redeemer": person("guest"), "keys": [{ "key": KEY, "seats": 5 }], "effects": [],
        }));
    let at = "2024-03-12T00:00:00Z";
    assert_eq!(told.view("session:s1", at)["cross_tenant"], true);
    assert_eq!(
        told.view("redemption:rd", at)["principal"],
        pseudonym("guest")
    );
}

#[test]
fn a_redemption_that_was_submitted_and_left_is_unknown() {
    let told = Told::new()
        .and("2024-03-11T09:00:00Z", "RedemptionStarted", json!({ "redemption": "rd", "flow": "Prepopulated", "entry": "EmailLink", "order": "o1" }))
        .and("2024-03-11T09:01:00Z", "KeyEntered", json!({ "redemption": "rd", "key": KEY }))
        .and("2024-03-11T09:01:30Z", "KeyEntered", json!({ "redemption": "rd", "key": OTHER_KEY }))
        .and("2024-03-11T09:02:00Z", "KeyRejected", json!({ "redemption": "rd", "key": OTHER_KEY, "code": "AlreadyUsed" }))
        .and("2024-03-11T09:03:00Z", "RedemptionSubmitted", json!({ "redemption": "rd" }));
    let seen = told.view("redemption:rd", "2024-03-12T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["flow"], &seen["entry"]),
        (
            &json!("OutcomeUnknown"),
            &json!("Prepopulated"),
            &json!("EmailLink")
        )
    );
    let results = seen["keys"].as_array().expect("a list");
    let result = |last5: &str| {
        results
            .iter()
            .find(|key| key["last5"] == last5)
            .expect("a key")
    };
    assert_eq!(result("EEEE1")["result"], "Entered");
    assert_eq!(
        (
            &result("EEEE2")["result"],
            &result("EEEE2")["refused_because"]
        ),
        (&json!("Refused"), &json!("AlreadyUsed"))
    );
    let left = Told(told.0[..4].to_vec()).and(
        "2024-03-11T09:04:00Z",
        "RedemptionAbandoned",
        json!({ "redemption": "rd", "last_step": "ModeAsked" }),
    );
    assert_eq!(
        left.view("redemption:rd", "2024-03-12T00:00:00Z")["state"],
        "OutcomeUnknown"
    );
}

#[test]
fn a_part_of_a_redemption_can_be_reversed() {
    let told = Told::new()
        .and(
            "2024-03-11T10:00:00Z",
            "KeysRedeemed",
            json!({
                "redemption": "rd", "tenant": "a.example", "mode": "NewSubscription",
                "keys": [{ "key": KEY, "seats": 30 }, { "key": OTHER_KEY, "seats": 40 }],
                "effects": [{ "subscription": "sub" }],
            }),
        )
        .and(
            "2024-03-15T10:00:00Z",
            "RedemptionReversed",
            json!({ "redemption": "rd", "keys": [KEY], "effects": [] }),
        );
    let at = "2024-03-16T00:00:00Z";
    assert_eq!(told.view("redemption:rd", at)["state"], "PartlyReversed");
    assert_eq!(told.view("subscription:sub", at)["seats"], 40);
    assert_eq!(told.view(&format!("key:{KEY}"), at)["state"], "Neutralised");
    assert_eq!(
        told.view(&format!("key:{OTHER_KEY}"), at)["state"],
        "Redeemed"
    );
}

#[test]
fn a_case_goes_its_way() {
    let told = Told::new()
        .and("2024-03-01T09:00:00Z", "CaseOpened", json!({
            "case": "SR-1", "purpose": "Reissue", "channel": "Phone", "finding": "F1", "license_ids": ["L1"],
        }))
        .and("2024-03-02T09:00:00Z", "FindingConfirmed", json!({ "finding": "F1", "evidence_digest": "d1" }))
        .and("2024-03-03T09:00:00Z", "SupportEscalated", json!({ "case": "SR-1", "from": "P" }))
        .and("2024-03-04T09:00:00Z", "AuthorizationReceived", json!({ "case": "SR-1", "from": person("ann"), "role": "PrimaryContact" }))
        .and("2024-03-05T09:00:00Z", "RedemptionReversed", json!({ "redemption": "rd", "case": "SR-1", "keys": [], "effects": [], "lots": [] }))
        .and("2024-03-06T09:00:00Z", "CaseClosed", json!({ "case": "SR-1", "outcome": "PartlyCompensated", "residuals": ["DaysLost"] }));
    for (at, state) in [
        ("2024-03-01T12:00:00Z", "Suspected"),
        ("2024-03-02T12:00:00Z", "Confirmed"),
        ("2024-03-04T12:00:00Z", "Authorised"),
        ("2024-03-05T12:00:00Z", "Executing"),
        ("2024-03-06T12:00:00Z", "Closed"),
    ] {
        assert_eq!(told.view("case:SR-1", at)["state"], state, "{at}");
    }
    let seen = told.view("case:SR-1", "2024-03-07T00:00:00Z");
    assert_eq!(
        (&seen["residuals"], &seen["unauthorised"]),
        (&json!(["DaysLost"]), &json!(false))
    );
    assert_eq!(
        (&seen["escalated"], &seen["steps"]),
        (&json!([["P", null]]), &json!({ "RedemptionReversed": 1 }))
    );
}

#[test]
fn a_reservation_can_be_cancelled_until_72_hours_before() {
    let told = Told::new().and(
        "2024-03-01T09:00:00Z",
        "ReservationPlaced",
        json!({
            "order": "o1", "license_id": "L1", "sku": "E3", "seats": 10, "usage_date": "2024-04-10",
        }),
    );
    let seen = told.view("order:o1", "2024-03-02T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["cancel_by"]),
        (&json!("Reserved"), &json!("2024-04-07T00:00:00Z"))
    );
    let told = told.and(
        "2024-04-08T09:00:00Z",
        "ReservationCancelled",
        json!({ "order": "o1" }),
    );
    let seen = told.view("order:o1", "2024-04-09T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["cancelled_late"]),
        (&json!("Cancelled"), &json!(true))
    );
}
