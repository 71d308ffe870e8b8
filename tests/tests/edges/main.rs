//! The edge cases of the domain reference, section 8: each is a named test over views. The table
//! maps every case to its test; those that other parts answer for name the test file that does.

mod choice;
mod key;
mod seat;
mod term;

use ledger::time::Timestamp;
use projections::{Histories, Point};
use serde_json::{Value, json};
use tests::told::Told;

/// Every case of section 8, and where it is tested.
const CASES: &[(&str, &str)] = &[
    (
        "key redeemed twice in the same tenant",
        "key_redeemed_twice_in_the_same_tenant_is_one_landing",
    ),
    (
        "key redeemed twice in another tenant",
        "key_redeemed_in_another_tenant_is_redeemed_twice",
    ),
    (
        "two renewals racing",
        "two_renewals_at_the_same_instant_add_two_terms",
    ),
    (
        "renewal key used in tenant B while the subscription is in A",
        "renewal_used_in_another_tenant_is_noted_and_moves_nothing",
    ),
    (
        "keys of two agreements in one redemption",
        "keys_of_two_agreements_in_one_redemption_bind_both",
    ),
    (
        "12 months over and from 29 February",
        "twelve_months_over_and_from_the_leap_day",
    ),
    (
        "redemption on the end day",
        "redemption_on_the_end_day_is_in_time",
    ),
    (
        "redemption after 1, 30, 31, 120, 121 days",
        "redemption_after_1_30_31_120_and_121_days",
    ),
    (
        "status not activated at 23, 25, 49 hours",
        "status_that_lags_23_25_and_49_hours",
    ),
    (
        "email forwarded twice and redeemed by the third person",
        "email_forwarded_twice_permits_the_third_person",
    ),
    (
        "OSM replaced between send and redemption",
        "manager_replaced_between_send_and_redemption",
    ),
    ("resend to an old address", "resend_to_an_old_address"),
    (
        "link opened after six months",
        "link_opened_after_six_months",
    ),
    (
        "sign-up by a customer with a trial",
        "sign_up_beside_a_trial_leaves_the_trial_alone",
    ),
    (
        "sign-in when no tenant existed",
        "sign_in_when_no_tenant_existed_breaks_the_guard",
    ),
    (
        "trial expiring between order and choice",
        "trial_expiring_between_order_and_choice",
    ),
    (
        "two OSMs for two License IDs of one PCN",
        "two_managers_for_two_agreements_of_one_number",
    ),
    (
        "License ID renewed under another PCN",
        "agreement_renewed_under_another_number",
    ),
    ("tenant renamed", "tenant_renamed"),
    (
        "domain moved between tenants",
        "domain_moved_between_tenants",
    ),
    (
        "partner acting by delegation in the customer's tenant, and in its own",
        "partner_by_delegation_and_in_its_own_tenant",
    ),
    (
        "guest account redeeming",
        "guest_account_redeems_across_tenants",
    ),
    (
        "sixth install while one is in EXTENDED_GRACE",
        "sixth_install_while_one_is_in_extended_grace",
    ),
    ("reinstall on day 29", "reinstall_on_day_29"),
    (
        "machine clock 40 days ahead and back",
        "machine_clock_40_days_ahead_and_back",
    ),
    (
        "month of no contact then success on day 59, 60, 61",
        "success_on_day_59_60_and_61_after_the_last_contact",
    ),
    ("daylight saving", "daylight_saving_is_stored_as_utc"),
    ("import of the same file twice", "tests/tests/cli/import.rs"),
    (
        "import of overlapping exports",
        "overlapping_exports_fold_once",
    ),
    (
        "import of a file cut off in the middle",
        "tests/tests/cli/import.rs",
    ),
    (
        "dstatus with four products, one of them the subscription",
        "four_products_and_one_subscription",
    ),
    (
        "stale grace SKU beside an active licence",
        "stale_grace_beside_an_active_licence",
    ),
    (
        "remaining grace in minutes disagreeing with days",
        "remaining_minutes_are_whole_days_cut_down",
    ),
    ("empty ledger", "empty_ledger"),
    ("a million events", "tests/bench/src/main.rs"),
];

#[test]
fn every_case_has_its_test() {
    let source = [
        include_str!("main.rs"),
        include_str!("choice.rs"),
        include_str!("key.rs"),
        include_str!("seat.rs"),
        include_str!("term.rs"),
    ]
    .concat();
    for (case, test) in CASES {
        if test.starts_with("tests/") {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            let path = path.parent().expect("the workspace").join(test);
            let inner = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(test);
            assert!(path.exists() || inner.exists(), "{case}: {test}");
        } else {
            assert!(source.contains(&format!("fn {test}()")), "{case}: {test}");
        }
    }
}

#[test]
fn daylight_saving_is_stored_as_utc() {
    let told = Told::new()
        .and(
            "2024-03-31T02:30:00+02:00",
            "SessionStarted",
            json!({ "session": "s1", "auth": "Interactive" }),
        )
        .and(
            "2024-10-27T02:30:00+01:00",
            "SessionStarted",
            json!({ "session": "s2", "auth": "Interactive" }),
        );
    let at = "2024-11-01T00:00:00Z";
    assert_eq!(
        told.view("session:s1", at)["started_at"],
        "2024-03-31T00:30:00Z"
    );
    assert_eq!(
        told.view("session:s2", at)["started_at"],
        "2024-10-27T01:30:00Z"
    );
}

#[test]
fn empty_ledger() {
    let told = Told::new();
    for subject in [
        "tenant:a.example",
        "subscription:sub",
        "agreement:L1",
        "order:o1",
        "seat:M1",
    ] {
        assert_eq!(told.view(subject, "2024-01-11T00:00:00Z"), Value::Null);
    }
    let histories = Histories::gather([]);
    let at = histories.at(Point::valid(Timestamp::MAX));
    let nothing = projections::view::state_hash(&at).expect("memory can be read");
    assert_eq!(nothing, blake3::hash(b"").to_hex().to_string());
}
