//! Edge cases of terms, trials, renewals and credit.

use projections::policy::{Policies, RenewEnd, TermEnd};
use serde_json::json;
use tests::told::{KEY, OTHER_KEY, Told, redeemed};

/// A subscription of 50 seats that began on a day, under an Open agreement.
fn begun(on: &str) -> Told {
    let at = format!("{on}T10:00:00Z");
    Told::new().and(
        &at,
        "SubscriptionStarted",
        json!({
            "subscription": "sub", "tenant": "a.example", "sku": "E3", "seats": 50,
        }),
    )
}

fn renew(told: Told, at: &str, number: u32) -> Told {
    let key = format!("AAAAA-BBBBB-CCCCC-DDDDD-FFF{number:02}");
    let redemption = format!("rd-{number}");
    told.and(
        at,
        "KeysRedeemed",
        redeemed(&redemption, "a.example", &key, "RenewPlus12", 50),
    )
}

#[test]
fn two_renewals_at_the_same_instant_add_two_terms() {
    let told = renew(begun("2024-03-15"), "2025-02-01T10:00:00Z", 1);
    let told = renew(told, "2025-02-01T10:00:00Z", 2);
    let seen = told.view("subscription:sub", "2025-02-02T00:00:00Z");
    assert_eq!(
        (&seen["end"], &seen["seats"]),
        (&json!("2027-03-15"), &json!(50))
    );
}

#[test]
fn two_keys_in_one_renewal_add_one_term() {
    let told = begun("2024-03-15").and(
        "2025-02-01T10:00:00Z",
        "KeysRedeemed",
        json!({
            "redemption": "rd", "tenant": "a.example", "mode": "RenewPlus12",
            "keys": [{ "key": KEY, "seats": 30 }, { "key": OTHER_KEY, "seats": 40 }],
            "effects": [{ "subscription": "sub" }],
        }),
    );
    let seen = told.view("subscription:sub", "2025-02-02T00:00:00Z");
    assert_eq!(
        (&seen["end"], &seen["seats"]),
        (&json!("2026-03-15"), &json!(70))
    );
}

#[test]
fn a_reduction_that_a_renewal_brought_counts_once() {
    let renewed = begun("2024-03-15").and(
        "2025-02-01T10:00:00Z",
        "KeysRedeemed",
        redeemed("rd-1", "a.example", KEY, "RenewPlus12", 20),
    );
    let reduced = |told: &Told, at: &str, removed: u32| {
        let data = json!({ "subscription": "sub", "removed": removed });
        told.clone().and(at, "SeatsReduced", data)
    };
    let seats =
        |told: &Told| told.view("subscription:sub", "2025-03-01T00:00:00Z")["seats"].clone();
    let once = reduced(&renewed, "2025-02-01T10:10:00Z", 30);
    assert_eq!(seats(&once), 20, "the portal tells what the renewal did");
    let again = reduced(&once, "2025-02-02T09:00:00Z", 5);
    assert_eq!(seats(&again), 15, "another reduction");
    let other = reduced(&renewed, "2025-02-01T10:10:00Z", 5);
    assert_eq!(seats(&other), 15, "not what the renewal took");
    let later = reduced(&renewed, "2025-02-20T10:00:00Z", 30);
    assert_eq!(seats(&later), 0, "too late to be the same");
    let reported = begun("2024-03-15").and(
        "2025-02-01T10:00:00Z",
        "SubscriptionRenewed",
        json!({ "subscription": "sub", "seats": 20 }),
    );
    assert_eq!(seats(&reduced(&reported, "2025-02-01T10:00:00Z", 30)), 20);
}

#[test]
fn renewal_used_in_another_tenant_is_noted_and_moves_nothing() {
    let told = begun("2024-03-15").and(
        "2025-02-01T10:00:00Z",
        "KeysRedeemed",
        redeemed("rd-1", "b.example", KEY, "RenewPlus12", 50),
    );
    let seen = told.view("subscription:sub", "2025-02-02T00:00:00Z");
    assert_eq!(seen["tenant"], "a.example");
    assert_eq!(seen["notes"], json!(["RedeemedInAnotherTenant"]));
    assert_eq!(
        told.view("redemption:rd-1", "2025-02-02T00:00:00Z")["tenant"],
        "b.example"
    );
}

