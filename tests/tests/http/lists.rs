//! Lists agree with the queries of the projections, page by page, whatever is appended meanwhile.

use crate::server::{Served, append, serve, settings, store_of};
use crate::{corpus, story};
use ledger::id::Position;
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::query::Query;
use projections::{Histories, Point, Seen};
use serde_json::{Value, json};

const VALID_AT: &str = "2024-06-30T12:00:00Z";

const LISTS: [(&str, SubjectKind); 13] = [
    ("tenants", SubjectKind::Tenant),
    ("subscriptions", SubjectKind::Subscription),
    ("agreements", SubjectKind::Agreement),
    ("seats", SubjectKind::Seat),
    ("keys", SubjectKind::Key),
    ("orders", SubjectKind::Order),
    ("emails", SubjectKind::Email),
    ("sessions", SubjectKind::Session),
    ("redemptions", SubjectKind::Redemption),
    ("credits", SubjectKind::Credit),
    ("customers", SubjectKind::Customer),
    ("partners", SubjectKind::Partner),
    ("cases", SubjectKind::Case),
];

/// A text as it may stand in a query.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn path_of(list: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    let parameters: Vec<String> = parameters.collect();
    format!("/v1/{list}?{}", parameters.join("&"))
}

fn rows_of(body: &Value) -> Vec<Value> {
    body["rows"].as_array().expect("a page has rows").clone()
}

/// What the projections themselves answer.
fn expected(
    served: &Served,
    kind: SubjectKind,
    filters: &[&str],
    sort: Option<&str>,
) -> Vec<Value> {
    let events = served.store.read(Position(0));
    let histories = Histories::gather(events.map(|event| event.expect("the store can be read")));
    let point = Point {
        as_of: served.store.end(),
        valid_at: Timestamp::parse(VALID_AT).unwrap(),
    };
    let seen = Seen::new(&histories, point);
    let mut query = Query::of(kind).unwrap();
    for filter in filters {
        query.filter(filter).unwrap();
    }
    if let Some(sort) = sort {
        query.sort(sort).unwrap();
    }
    let page = query.page(&seen, usize::MAX - 1, None);
    let rows = page.rows.iter();
    rows.map(|(subject, row)| json!({ "subject": subject.to_string(), "view": row.json() }))
        .collect()
}

#[test]
fn every_list_is_the_one_of_the_projections() {
    let served = serve(store_of(corpus()), settings());
    for (list, kind) in LISTS {
        let path = path_of(list, &[("valid_at", VALID_AT), ("limit", "1000")]);
        let answer = served.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let body = answer.json();
        let expected = expected(&served, kind, &[], None);
        assert!(!expected.is_empty() && expected.len() < 1000, "{list}");
        assert_eq!(rows_of(&body), expected, "{list}");
        assert_eq!(body["kind"], kind.name());
        assert_eq!(body["valid_at"], VALID_AT);
        assert_eq!(body["position"], answer.position());
        assert_eq!(body.get("next"), None, "{list}");
    }
}

#[test]
fn filters_hold_together_and_an_order_comes_before_the_id() {
    let served = serve(store_of(corpus()), settings());
    let filters = ["state=Active,Grace", "seats>=5"];
    let mut parameters = vec![
        ("valid_at", VALID_AT),
        ("sort", "-seats"),
        ("limit", "1000"),
    ];
    parameters.extend(filters.map(|filter| ("where", filter)));
    let body = served.get(&path_of("subscriptions", &parameters)).json();
    let kind = SubjectKind::Subscription;
    let expected_rows = expected(&served, kind, &filters, Some("-seats"));
    assert!(expected_rows.len() > 3);
    assert!(expected_rows.len() < expected(&served, kind, &[], None).len());
    assert_eq!(rows_of(&body), expected_rows);
    let one = served
        .get(&path_of("subscriptions", &parameters[..4]))
        .json();
    assert!(rows_of(&one).len() > expected_rows.len());
}

