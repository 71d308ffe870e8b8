//! What the seed texts tell of can be seen in some view: every row names the field that shows it,
//! and some history gives that field a value.

use ledger::subject::SubjectKind;
use ledger::subject::SubjectKind::{
    Activation, Agreement, Case, Credit, Customer, Email, Finding, Key, Link, Order, Partner, Pcn,
    Person, Redemption, Seat, Session, Subscription, Tenant,
};
use ledger::time::Timestamp;
use projections::view::{each_view, projection};
use projections::{Histories, Point};
use serde_json::Value;
use std::collections::BTreeSet;
use tests::arbitrary::{self, POINTS};
use tests::story;

/// A row of the seeds, the kind of view that shows it, and the field.
const ROWS: &[(&str, SubjectKind, &str)] = &[
    (
        "contact: Primary Contact",
        Agreement,
        "contacts.PrimaryContact",
    ),
    (
        "contact: Online Services Manager",
        Agreement,
        "contacts.OnlineServicesManager",
    ),
    (
        "contact: Online Administrator",
        Agreement,
        "contacts.OnlineAdministrator",
    ),
    (
        "contact: Notices Contact",
        Agreement,
        "contacts.NoticesContact",
    ),
    ("contacts on the order", Order, "contacts"),
    (
        "an order without the contacts that it needs (R2)",
        Order,
        "contacts_missing",
    ),
    ("contact roles of a person", Person, "contact_of"),
    (
        "volume-licensing roles that may redeem",
        Agreement,
        "vl_redeemers",
    ),
    (
        "global and billing administrators",
        Tenant,
        "administrators",
    ),
    ("recipient of record", Email, "recipient"),
    ("role of the recipient", Email, "role"),
    ("fallback of the recipient", Email, "fallback"),
    ("whom it could have gone to", Email, "candidates"),
    ("the rule that chose", Email, "rule"),
    ("public domain of the recipient", Email, "public_domain"),
    ("forwarded mail", Email, "forwarded"),
    ("who may redeem by it", Email, "permitted"),
    ("resent mail", Email, "resent_as"),
    ("the mail that a resent one repeats", Email, "repeats"),
    ("bounced or delivered", Email, "status"),
    (
        "a changed contact sends no mail",
        Agreement,
        "contacts_changed",
    ),
    ("no mail, and why", Agreement, "suppressed"),
    ("the link's end", Link, "expires"),
    ("the link opened", Link, "opened"),
    ("the link opened too late", Link, "opened_expired"),
    ("the link reactivated", Link, "reactivated"),
    ("the one choice", Activation, "choice"),
    ("a second choice", Activation, "second_choice"),
    ("the scenario", Agreement, "scenario"),
    ("the bypass", Agreement, "bypass"),
    ("a trial left behind", Subscription, "abandoned"),
    ("a converted trial's data", Subscription, "data_kept"),
    ("deletion that was advised", Subscription, "delete_on"),
    ("provisioning per service", Agreement, "services"),
    ("acknowledgement", Session, "acknowledged"),
    ("keys handled", Partner, "keys_handled"),
    ("keys shown, and how", Key, "revealed_by"),
    ("a key tried elsewhere", Key, "tried_in"),
    ("keyless", Redemption, "keyless"),
    ("flow, prefilled among them", Redemption, "flow"),
    ("page of entry", Redemption, "entry"),
    ("the mode", Redemption, "mode"),
    (
        "several keys at once, each with its result",
        Redemption,
        "keys",
    ),
    (
        "a batch that was refused in part",
        Redemption,
        "partly_refused",
    ),
    ("the right person's box", Redemption, "confirmed"),
    ("what was shown before Redeem", Redemption, "reviewed_end"),
    ("existing subscriptions shown", Redemption, "shown"),
    ("reversed", Redemption, "reversed_at"),
    ("Azure credit left", Credit, "remaining"),
    ("Azure credit's end", Credit, "expires_on"),
    (
        "new Azure subscription or top-up",
        Credit,
        "new_subscription",
    ),
    ("lag of 24 and 48 hours", Agreement, "portal.lag"),
    ("lag of an order", Order, "portal.shown"),
    ("separate sessions", Session, "separate"),
    ("cached credentials", Session, "unattended"),
    ("verified by telephone", Session, "verified_by"),
    ("profile entered", Session, "company"),
    ("domain chosen", Session, "domain_option"),
    ("subscriptions reviewed", Tenant, "first_reviewed"),
    ("partner on the order", Order, "partner"),
    ("distribution chain", Order, "relayed"),
    ("distributor received", Partner, "received"),
    ("delegation to a partner", Partner, "delegations"),
    ("what a partner redeemed", Partner, "redemptions"),
    ("support: purpose", Case, "purpose"),
    ("support: escalation", Case, "escalated"),
    ("support: authorisation", Case, "authorised_by"),
    ("support: steps", Case, "steps"),
    ("support: residuals", Case, "residuals"),
    ("a decision on a finding", Finding, "decided_at"),
    ("customers that belong together", Customer, "relations"),
    ("customer's tenants", Customer, "tenants_owned"),
    ("a customer number's agreements", Pcn, "agreements"),
    ("reservation: last cancellation", Order, "cancel_by"),
    ("return of an order", Order, "returned_after_days"),
    ("end of grace", Subscription, "grace_until"),
    ("next change of a subscription", Subscription, "next_change"),
    ("policies of a subscription", Subscription, "policies"),
    ("what nobody can explain", Subscription, "diverged"),
    ("agent", Seat, "agent_started"),
    ("notifier", Seat, "notifier_started"),
    ("components missing", Seat, "components_missing"),
    ("notifications to users", Seat, "notified"),
    ("prompts", Seat, "prompted"),
    ("OSPP: state of eight", Seat, "observed_state"),
    ("OSPP: every product", Seat, "printed"),
    ("OSS: registration", Seat, "registered"),
    ("Sell keys: machine key", Seat, "machine_key_last5"),
    ("30-day key", Seat, "machine_key_ttl_days"),
    ("AVS and TBL: parameters", Seat, "ttl_days"),
    ("AVS and TBL: service", Seat, "parameters_by"),
    ("desktop setup", Seat, "setup_ran"),
    ("bump", Seat, "bumped_for"),
    ("bump: whose place", Seat, "took_place_of"),
    ("deprovisioned", Seat, "user_deprovisioned"),
    ("reset", Seat, "reset_by"),
    ("reset requested", Seat, "reset_requested"),
    ("reinstalls", Seat, "former_installs"),
    ("clock", Seat, "clock_skew_seconds"),
    ("counted among five", Seat, "counted"),
    ("five installs", Person, "tenants"),
];

/// Whether a value says something.
fn tells(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[test]
fn every_row_of_the_seeds_is_visible() {
    let mut missing: BTreeSet<usize> = (0..ROWS.len()).collect();
    let stories = story::all().into_iter().map(|story| story.facts);
    let histories = stories.chain((0..60).map(|seed| arbitrary::history(seed, 250)));
    for facts in histories {
        let histories = Histories::gather(story::record(facts));
        for point in POINTS {
            let at = Timestamp::parse(point).expect("an instant");
            let at = histories.at(Point::valid(at));
            let wanted: BTreeSet<_> = missing.iter().map(|row| ROWS[*row].1).collect();
            for kind in wanted {
                let projection = projection(kind).expect("registered");
                each_view(&at, projection, &mut |_, view| {
                    missing.retain(|row| {
                        let (_, of, field) = ROWS[*row];
                        let pointer = format!("/{}", field.replace('.', "/"));
                        of != kind || !view.pointer(&pointer).is_some_and(tells)
                    });
                });
            }
            if missing.is_empty() {
                return;
            }
        }
    }
    let missing: Vec<_> = missing.into_iter().map(|row| ROWS[row]).collect();
    panic!("in no view: {missing:?}");
}