#[test]
fn twelve_months_over_and_from_the_leap_day() {
    let over = begun("2023-03-15").view("subscription:sub", "2023-06-01T00:00:00Z");
    assert_eq!(over["end"], "2024-03-15", "366 days, not 365");
    let mut told = begun("2024-02-29");
    for (number, (at, end)) in (1..).zip([
        ("2025-02-01T10:00:00Z", "2026-02-28"),
        ("2026-02-01T10:00:00Z", "2027-02-28"),
        ("2027-02-01T10:00:00Z", "2028-02-29"),
    ]) {
        told = renew(told, at, number);
        let seen = told.view("subscription:sub", at);
        assert_eq!(seen["end"], end, "the anchor day comes back in a leap year");
    }
    // From the redemption day the anchor is another one, and does not come back.
    let late = renew(begun("2024-02-29"), "2025-06-28T10:00:00Z", 9);
    assert_eq!(
        late.view("subscription:sub", "2025-07-01T00:00:00Z")["end"],
        "2026-06-28"
    );
}

#[test]
fn redemption_on_the_end_day_is_in_time() {
    let told = renew(begun("2024-03-15"), "2025-03-15T23:00:00Z", 1);
    assert_eq!(
        told.view("subscription:sub", "2025-03-16T00:00:00Z")["end"],
        "2026-03-15"
    );
    let before = begun("2024-03-15");
    assert_eq!(
        before.view("subscription:sub", "2025-03-15T23:59:59Z")["state"],
        "Active"
    );
    assert_eq!(
        before.view("subscription:sub", "2025-03-16T00:00:00Z")["state"],
        "Grace"
    );
}

#[test]
fn redemption_after_1_30_31_120_and_121_days() {
    for (day, before, end, notes) in [
        ("2025-03-16", "Grace", "2026-03-15", json!([])),
        ("2025-04-14", "Grace", "2026-03-15", json!([])),
        ("2025-04-15", "Disabled", "2026-04-15", json!([])),
        ("2025-07-13", "Disabled", "2026-07-13", json!([])),
        (
            "2025-07-14",
            "Deleted",
            "2026-07-14",
            json!(["RenewedAfterDeletion"]),
        ),
    ] {
        let told = begun("2024-03-15");
        let at = format!("{day}T10:00:00Z");
        assert_eq!(told.view("subscription:sub", &at)["state"], before, "{day}");
        let seen = renew(told, &at, 1).view("subscription:sub", &at);
        assert_eq!(
            (&seen["end"], &seen["notes"]),
            (&json!(end), &notes),
            "{day}"
        );
        assert_eq!(seen["state"], "Active", "{day}");
    }
}

#[test]
fn seats_that_are_added_after_the_end_leave_the_end() {
    let told = begun("2024-03-15").and(
        "2025-03-20T10:00:00Z",
        "KeysRedeemed",
        redeemed("rd-1", "a.example", KEY, "AddKeepEnd", 10),
    );
    let seen = told.view("subscription:sub", "2025-03-21T00:00:00Z");
    assert_eq!(
        (&seen["seats"], &seen["end"]),
        (&json!(60), &json!("2025-03-15"))
    );
    assert_eq!(
        (&seen["state"], &seen["notes"]),
        (&json!("Grace"), &json!(["AddedAfterEnd"]))
    );
}

#[test]
fn the_worked_example_of_section_6() {
    let told = begun("2024-12-31")
        .and(
            "2025-10-31T10:00:00Z",
            "KeysRedeemed",
            redeemed("wrong", "a.example", KEY, "RenewPlus12", 100),
        )
        .and(
            "2025-12-01T10:00:00Z",
            "KeysRedeemed",
            redeemed("right", "a.example", OTHER_KEY, "RenewPlus12", 100),
        );
    let before = told.view("subscription:sub", "2025-12-02T00:00:00Z");
    assert_eq!(
        (&before["end"], &before["seats"]),
        (&json!("2027-12-31"), &json!(100))
    );
    let told = told.and("2025-12-10T10:00:00Z", "RedemptionReversed", json!({
        "redemption": "wrong", "keys": [KEY], "effects": [{ "subscription": "sub", "seats_removed": 100 }],
    }));
    let after = told.view("subscription:sub", "2025-12-11T00:00:00Z");
    assert_eq!(
        (&after["end"], &after["seats"]),
        (&json!("2026-12-31"), &json!(100))
    );
    assert_eq!(after["reversed"], json!(["wrong"]));
    // At an earlier point nothing of it is known.
    assert_eq!(
        told.view("subscription:sub", "2025-12-02T00:00:00Z"),
        before
    );
}

