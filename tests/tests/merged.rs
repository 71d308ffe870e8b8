//! Two addresses that turned out to be one person's are one person to the audit: nobody is accused of
//! not being themselves, and nobody has twice as many seats as one may.

use ledger::event::Fact;
use ledger::event::json::read_fact;
use ledger::secret::{Pepper, PublicKeyring};
use ledger::time::Timestamp;
use projections::{Histories, Point};
use replay::audit::audit;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::story::{self, Story};

/// The finding codes of a story, once with two of its persons merged and once without.
fn codes(name: &str, merged: Option<(&str, &str)>) -> Vec<BTreeSet<&'static str>> {
    let all = story::all();
    let story = all.iter().find(|story| story.name == name);
    let story: &Story = story.unwrap_or_else(|| panic!("no story {name}"));
    let mut facts = story.facts.clone();
    let latest = facts.iter().map(|fact| fact.occurred_at.last()).max();
    let known = Timestamp::parse("2021-04-02T00:00:00Z").expect("an instant");
    let latest = latest.expect("a story has events").max(known);
    facts.extend(merged.map(|(one, other)| merge(one, other)));
    let histories = Histories::gather(story::record(facts));
    let report = audit(&histories.at(Point::valid(latest)));
    report.findings.into_iter().map(|f| f.codes).collect()
}

/// Support finds out that two addresses are one person's.
fn merge(one: &str, other: &str) -> Fact {
    let name = |address: &str| {
        let line = json!({
            "kind": "UserDeprovisioned", "occurred_at": "2020-01-01",
            "source": {"system": "test", "record": "x"},
            "data": {"tenant": "any.onmicrosoft.example", "user": address}
        });
        let fact = read(&line);
        let subject = fact
            .subjects()
            .into_iter()
            .find(|s| s.kind.name() == "person");
        let id = subject.expect("a person is named").id;
        format!("person:{}:{id}", Pepper::public().id())
    };
    read(&json!({
        "kind": "PersonsMerged", "occurred_at": "2021-04-01T09:00:00Z",
        "source": {"system": "support-desk", "record": "merge"},
        "data": {"person": name(one), "with": name(other), "reason": "one mailbox"}
    }))
}

fn read(line: &Value) -> Fact {
    read_fact(line, &mut PublicKeyring).expect("the line is a fact")
}

#[test]
fn machines_under_two_addresses_of_one_user_are_counted_together_and_reported_once() {
    let (story, domain) = ("six-machines-of-two-users", "quarrendon-press.example");
    let (one, other) = (format!("olga.hirst@{domain}"), format!("o.hirst@{domain}"));
    assert!(codes(story, None).is_empty());
    let found = codes(story, Some((&one, &other)));
    assert_eq!(found, [BTreeSet::from(["SEA004"])]);
}

#[test]
fn a_contact_who_has_another_address_now_is_no_former_contact() {
    let (story, domain) = ("former-contact-redeems-at-home", "tarnbeck-ropes.example");
    let (one, other) = (format!("pat.grey@{domain}"), format!("pat.holt@{domain}"));
    assert_eq!(codes(story, None), [BTreeSet::from(["WTR019"])]);
    assert!(codes(story, Some((&one, &other))).is_empty());
}
