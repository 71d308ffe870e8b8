//! No answer holds a key, an address or a person's name of the stories, whatever is asked for.

use crate::corpus;
use crate::server::{serve, settings, store_of};
use ledger::id::holds_key;
use ledger::subject::SubjectKind;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keys, addresses and names of persons that the stories' files hold in clear.
fn canaries() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(tests::story::folder()).unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("events.jsonl")) else {
            continue;
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            gather(&serde_json::from_str(line).unwrap(), &mut found);
        }
    }
    found
}

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains('@') || holds_key(text) => {
            found.insert(text.to_lowercase());
        }
        Value::Array(list) => list.iter().for_each(|one| gather(one, found)),
        Value::Object(map) => {
            if let (Some(_), Some(Value::String(name))) = (map.get("address"), map.get("name")) {
                found.insert(name.to_lowercase());
            }
            map.values().for_each(|one| gather(one, found));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_answer_shows_a_key_or_a_person() {
    let canaries = canaries();
    assert!(canaries.len() > 50, "the stories name persons and keys");
    let served = serve(store_of(corpus()), settings());
    let mut answers = Vec::new();
    for kind in SubjectKind::ALL {
        let subjects = served.store.subjects(*kind).unwrap();
        for subject in subjects {
            let id = subject.id.replace(' ', "%20").replace('/', "%2F");
            answers.push(served.get(&format!(
                "/v1/subjects/{}/{id}/history?limit=1000",
                kind.name()
            )));
            let path = match kind {
                SubjectKind::Tenant => format!("/v1/tenants/{id}"),
                SubjectKind::Subscription => format!("/v1/subscriptions/{id}"),
                SubjectKind::Agreement => format!("/v1/agreements/{id}"),
                SubjectKind::Seat => format!("/v1/seats/{id}"),
                SubjectKind::Key => format!("/v1/keys/{}", id.rsplit('-').next().unwrap()),
                _ => continue,
            };
            answers.push(served.get(&path));
        }
    }
    for list in [
        "tenants",
        "subscriptions",
        "agreements",
        "seats",
        "keys",
        "orders",
        "emails",
    ]
    .into_iter()
    .chain([
        "sessions",
        "redemptions",
        "credits",
        "customers",
        "partners",
        "cases",
    ]) {
        answers.push(served.get(&format!("/v1/{list}?limit=1000")));
    }
    // What only the actor of some event names has a history and no view.
    let unknown = |status| status == 404;
    let answered = |status| status == 200 || unknown(status);
    assert!(answers.iter().all(|answer| answered(answer.status)));
    let unknown = answers.iter().filter(|answer| unknown(answer.status));
    assert!(unknown.count() * 20 < answers.len());
    answers.push(served.get("/v1/findings"));
    // What a caller sends is not sent back either.
    for sent in ["jo.blake@contoso.example", "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2"] {
        for path in [
            format!("/v1/tenants/{sent}"),
            format!("/v1/keys/{sent}"),
            format!("/v1/subjects/person/{sent}/history"),
            format!("/v1/subjects/{sent}/x/history"),
            format!("/v1/findings/{sent}"),
            format!("/v1/findings?{sent}=1"),
            format!("/v1/findings?as_of={sent}"),
            format!("/v1/emails?where=recipient={sent}"),
            format!("/v1/keys?sort={sent}"),
            format!("/v1/keys?cursor={sent}"),
            format!("/v1/keys?{sent}=1"),
            format!("/v1/{sent}"),
        ] {
            let answer = served.get(&path);
            assert!(answer.status >= 400, "{path}");
            assert!(!answer.text.contains(sent), "{path}: {}", answer.text);
        }
    }
    for answer in answers {
        let text = answer.text.to_lowercase();
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{canary} is in {text}");
        }
    }
}
