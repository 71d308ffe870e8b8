//! The stories are the specification by example: these tests keep them readable, independent of
//! each other, free of real names, and complete with respect to the seed texts.

use ledger::event::{Fact, KindInfo, Payload};
use ledger::subject::{Subject, SubjectKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tests::story::{self, Story};

/// Kinds that one of the four seed texts speaks of; each occurs in some story.
const SEED_KINDS: &[&str] = &[
    // S0: Open programs.
    "AgreementSigned",
    "OrderPlaced",
    "KeyIssued",
    "KeyRevealed",
    "ActivationEmailSent",
    "ActivationEmailForwarded",
    "IdentityVerified",
    "ProfileEntered",
    "DomainOptionChosen",
    "ConfirmationGiven",
    "RedemptionStarted",
    "KeyEntered",
    "RedemptionReviewed",
    "RedemptionSubmitted",
    "ExistingSubscriptionsShown",
    "RedemptionModeChosen",
    "KeysRedeemed",
    "SubscriptionStarted",
    "SubscriptionRenewed",
    "SeatsAdded",
    "LicensesAssigned",
    "ActivationStatusObserved",
    "CreditLotActivated",
    "CreditConsumed",
    "CaseOpened",
    "SessionStarted",
    "SessionEnded",
    "VlRoleAssigned",
    "TenantRoleAssigned",
    // S1: partners, distribution, cached credentials.
    "PartnerRegistered",
    "OrderRelayed",
    "SupportEscalated",
    "DelegatedAdminGranted",
    // S2: scenarios, mail, choice, trial, bypass.
    "ContactChanged",
    "ActivationEmailScheduled",
    "ActivationEmailDelivered",
    "ActivationEmailResent",
    "ActivationLinkOpened",
    "ScenarioAssessed",
    "SignInChosen",
    "SignUpChosen",
    "TenantCreated",
    "AccountProfileCreated",
    "OnlineServicesIdAdded",
    "AcknowledgementShown",
    "ServicesBoundToTenant",
    "ProvisioningConfirmed",
    "SubscriptionsReviewed",
    "TrialStarted",
    "TrialConverted",
    "TrialAbandoned",
    "TrialExpired",
    "TrialDeletionAdvised",
    "TrialDataDeleted",
    "BypassTransitioned",
    // S3: seats.
    "OfficeInstalled",
    "AgentStarted",
    "NotifierStarted",
    "DesktopSetupRun",
    "UserPrompted",
    "UserAuthenticated",
    "SeatProvisioned",
    "MachineRegistered",
    "MachineKeyIssued",
    "TblParametersSet",
    "SeatLicensed",
    "SeatRevalidated",
    "RevalidationFailed",
    "MachineBumped",
    "UserDeprovisioned",
    "UserReprovisioned",
    "SeatReset",
    "LicenseStateObserved",
    "UserNotified",
    "SubscriptionCancelled",
    // What undoes a mistake, and what happens without anybody's choice.
    "RedemptionReversed",
    "KeyReissued",
    "AuthorizationReceived",
    "TenantRemapped",
    "PartyNotified",
    "TenantRetired",
    "CaseClosed",
    "KeyRejected",
    "ServicesAutoAssigned",
];

/// The rules of the audit that exist; each is found by some story.
const CODES: &[&str] = &[
    "CHO001", "CHO002", "CHO003", "CHO004", "CHO005", "EML001", "EML002", "EML003", "EML004",
    "EML005", "EML006", "EML007", "EML008", "INV002", "INV003", "INV004", "INV006", "INV007",
    "INV008", "INV009", "INV010", "INV011", "INV013", "INV014", "INV016", "REV001", "REV002",
    "SEA001", "SEA002", "SEA003", "SEA004", "SEA005", "SEA006", "SEA007", "WTR001", "WTR002",
    "WTR003", "WTR004", "WTR005", "WTR006", "WTR007", "WTR008", "WTR009", "WTR010", "WTR011",
    "WTR012", "WTR013", "WTR014", "WTR015", "WTR016", "WTR017", "WTR018", "WTR019", "WTR020",
    "WTR021", "WTR022", "WTR023", "WTR024", "WTR025", "WTR026", "WTR027",
];

#[test]
fn every_line_is_a_fact_and_every_record_and_id_occurs_once() {
    let mut records = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for story in story::all() {
        assert!(!story.facts.is_empty(), "{} has no event", story.name);
        for fact in &story.facts {
            let record = fact.source.record.clone().expect("every line has a record");
            let source = (fact.source.system.clone(), record);
            let before = records.insert(source, story.name.clone());
            assert_eq!(before, None, "{} reuses a record", story.name);
            assert!(ids.insert(fact.id), "{} repeats an event", story.name);
        }
    }
}

#[test]
fn two_stories_share_no_subject() {
    let mut owners: BTreeMap<Subject, String> = BTreeMap::new();
    for story in story::all() {
        for subject in story.facts.iter().flat_map(Fact::subjects) {
            let owner = owners.entry(subject.clone()).or_insert(story.name.clone());
            assert_eq!(*owner, story.name, "both name {subject}");
        }
    }
}

#[test]
fn no_domain_and_no_network_is_a_real_one() {
    for story in story::all() {
        for text in story.lines().iter().flat_map(texts) {
            let domain = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
            let looks_like_domain = !domain.contains(char::is_whitespace)
                && domain.rsplit_once('.').is_some_and(|(_, last)| {
                    last.len() > 1 && last.chars().all(|c| c.is_ascii_alphabetic())
                });
            let fine = !(looks_like_domain || text.contains('@')) || domain.ends_with(".example");
            assert!(fine, "{}: {domain} is not under .example", story.name);
            if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
                assert!(address.is_documentation(), "{}: {address}", story.name);
            }
        }
    }
}

