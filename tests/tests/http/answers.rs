//! Views, findings and the server's own routes agree with the libraries at the position they name.

use crate::server::{Served, append, serve, settings, store_of};
use crate::{corpus, story};
use ledger::id::Position;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use projections::view::view;
use projections::{Histories, Point};
use replay::audit::audit;
use serde_json::Value;
use std::collections::BTreeSet;

const TENANT: &str = "brackenhallpress.onmicrosoft.example";
const VALID_AT: &str = "2024-06-30T12:00:00Z";

fn histories(served: &Served) -> Histories {
    let events = served.store.read(Position(0));
    Histories::gather(events.map(|event| event.expect("the store can be read")))
}

fn point(served: &Served) -> Point {
    Point {
        as_of: served.store.end(),
        valid_at: Timestamp::parse(VALID_AT).unwrap(),
    }
}

fn path_of(subject: &Subject) -> Option<String> {
    let id = &subject.id;
    match subject.kind {
        SubjectKind::Tenant => Some(format!("/v1/tenants/{id}")),
        SubjectKind::Subscription => Some(format!("/v1/subscriptions/{id}")),
        SubjectKind::Agreement => Some(format!("/v1/agreements/{id}")),
        SubjectKind::Seat => Some(format!("/v1/seats/{id}")),
        SubjectKind::Order => Some(format!("/v1/orders/{id}")),
        SubjectKind::Email => Some(format!("/v1/emails/{id}")),
        SubjectKind::Session => Some(format!("/v1/sessions/{id}")),
        SubjectKind::Redemption => Some(format!("/v1/redemptions/{id}")),
        SubjectKind::Credit => Some(format!("/v1/credits/{id}")),
        SubjectKind::Customer => Some(format!("/v1/customers/{id}")),
        SubjectKind::Partner => Some(format!("/v1/partners/{id}")),
        SubjectKind::Case => Some(format!("/v1/cases/{id}")),
        _ => None,
    }
}

#[test]
fn every_view_of_the_corpus_is_the_projections_own() {
    let served = serve(store_of(corpus()), settings());
    let histories = histories(&served);
    let at = histories.at(point(&served));
    let mut seen = BTreeSet::new();
    for kind in SubjectKind::ALL.iter().copied() {
        for id in at.subjects(kind).keys().take(12) {
            let subject = Subject::new(kind, id);
            let Some(path) = path_of(&subject) else {
                continue;
            };
            let answer = served.get(&format!("{path}?valid_at={VALID_AT}"));
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            let body = answer.json();
            assert_eq!(body["view"], view(&at, &subject).unwrap(), "{path}");
            assert_eq!(body["subject"], subject.to_string());
            assert_eq!(body["valid_at"], VALID_AT);
            assert_eq!(body["position"], answer.position());
            assert_eq!(answer.position(), served.store.end().0);
            seen.insert(kind);
        }
    }
    assert_eq!(seen.len(), 12, "the corpus has each kind");
}

#[test]
fn keys_are_found_by_their_last_five_characters_in_either_case() {
    let served = serve(store_of(corpus()), settings());
    let histories = histories(&served);
    let at = histories.at(point(&served));
    let id = at.subjects(SubjectKind::Key).into_keys().next().unwrap();
    let last5 = id.rsplit('-').next().unwrap();
    for text in [last5.to_owned(), last5.to_lowercase()] {
        let body = served
            .get(&format!("/v1/keys/{text}?valid_at={VALID_AT}"))
            .json();
        let subject = Subject::new(SubjectKind::Key, id);
        let keys = body["keys"].as_array().unwrap();
        let key = keys
            .iter()
            .find(|key| key["subject"] == subject.to_string());
        assert_eq!(key.unwrap()["view"], view(&at, &subject).unwrap());
    }
}

#[test]
fn findings_are_those_of_the_audit_and_each_can_be_had_by_its_id() {
    let served = serve(store_of(corpus()), settings());
    let report = audit(&histories(&served).at(point(&served)));
    assert!(!report.findings.is_empty());
    let answer = served.get(&format!("/v1/findings?valid_at={VALID_AT}"));
    let body = answer.json();
    let ids: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .collect();
    let findings = body["findings"].as_array().unwrap();
    let answered: Vec<&str> = findings.iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(answered, ids);
    assert_eq!(body["judged"], report.judged);
    assert_eq!(body["position"], answer.position());
    for finding in findings {
        let id = finding["id"].as_str().unwrap();
        let one = served.get(&format!("/v1/findings/{id}?valid_at={VALID_AT}"));
        assert_eq!(&one.json()["finding"], finding);
    }
}