#[test]
fn the_pages_of_a_list_are_the_list_whatever_is_appended_meanwhile() {
    let mut facts = corpus();
    let later = facts.split_off(facts.len() / 2);
    let served = serve(store_of(facts), settings());
    for order in [&[][..], &[("sort", "-first_reviewed")]] {
        let all = [&[("valid_at", VALID_AT), ("limit", "1000")], order].concat();
        let whole = rows_of(&served.get(&path_of("tenants", &all)).json());
        assert!(whole.len() > 14);
        let first = [&[("valid_at", VALID_AT), ("limit", "7")], order].concat();
        let first = served.get(&path_of("tenants", &first)).json();
        append(&served.store, story("seat-through-all-four-states"));
        append(&served.store, later.clone());
        let mut rows = rows_of(&first);
        let mut next = first["next"].as_str().map(str::to_owned);
        while let Some(cursor) = next {
            let following = [&[("cursor", cursor.as_str()), ("limit", "7")], order].concat();
            let answer = served.get(&path_of("tenants", &following));
            let page = answer.json();
            assert_eq!(page["position"], first["position"]);
            assert_eq!(answer.position(), page["position"].as_u64().unwrap());
            assert_eq!(page["valid_at"], VALID_AT);
            rows.extend(rows_of(&page));
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!(rows, whole);
    }
    assert!(served.store.end() > Position(0));
}

#[test]
fn a_count_is_that_of_the_rows_and_their_seats() {
    let served = serve(store_of(corpus()), settings());
    let filter = "state=Active";
    let rows = expected(&served, SubjectKind::Subscription, &[filter], None);
    let seats: i64 = rows
        .iter()
        .filter_map(|row| row["view"]["seats"].as_i64())
        .sum();
    let asked = [("valid_at", VALID_AT), ("where", filter), ("count", "true")];
    let body = served.get(&path_of("subscriptions", &asked)).json();
    assert_eq!(body["count"], rows.len());
    assert_eq!(body["seats"]["seats"], seats);
    assert_eq!(body["position"], served.store.end().0);
    assert_eq!(body.get("rows"), None);
    let body = served.get("/v1/credits?count=true&as_of=0").json();
    assert_eq!((&body["count"], &body["position"]), (&json!(0), &json!(0)));
    let amounts = served.get(&path_of(
        "credits",
        &[("valid_at", VALID_AT), ("count", "true")],
    ));
    let amounts = amounts.json()["amounts"].as_array().unwrap().clone();
    assert!(
        amounts
            .iter()
            .any(|one| one["currency"] == "USD" || one["currency"] == "EUR")
    );
}

#[test]
fn what_cannot_be_asked_of_a_list_is_named() {
    let served = serve(store_of(corpus()), settings());
    let first = served.get("/v1/tenants?limit=2").json();
    let cursor = first["next"].as_str().unwrap();
    let other_order = path_of("tenants", &[("cursor", cursor), ("sort", "name")]);
    let other_kind = path_of("orders", &[("cursor", cursor)]);
    let with_point = path_of("tenants", &[("cursor", cursor), ("as_of", "1")]);
    let address = path_of("emails", &[("where", "recipient=jo.blake@contoso.example")]);
    for (path, parameter, told) in [
        ("/v1/tenants?where=seats", "where", "operators"),
        ("/v1/tenants?where=seets=1", "where", "did you mean seats?"),
        ("/v1/subscriptions?where=state=Actve", "where", "Active"),
        ("/v1/subscriptions?where=seats~1", "where", "operators"),
        ("/v1/subscriptions?sort=effects", "sort", "effects."),
        ("/v1/subscriptions?sort=no", "sort", "fields"),
        ("/v1/tenants?limit=0", "limit", "1000"),
        ("/v1/tenants?limit=1001", "limit", "1000"),
        ("/v1/tenants?count=yes", "count", "count=true"),
        ("/v1/tenants?count=true&sort=name", "count", "sort"),
        ("/v1/tenants?sort=name&sort=name", "query", "once"),
        ("/v1/tenants?filter=x", "query", "openapi"),
        ("/v1/tenants?as_of=x", "as_of", ""),
        ("/v1/tenants?cursor=00", "cursor", ""),
        (other_order.as_str(), "cursor", "order"),
        (other_kind.as_str(), "cursor", ""),
        (with_point.as_str(), "cursor", "as_of"),
        (address.as_str(), "where", "pseudonym"),
    ] {
        let answer = served.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["parameter"]),
            (&json!("bad_parameter"), &json!(parameter)),
            "{path}"
        );
        let hint = body["hint"].as_str().unwrap();
        assert!(hint.contains(told), "{path}: {hint}");
        assert!(!answer.text.contains("jo.blake"), "{path}: {}", answer.text);
    }
}

#[test]
fn a_cursor_of_a_longer_ledger_is_a_conflict() {
    let long = serve(store_of(corpus()), settings());
    let first = long.get("/v1/tenants?limit=2").json();
    let short = serve(store_of(story("seat-through-all-four-states")), settings());
    let cursor = first["next"].as_str().unwrap();
    let answer = short.get(&path_of("tenants", &[("cursor", cursor)]));
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (409, &json!("position_ahead"))
    );
}

#[test]
fn the_document_tells_the_fields_of_each_list() {
    let served = serve(store_of(Vec::new()), settings());
    let document = served.get("/v1/openapi.json").json();
    for (list, kind) in LISTS {
        let operation = &document["paths"][format!("/v1/{list}")]["get"];
        let description = operation["description"].as_str().unwrap();
        for (name, _) in (projections::query::Listing::of(kind).unwrap().fields)() {
            assert!(description.contains(&format!("`{name}`")), "{list}: {name}");
        }
    }
    let states = &document["paths"]["/v1/subscriptions"]["get"]["description"];
    assert!(states.as_str().unwrap().contains("`Grace`"));
    let parameters = document["paths"]["/v1/tenants"]["get"]["parameters"]
        .as_array()
        .unwrap();
    let of_filters = parameters
        .iter()
        .find(|one| one["name"] == "where")
        .unwrap();
    assert_eq!(of_filters["schema"]["type"], "array");
    assert_eq!(of_filters["required"], false);
}
