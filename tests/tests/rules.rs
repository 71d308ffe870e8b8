//! What every audit rule owes: a code in order, words for people, fields that exist, a story that
//! triggers it and the nearest innocent one that does not.

use ledger::event::KindInfo;
use ledger::event::field::{FieldInfo, Shape};
use replay::audit::rules::{Check, RULES};
use tests::story;

/// Every rule with a story that it finds something in, and the nearest story that it must not.
const TWINS: &[(&str, &str, &str)] = &[
    (
        "CHO001",
        "second-choice-a-day-later",
        "one-choice-told-by-two-systems",
    ),
    (
        "CHO002",
        "new-customer-chooses-sign-in",
        "bypass-customer-chooses-freely",
    ),
    (
        "CHO003",
        "choice-that-led-to-nothing",
        "choice-within-the-lag",
    ),
    (
        "CHO004",
        "signed-in-here-and-bound-there",
        "signed-in-and-bound-to-the-same-of-two",
    ),
    (
        "CHO005",
        "shown-as-not-activated-for-a-week",
        "shown-as-not-activated-for-a-day-and-a-half",
    ),
    (
        "EML001",
        "order-without-a-contact",
        "order-whose-contact-was-named-in-time",
    ),
    (
        "EML002",
        "mail-sent-to-a-former-contact",
        "contact-replaced-and-mail-sent-again",
    ),
    ("EML003", "mail-nobody-opened", "mail-opened-after-ten-days"),
    (
        "EML004",
        "link-opened-and-left-to-expire",
        "link-on-its-last-day",
    ),
    (
        "EML005",
        "mail-that-came-back",
        "mail-that-arrived-at-the-second-try",
    ),
    (
        "EML006",
        "order-names-another-contact",
        "order-names-the-new-contact",
    ),
    (
        "EML007",
        "mail-to-a-private-address",
        "mail-to-the-second-domain",
    ),
    (
        "EML008",
        "trial-deleted-unannounced",
        "trial-deleted-on-the-announced-day",
    ),
    (
        "INV002",
        "agreement-in-two-tenants",
        "agreement-with-two-keys-in-one-tenant",
    ),
    (
        "INV003",
        "reversed-key-redeemed-again",
        "reversed-key-and-its-replacement",
    ),
    (
        "INV004",
        "one-session-for-two-unknown-customers",
        "one-session-for-two-affiliates",
    ),
    (
        "INV006",
        "added-seats-moved-the-end",
        "added-seats-kept-the-end",
    ),
    (
        "INV007",
        "more-landed-than-was-ordered",
        "amended-order-landed-whole",
    ),
    (
        "INV008",
        "more-users-than-seats",
        "users-held-by-seats-in-grace",
    ),
    (
        "INV009",
        "mail-caused-by-a-change-of-contact",
        "mail-after-a-change-of-contact",
    ),
    (
        "INV010",
        "kept-trial-in-another-tenant",
        "kept-trial-in-its-own-tenant",
    ),
    (
        "INV011",
        "bypass-of-an-activated-subscription",
        "bypass-of-a-subscription-never-activated",
    ),
    (
        "INV013",
        "validity-that-moved-back",
        "validity-that-began-anew-after-a-reset",
    ),
    (
        "INV014",
        "credit-lot-that-ends-too-late",
        "credit-lot-used-up",
    ),
    (
        "INV016",
        "reversal-of-too-many-seats",
        "reversal-of-what-was-redeemed",
    ),
    (
        "REV001",
        "machine-overdue-beside-others",
        "machine-late-within-the-grace",
    ),
    (
        "REV002",
        "service-out-for-a-whole-tenant",
        "five-failures-in-five-weeks",
    ),
    (
        "SEA001",
        "machine-without-an-agent",
        "machine-whose-agent-was-repaired",
    ),
    (
        "SEA002",
        "machine-without-a-notifier",
        "machine-whose-notifier-starts-with-the-user",
    ),
    (
        "SEA003",
        "seat-that-works-on",
        "seat-that-was-given-back-its-user",
    ),
    (
        "SEA004",
        "six-machines-of-one-user",
        "sixth-machine-bumps-the-first",
    ),
    (
        "SEA005",
        "machine-forty-days-ahead",
        "machine-whose-clock-was-set",
    ),
    (
        "SEA006",
        "seats-added-in-the-grace",
        "seats-added-on-the-last-day",
    ),
    (
        "SEA007",
        "renewed-with-fewer-seats-than-users",
        "renewed-with-as-many-seats-as-users",
    ),
    (
        "WTR001",
        "partner-mixes-up-two-customers",
        "two-agreements-in-one-session",
    ),
    (
        "WTR002",
        "link-opened-while-signed-in-elsewhere",
        "cached-sign-in-to-the-right-tenant",
    ),
    (
        "WTR003",
        "redeemed-by-somebody-not-on-record",
        "redeemed-by-a-colleague-without-a-forward",
    ),
    (
        "WTR004",
        "redeemed-without-authority-over-the-tenant",
        "redeemed-in-the-hour-of-a-privileged-role",
    ),
    (
        "WTR005",
        "ea-auto-assigned-to-the-consultants-tenant",
        "subsidiary-in-the-parents-tenant",
    ),
    (
        "WTR006",
        "partner-redeems-into-its-own-tenant",
        "partner-buys-for-itself",
    ),
    (
        "WTR007",
        "partner-redeems-in-another-clients-tenant",
        "partner-redeems-in-the-parents-tenant",
    ),
    (
        "WTR008",
        "key-tried-in-a-second-tenant",
        "key-tried-again-in-the-same-tenant",
    ),
    (
        "WTR009",
        "redeemed-in-a-second-tenant-nobody-uses",
        "two-tenants-by-intent",
    ),
    (
        "WTR010",
        "trial-forgotten-signs-up",
        "trial-left-by-signing-up",
    ),
    (
        "WTR011",
        "new-customer-signs-in-to-an-older-tenant",
        "new-customer-had-a-trial-after-all",
    ),
    (
        "WTR012",
        "new-customer-signs-in",
        "customer-wrongly-assessed-as-new",
    ),
    (
        "WTR013",
        "assigned-to-the-managers-former-employer",
        "assigned-to-the-tenant-of-the-group",
    ),
    (
        "WTR014",
        "renewed-under-the-former-parents-number",
        "renewed-within-the-group",
    ),
    (
        "WTR015",
        "renewal-began-a-new-subscription",
        "second-subscription-beside-a-renewed-one",
    ),
    (
        "WTR016",
        "added-where-a-renewal-was-meant",
        "grown-before-the-renewal",
    ),
    (
        "WTR017",
        "redeemed-with-a-personal-account",
        "guest-with-a-personal-account",
    ),
    (
        "WTR018",
        "redeemed-in-a-tenant-that-users-made",
        "tenant-that-users-made-was-taken-over",
    ),
    (
        "WTR019",
        "redeemed-by-a-former-contact",
        "handed-over-to-the-former-contact",
    ),
    (
        "WTR020",
        "key-got-out",
        "brand-new-customer-with-a-new-domain",
    ),
    (
        "WTR021",
        "bypass-after-it-was-complete",
        "bypass-on-its-last-day",
    ),
    (
        "WTR022",
        "machine-still-licensed-by-the-old-tenant",
        "user-works-for-two-tenants",
    ),
    (
        "WTR023",
        "users-left-behind-after-a-remap",
        "users-taken-away-soon-after-a-remap",
    ),
    (
        "WTR024",
        "credit-on-another-customers-subscription",
        "credit-on-the-sister-companys-subscription",
    ),
    (
        "WTR025",
        "remap-took-another-agreement-along",
        "remap-of-all-agreements-as-asked",
    ),
    (
        "WTR026",
        "key-replaced-and-still-counting",
        "key-replaced-and-reversed-the-next-day",
    ),
    (
        "WTR027",
        "trial-signed-in-with-another-companys-account",
        "trial-kept-by-signing-in",
    ),
];