#[test]
fn the_present_is_the_servers_clock_and_the_past_is_asked_for() {
    let facts = story("seat-through-all-four-states");
    let served = serve(store_of(facts), settings());
    let now = served.get(&format!("/v1/tenants/{TENANT}")).json();
    assert_eq!(now["valid_at"], "2026-01-01T00:00:00.999999Z");
    let day = served
        .get(&format!("/v1/tenants/{TENANT}?valid_at=2019-02-01"))
        .json();
    assert_eq!(day["valid_at"], "2019-02-01T23:59:59.999999Z");
    assert_ne!(now["view"], day["view"]);

    let first = served.get(&format!("/v1/tenants/{TENANT}?as_of=1")).json();
    assert_eq!(first["position"], 1);
    assert_ne!(first["view"], now["view"]);
    // The clock of the store stands still at noon of 2024-06-30.
    let recorded = served.get(&format!("/v1/tenants/{TENANT}?as_of=2024-06-30T12:00:00Z"));
    assert_eq!(recorded.json()["position"], served.store.end().0);
    let before = served.get(&format!("/v1/tenants/{TENANT}?as_of=2024-06-30T11:59:59Z"));
    assert_eq!((before.status, before.position()), (404, 0));
    assert!(
        before.json()["hint"]
            .as_str()
            .unwrap()
            .contains("another point")
    );
}

#[test]
fn an_answer_that_the_caller_has_is_not_sent_again_until_it_changes() {
    let mut facts = story("seat-through-all-four-states");
    let last = facts.pop().unwrap();
    let served = serve(store_of(facts), settings());
    let path = format!("/v1/tenants/{TENANT}?valid_at={VALID_AT}");
    let tag = served.get(&path).header("etag").unwrap().to_owned();
    for tags in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let same = served.get_with(&path, &[("if-none-match", &tags)]);
        assert_eq!((same.status, same.text.as_str()), (304, ""));
        assert_eq!(same.position(), served.store.end().0);
    }
    append(&served.store, vec![last]);
    let moved = served.get_with(&path, &[("if-none-match", &tag)]);
    assert_eq!(moved.status, 200);
    assert_eq!(moved.position(), served.store.end().0);
}

#[test]
fn the_document_lists_exactly_the_routes_and_each_of_them_answers() {
    let served = serve(store_of(corpus()), settings());
    let document = served.get("/v1/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let documented: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let routes = BTreeSet::from([
        "/v1/health",
        "/v1/position",
        "/v1/openapi.json",
        "/v1/tenants/{id}",
        "/v1/subscriptions/{id}",
        "/v1/agreements/{id}",
        "/v1/seats/{id}",
        "/v1/keys/{last5}",
        "/v1/orders/{id}",
        "/v1/emails/{id}",
        "/v1/sessions/{id}",
        "/v1/redemptions/{id}",
        "/v1/credits/{id}",
        "/v1/customers/{id}",
        "/v1/partners/{id}",
        "/v1/cases/{id}",
        "/v1/tenants",
        "/v1/subscriptions",
        "/v1/agreements",
        "/v1/seats",
        "/v1/keys",
        "/v1/orders",
        "/v1/emails",
        "/v1/sessions",
        "/v1/redemptions",
        "/v1/credits",
        "/v1/customers",
        "/v1/partners",
        "/v1/cases",
        "/v1/subjects/{kind}/{id}/history",
        "/v1/findings",
        "/v1/findings/{id}",
        "/v1/tail",
    ]);
    assert_eq!(documented, routes);
    for path in routes.iter().filter(|path| **path != "/v1/tail") {
        let asked = path
            .replace("{kind}", "tenant")
            .replace("{last5}", "ZZZZ9")
            .replace("{id}", "no-such-thing");
        let answer = served.get(&asked);
        assert!(answer.header("x-request-id").is_some(), "{path}");
        let body: Value = answer.json();
        match path.contains('{') {
            true => assert_ne!(body["code"], "unknown_route", "{path}"),
            false => assert_eq!(answer.status, 200, "{path}"),
        }
        let operation = &document["paths"][*path]["get"];
        assert!(operation["summary"].is_string(), "{path} has no summary");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{path}: {parameter}");
        }
    }
}