#[test]
fn policies_decide_by_event_and_by_configuration() {
    let told = begun("2024-03-15");
    let day_before = Policies {
        term_end: TermEnd::DayBeforeAnniversary,
        ..Policies::default()
    };
    let at = "2024-06-01T00:00:00Z";
    assert_eq!(told.view("subscription:sub", at)["end"], "2025-03-15");
    let seen = told.view_under(day_before, "subscription:sub", at);
    assert_eq!(seen["end"], "2025-03-14");
    assert_eq!(seen["policies"], json!(["end_day_before_anniversary@1"]));
    let named = begun("2024-03-15").by("end_day_before_anniversary");
    assert_eq!(named.view("subscription:sub", at)["end"], "2025-03-14");

    let renewed = renew(begun("2024-03-15"), "2025-02-01T10:00:00Z", 1);
    let from_redemption = Policies {
        renew_end: RenewEnd::FromRedemption,
        ..Policies::default()
    };
    let seen = renewed.view_under(from_redemption, "subscription:sub", "2025-02-02T00:00:00Z");
    assert_eq!(seen["end"], "2026-02-01");

    // 100 seats with two months left and 100 new ones: seven months (P10).
    let pooled = begun("2024-03-31")
        .and(
            "2025-01-31T10:00:00Z",
            "KeysRedeemed",
            redeemed("rd", "a.example", KEY, "AddKeepEnd", 50),
        )
        .by("pooled_average");
    let seen = pooled.view("subscription:sub", "2025-02-01T00:00:00Z");
    // (50 * 59 + 50 * 365) / 100 = 212 whole days from the redemption.
    assert_eq!(
        (&seen["end"], &seen["seats"]),
        (&json!("2025-08-31"), &json!(100))
    );
}

fn trial() -> Told {
    Told::new().and(
        "2024-01-01T09:00:00Z",
        "TrialStarted",
        json!({
            "tenant": "trial.example", "subscription": "trial", "seats": 25, "sku": "E3",
        }),
    )
}

#[test]
fn trial_expiring_between_order_and_choice() {
    let told = trial();
    for (at, state) in [
        ("2024-01-31T23:00:00Z", "Trial"),
        ("2024-02-01T00:00:00Z", "TrialExpired"),
        ("2024-03-01T12:00:00Z", "TrialExpired"),
        ("2024-03-02T00:00:00Z", "Deleted"),
    ] {
        assert_eq!(told.view("subscription:trial", at)["state"], state, "{at}");
    }
    let convert = json!({ "tenant": "trial.example", "subscription": "trial", "retain": true, "license_id": "L1" });
    let in_time = trial().and("2024-02-15T09:00:00Z", "TrialConverted", convert.clone());
    let seen = in_time.view("subscription:trial", "2024-02-16T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["data_kept"]),
        (&json!("Active"), &json!(true))
    );
    assert_eq!(
        (&seen["tenant"], &seen["end"]),
        (&json!("trial.example"), &json!("2025-02-15"))
    );
    let deleted = json!({ "tenant": "trial.example", "subscription": "trial" });
    let late = trial()
        .and("2024-03-02T09:00:00Z", "TrialDataDeleted", deleted)
        .and("2024-03-05T09:00:00Z", "TrialConverted", convert);
    let seen = late.view("subscription:trial", "2024-03-06T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["data_kept"]),
        (&json!("Active"), &json!(false))
    );
    let notes = json!(["ConvertedAfterDataWasDeleted", "DataDeletedUnadvised"]);
    assert_eq!(seen["notes"], notes);
}