/// The families of rules, and the last number that each may have: DOMAIN has 27 kinds of wrong tenant
/// and 17 invariants.
const FAMILIES: &[(&str, u16)] = &[
    ("CHO", 99),
    ("EML", 99),
    ("INV", 17),
    ("REV", 99),
    ("SEA", 99),
    ("WTR", 27),
];

#[test]
fn codes_are_in_order_and_every_rule_explains_itself() {
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
    for rule in RULES {
        let family = FAMILIES.iter().find(|(name, _)| *name == rule.family());
        let (name, last) = family.unwrap_or_else(|| panic!("{}: no such family", rule.code));
        let number = rule.code.strip_prefix(name).map(str::parse::<u16>);
        assert!(
            matches!(number, Some(Ok(n)) if (1..=*last).contains(&n)) && rule.code.len() == 6,
            "{}",
            rule.code
        );
        for text in [
            rule.name,
            rule.meaning,
            rule.needs,
            rule.counter_evidence,
            rule.false_positives,
            rule.compensation,
        ] {
            assert!(text.len() > 10, "{}: {text:?}", rule.code);
        }
        for parameter in rule.parameters {
            assert!(
                !parameter.unit.is_empty() && parameter.doc.len() > 10,
                "{}",
                rule.code
            );
        }
    }
}

#[test]
fn every_field_that_a_rule_reads_exists() {
    for rule in RULES {
        let elsewhere = matches!(rule.check, Check::Elsewhere(_));
        assert_eq!(rule.inputs.is_empty(), elsewhere, "{}", rule.code);
        for input in rule.inputs {
            let (kind, field) = input.split_once('.').expect("Kind.field");
            let kind =
                KindInfo::named(kind).unwrap_or_else(|| panic!("{}: no kind {kind}", rule.code));
            let fields: Vec<FieldInfo> = (kind.fields)();
            let found = fields.iter().find(|info| info.name == field);
            let info = found.unwrap_or_else(|| panic!("{}: no field {input}", rule.code));
            assert!(
                !matches!(info.shape, Shape::Record(..)),
                "{}: {input} is a record",
                rule.code
            );
        }
    }
}

#[test]
fn every_rule_has_a_guilty_story_and_an_innocent_twin() {
    let stories = story::all();
    let codes = |name: &str| {
        let story = stories.iter().find(|story| story.name == name);
        let story = story.unwrap_or_else(|| panic!("no story {name}"));
        let findings = story.expected.findings.iter();
        findings
            .flat_map(|finding| finding.codes.clone())
            .collect::<Vec<_>>()
    };
    let checked = RULES
        .iter()
        .filter(|rule| !matches!(rule.check, Check::Elsewhere(_)));
    for rule in checked {
        let twins = TWINS.iter().find(|(code, _, _)| *code == rule.code);
        let (code, guilty, innocent) =
            twins.unwrap_or_else(|| panic!("{} has no twins", rule.code));
        assert!(
            codes(guilty).iter().any(|found| found == code),
            "{guilty} does not show {code}"
        );
        let accused = codes(innocent).iter().any(|found| found == code);
        assert!(!accused, "{innocent} is not innocent");
    }
}
