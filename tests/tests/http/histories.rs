//! Subject histories a page at a time, and reading one's own writes.

use crate::server::{append, serve, settings, store_of};
use crate::{corpus, story};
use ledger::event::json::write_event;
use ledger::id::Position;
use ledger::secret::Pepper;
use ledger::subject::Subject;
use serde_json::Value;
use std::time::Duration;
use tests::facts::tenant_created;

const TENANT: &str = "tenant:brackenhallpress.onmicrosoft.example";
const HISTORY: &str = "/v1/subjects/tenant/brackenhallpress.onmicrosoft.example/history";

#[test]
fn the_pages_of_a_history_are_the_history_whatever_is_appended_meanwhile() {
    let served = serve(store_of(corpus()), settings());
    let subject = Subject::parse(TENANT).unwrap();
    let events = served.store.history(&subject, Position(0));
    let pepper = Pepper::public().id();
    let whole: Vec<Value> = events
        .map(|event| write_event(&event.unwrap(), pepper))
        .collect();
    assert!(whole.len() > 6, "the test needs several pages");
    let end = served.store.end().0;

    let mut paged = Vec::new();
    let mut path = format!("{HISTORY}?limit=3");
    loop {
        let answer = served.get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!(
            (body["position"].as_u64(), answer.position()),
            (Some(end), end)
        );
        paged.extend(body["events"].as_array().unwrap().iter().cloned());
        append(
            &served.store,
            vec![tenant_created(
                paged.len(),
                "brackenhallpress.onmicrosoft.example",
            )],
        );
        match body.get("next") {
            Some(next) => path = format!("{HISTORY}?limit=3&cursor={}", next.as_str().unwrap()),
            None => break,
        }
    }
    assert_eq!(paged, whole);
    let after = served.get(&format!("{HISTORY}?after={end}")).json();
    let new = after["events"].as_array().unwrap();
    assert!(
        !new.is_empty()
            && new
                .iter()
                .all(|event| event["position"].as_u64() > Some(end))
    );
}

#[test]
fn a_page_that_ends_with_the_history_names_no_next_one() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    let count = served.get(HISTORY).json()["events"]
        .as_array()
        .unwrap()
        .len();
    let exact = served.get(&format!("{HISTORY}?limit={count}")).json();
    assert_eq!(exact.get("next"), None);
    let short = served.get(&format!("{HISTORY}?limit={}", count - 1)).json();
    assert!(short["next"].is_string());
}

#[test]
fn a_cursor_is_good_for_its_own_history_only() {
    let served = serve(store_of(story("seat-through-all-four-states")), settings());
    let page = served.get(&format!("{HISTORY}?limit=1")).json();
    let next = page["next"].as_str().unwrap();
    let other = format!("/v1/subjects/agreement/32446903/history?cursor={next}");
    for path in [
        other,
        format!("{HISTORY}?after=1&cursor={next}"),
        format!("{HISTORY}?cursor=00"),
    ] {
        let answer = served.get(&path);
        assert_eq!(
            (answer.status, answer.json()["parameter"].as_str()),
            (400, Some("cursor")),
            "{path}"
        );
    }
}

#[test]
fn a_request_waits_for_what_its_caller_has_written() {
    let patient = tools::serve::Settings {
        position_wait: crate::server::PATIENCE,
        ..settings()
    };
    let served = serve(
        store_of(vec![tenant_created(1, "a.onmicrosoft.example")]),
        patient,
    );
    let store = served.store.clone();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        append(&store, vec![tenant_created(2, "b.onmicrosoft.example")]);
    });
    let answer = served.get("/v1/tenants/b.onmicrosoft.example?min_position=2");
    assert_eq!((answer.status, answer.position()), (200, 2));
    writer.join().unwrap();
}

#[test]
fn a_position_that_does_not_come_is_a_problem_with_the_advice_to_try_again() {
    let served = serve(
        store_of(vec![tenant_created(1, "a.onmicrosoft.example")]),
        settings(),
    );
    for path in [
        "/v1/position?min_position=2",
        "/v1/tenants/a.onmicrosoft.example?min_position=2",
        "/v1/subjects/tenant/a.onmicrosoft.example/history?min_position=2",
        "/v1/findings?min_position=18446744073709551615",
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.json()["code"], "position_not_reached");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.position(), 1);
    }
}

#[test]
fn readers_beside_a_writer_never_go_back_and_never_see_half_an_append() {
    let served = serve(
        store_of(vec![tenant_created(0, "t0.onmicrosoft.example")]),
        settings(),
    );
    let appends = 30;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=appends {
                let twins = [2 * n, 2 * n + 1];
                append(
                    &served.store,
                    twins
                        .map(|r| tenant_created(r, "t.onmicrosoft.example"))
                        .to_vec(),
                );
            }
        });
        for _ in 0..6 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 1 + 2 * appends as u64 {
                    let answer = served.get("/v1/subjects/tenant/t0.onmicrosoft.example/history");
                    let view = served.get("/v1/tenants/t0.onmicrosoft.example");
                    assert_eq!((answer.status, view.status), (200, 200));
                    assert!(answer.position() >= last && view.position() >= answer.position());
                    assert_eq!(view.json()["position"], view.position());
                    assert_eq!(view.position() % 2, 1, "appends are two events each");
                    last = view.position();
                }
            });
        }
    });
}
