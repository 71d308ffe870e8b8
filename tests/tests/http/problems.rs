//! Everything that is no answer is a problem (RFC 9457) that says what, why and what to do next.

use crate::server::{Answer, agent, serve, settings, store_of};
use crate::story;
use serde_json::Value;

fn assert_problem(answer: &Answer, status: u16, code: &str, what: &str) -> Value {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{what}"
    );
    let body = answer.json();
    assert_eq!(body["code"], code, "{what}");
    assert_eq!(body["status"], status, "{what}");
    assert_eq!(
        body["type"],
        format!("urn:activation-ledger:problem:{code}"),
        "{what}"
    );
    for field in ["title", "detail", "hint"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{what}: {field}"
        );
    }
    let _ = answer.position();
    assert!(answer.header("x-request-id").is_some(), "{what}");
    body
}

#[test]
fn a_bad_parameter_is_named() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    let tenant = "/v1/tenants/brackenhallpress.onmicrosoft.example";
    let history = "/v1/subjects/tenant/brackenhallpress.onmicrosoft.example/history";
    for (path, parameter) in [
        (format!("{tenant}?as_of=yesterday"), "as_of"),
        (format!("{tenant}?valid_at=2024-13-01"), "valid_at"),
        (format!("{tenant}?min_position=-1"), "min_position"),
        (format!("{tenant}?asof=1"), "query"),
        (format!("{tenant}?as_of=1&as_of=2"), "query"),
        ("/v1/tenants/jo.blake%40contoso.example".to_owned(), "id"),
        ("/v1/tenants/%20".to_owned(), "id"),
        ("/v1/tenants/a%0Ab".to_owned(), "id"),
        ("/v1/keys/AAAAA-BBBBB-CCCCC-DDDDD-EEEE2".to_owned(), "last5"),
        ("/v1/keys/7F3Q".to_owned(), "last5"),
        (format!("{history}?limit=0"), "limit"),
        (format!("{history}?limit=1001"), "limit"),
        (format!("{history}?after=x"), "after"),
        (format!("{history}?cursor=zz"), "cursor"),
        ("/v1/subjects/tennant/x/history".to_owned(), "kind"),
        ("/v1/findings?as_of=".to_owned(), "as_of"),
        ("/v1/tail?after=+1".to_owned(), "after"),
    ] {
        let body = assert_problem(&served.get(&path), 400, "bad_parameter", &path);
        assert_eq!(body["parameter"], parameter, "{path}");
    }
}

#[test]
fn a_path_that_is_no_text_is_a_bad_request() {
    let served = serve(store_of(Vec::new()), settings());
    let answer = served.get("/v1/tenants/%FF%FE");
    assert_problem(&answer, 400, "bad_request", "a path of other bytes");
}

#[test]
fn an_unknown_subject_comes_with_the_names_that_may_have_been_meant() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    for path in [
        "/v1/tenants/brackenhalpress.onmicrosoft.example",
        "/v1/subjects/tenant/brackenhallpres.onmicrosoft.example/history",
    ] {
        let body = assert_problem(&served.get(path), 404, "unknown_subject", path);
        assert_eq!(
            body["near"][0], "brackenhallpress.onmicrosoft.example",
            "{path}"
        );
        assert_eq!(body["position"], served.store.end().0);
    }
    for path in [
        "/v1/subscriptions/zzz",
        "/v1/agreements/1",
        "/v1/seats/00000000000000000000000000000000",
        "/v1/keys/ZZZZ9",
    ] {
        assert_problem(&served.get(path), 404, "unknown_subject", path);
    }
    assert_problem(
        &served.get("/v1/findings/F-0"),
        404,
        "unknown_finding",
        "a finding",
    );
}

#[test]
fn a_position_that_the_ledger_has_not_is_a_conflict() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    let tenant = "brackenhallpress.onmicrosoft.example";
    for (path, parameter) in [
        (format!("/v1/tenants/{tenant}?as_of=999999"), "as_of"),
        (
            format!("/v1/subjects/tenant/{tenant}/history?after=999999"),
            "after",
        ),
        (
            format!("/v1/subjects/tenant/{tenant}/history?as_of=999999"),
            "as_of",
        ),
        ("/v1/tail?after=999999".to_owned(), "after"),
    ] {
        let body = assert_problem(&served.get(&path), 409, "position_ahead", &path);
        assert_eq!(
            (body["parameter"].as_str(), &body["position"]),
            (Some(parameter), &served.store.end().0.into())
        );
    }
}

#[test]
fn unknown_routes_and_methods_are_problems_too() {
    let served = serve(store_of(Vec::new()), settings());
    for path in [
        "/",
        "/v1",
        "/v1/tenants/",
        "/v2/health",
        "/v1/subjects/tenant/x",
    ] {
        assert_problem(&served.get(path), 404, "unknown_route", path);
    }
    let url = format!("http://{}/v1/health", served.address);
    let response = agent().post(url).send("{}").unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}

#[test]
fn an_empty_ledger_answers() {
    let served = serve(store_of(Vec::new()), settings());
    assert_eq!(served.get("/v1/position").json()["position"], 0);
    assert_eq!(
        served.get("/v1/findings").json()["findings"],
        Value::Array(Vec::new())
    );
    assert_problem(
        &served.get("/v1/tenants/x"),
        404,
        "unknown_subject",
        "a view",
    );
}