#[test]
fn sign_up_beside_a_trial_leaves_the_trial_alone() {
    let told = trial()
        .and(
            "2024-01-10T09:00:00Z",
            "SignUpChosen",
            json!({ "license_id": "L1" }),
        )
        .and(
            "2024-01-10T09:05:00Z",
            "TenantCreated",
            json!({ "tenant": "new.example", "created_via": "SignUpChoice", "license_id": "L1" }),
        )
        .and(
            "2024-01-10T09:10:00Z",
            "ServicesBoundToTenant",
            json!({ "license_id": "L1", "tenant": "new.example", "basis": "SignUp" }),
        );
    let seen = told.view("agreement:L1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["tenant"], &seen["guard_broken"]),
        (&json!("new.example"), &json!(false))
    );
    assert_eq!(
        told.view("subscription:trial", "2024-01-11T00:00:00Z")["state"],
        "Trial"
    );
}

#[test]
fn overlapping_exports_fold_once() {
    let told = begun("2024-03-15").and(
        "2024-06-01T10:00:00Z",
        "KeysRedeemed",
        redeemed("rd-1", "a.example", KEY, "AddKeepEnd", 10),
    );
    let once = told.view("subscription:sub", "2024-07-01T00:00:00Z");
    let twice = Told([told.0.clone(), told.0].concat());
    assert_eq!(twice.view("subscription:sub", "2024-07-01T00:00:00Z"), once);
}

#[test]
fn credit_lasts_by_the_lot() {
    let lot = |lot: &str, on: &str, new: bool| {
        json!({
            "lot": lot, "key": KEY, "tenant": "a.example", "azure_subscription": "azure", "new_subscription": new,
            "amount": { "minor_units": 10_000, "currency": "EUR" }, "activated_on": on,
        })
    };
    let used = |lot: &str, amount: i64| json!({ "lot": lot, "amount": { "minor_units": amount, "currency": "EUR" } });
    let told = Told::new()
        .and(
            "2024-03-01T10:00:00Z",
            "CreditLotActivated",
            lot("one", "2024-03-01", true),
        )
        .and(
            "2024-09-01T10:00:00Z",
            "CreditLotActivated",
            lot("two", "2024-09-01", false),
        )
        .and("2024-10-01T10:00:00Z", "CreditConsumed", used("one", 4_000))
        .and(
            "2024-11-01T10:00:00Z",
            "CreditConsumed",
            used("two", 10_000),
        );
    let one = told.view("credit:one", "2024-12-01T00:00:00Z");
    assert_eq!(
        (&one["state"], &one["remaining"], &one["expires_on"]),
        (&json!("Active"), &json!(6_000), &json!("2025-03-01"))
    );
    let over = told.view("credit:one", "2025-03-02T00:00:00Z");
    assert_eq!(
        (&over["state"], &over["remaining"], &over["lost"]),
        (&json!("Expired"), &json!(0), &json!(6_000))
    );
    let two = told.view("credit:two", "2024-12-01T00:00:00Z");
    assert_eq!(
        (&two["state"], &two["expires_on"]),
        (&json!("Exhausted"), &json!("2025-09-01"))
    );
    let gone = told.and(
        "2024-12-05T10:00:00Z",
        "CreditForfeited",
        json!({ "lot": "one", "reason": "MovedToEnterprise" }),
    );
    let one = gone.view("credit:one", "2025-01-01T00:00:00Z");
    assert_eq!(
        (&one["state"], &one["lost"]),
        (&json!("Forfeited"), &json!(6_000))
    );
}

#[test]
fn an_enterprise_subscription_follows_its_agreement() {
    let told = Told::new()
        .and("2024-01-01T09:00:00Z", "AgreementSigned", json!({
            "license_id": "L1", "program": "Enterprise", "pcn": "P1", "customer": "C1",
            "start": "2024-01-01", "end": "2026-12-31", "contacts": [],
        }))
        .and("2024-02-01T10:00:00Z", "SubscriptionStarted", json!({
            "subscription": "sub", "tenant": "a.example", "sku": "E3", "seats": 50, "license_id": "L1",
        }));
    for (at, state) in [
        ("2026-12-31T23:00:00Z", "Active"),
        ("2027-03-31T00:00:00Z", "Grace"),
        ("2027-04-01T00:00:00Z", "Disabled"),
        ("2027-05-30T00:00:00Z", "Disabled"),
        ("2027-05-31T00:00:00Z", "Deleted"),
    ] {
        assert_eq!(told.view("subscription:sub", at)["state"], state, "{at}");
    }
    assert_eq!(
        told.view("subscription:sub", "2027-01-01T00:00:00Z")["next_change"],
        "2027-04-01"
    );
}