/// Every text in a JSON value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[test]
fn every_kind_that_a_seed_text_speaks_of_occurs() {
    let facts: Vec<Fact> = story::all().into_iter().flat_map(|s| s.facts).collect();
    let told: BTreeSet<&str> = facts.iter().map(|fact| fact.kind().name).collect();
    for kind in SEED_KINDS {
        assert!(KindInfo::named(kind).is_some(), "{kind} is no event kind");
        assert!(told.contains(kind), "no story tells of {kind}");
    }
}

#[test]
fn some_lines_are_out_of_order_and_some_facts_are_told_twice() {
    let mut late = 0;
    let mut twice = 0;
    for story in story::all() {
        let facts = &story.facts;
        let starts: Vec<_> = facts.iter().map(|fact| fact.occurred_at.start).collect();
        late += starts.windows(2).filter(|pair| pair[0] > pair[1]).count();
        let mut redemptions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for fact in facts {
            if let Payload::KeysRedeemed(redeemed) = &fact.payload {
                let systems = redemptions
                    .entry(redeemed.redemption.to_string())
                    .or_default();
                systems.insert(fact.source.system.to_string());
            }
        }
        twice += redemptions.values().filter(|s| s.len() > 1).count();
    }
    assert!(late >= 8, "only {late} lines are out of order");
    assert!(
        twice >= 3,
        "only {twice} redemptions are told by two systems"
    );
}

#[test]
fn every_rule_has_a_story_that_it_finds() {
    let stories = story::all();
    let findings = stories.iter().flat_map(|story| &story.expected.findings);
    let found: BTreeSet<&str> = findings
        .flat_map(|finding| finding.codes.iter().map(String::as_str))
        .collect();
    assert_eq!(found, CODES.iter().copied().collect());
}

#[test]
fn what_is_expected_speaks_of_what_the_story_tells() {
    for story in story::all() {
        let name = &story.name;
        let expected = &story.expected;
        assert!(expected.story.ends_with('.'), "{name} has no sentence");
        let known: BTreeSet<Subject> = story.facts.iter().flat_map(Fact::subjects).collect();
        let tenant = |id: &str| known.contains(&Subject::new(SubjectKind::Tenant, id));
        for finding in &expected.findings {
            let about = Subject::parse(&finding.about);
            let about = about.unwrap_or_else(|| panic!("{name}: {}", finding.about));
            assert!(known.contains(&about), "{name} does not tell of {about}");
            assert!(["Open", "Compensated"].contains(&finding.state.as_str()));
            let severities = ["critical", "high", "medium"];
            assert!(severities.contains(&finding.severity.as_str()));
            assert!(finding.codes.is_sorted() && !finding.codes.is_empty());
            if finding.expected.is_empty() && finding.actual.is_empty() {
                continue;
            }
            let words = ["born of this choice", "unknown"];
            let expects = words.contains(&finding.expected.as_str()) || tenant(&finding.expected);
            assert!(expects, "{name}: {}", finding.expected);
            assert!(tenant(&finding.actual), "{name}: {}", finding.actual);
        }
        let landings = landings(&story);
        assert_eq!(
            expected.judged + expected.not_judged,
            landings.len(),
            "{name} tells of the landings {landings:?}"
        );
        for view in &expected.views {
            let subject = story::subject(&view.subject);
            assert!(
                known.contains(&subject),
                "{name} does not tell of {subject}"
            );
            assert!(
                !view.fields.is_empty(),
                "{name} asserts nothing of {subject}"
            );
        }
    }
}

/// The landings of a story, counted as simply as can be: one a redemption (one for a key that was
/// redeemed twice in one tenant), one a credit lot, one an agreement that was bound or assigned
/// without a key.
fn landings(story: &Story) -> BTreeSet<String> {
    let mut landings = BTreeSet::new();
    let mut of_key = BTreeMap::new();
    for fact in &story.facts {
        match &fact.payload {
            Payload::KeysRedeemed(redeemed) => {
                let key = redeemed.keys.first().map(|key| key.key);
                let place = (key, redeemed.tenant.clone());
                let own = redeemed.redemption.to_string();
                let first = match key {
                    Some(_) => of_key.entry(place).or_insert(own).clone(),
                    None => own,
                };
                landings.insert(format!("redemption:{first}"))
            }
            Payload::CreditLotActivated(lot) => landings.insert(format!("credit:{}", lot.lot)),
            Payload::ServicesAutoAssigned(one) => {
                landings.insert(format!("agreement:{}", one.license_id))
            }
            Payload::ServicesBoundToTenant(bound) => landings.insert(match &bound.redemption {
                Some(redemption) => format!("redemption:{redemption}"),
                None => format!("agreement:{}", bound.license_id),
            }),
            _ => false,
        };
    }
    landings
}
