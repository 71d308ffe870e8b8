//! Queries: what can be asked is what views hold, pages are parts of one list, and what is said of
//! why a value is so is true of the events. The oracles fold everything, every time.

use ledger::event::Event;
use ledger::id::EventId;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use projections::query::{Cause, Cell, LISTINGS, Listing, Query, QueryError, why};
use projections::source::{Input, Unread};
use projections::view::{PROJECTIONS, view};
use projections::{Histories, Point, Seen};
use serde_json::Value;
use std::collections::BTreeSet;
use tests::story;

/// All stories in one ledger, each some days after its last event.
fn everything() -> Vec<Event> {
    let facts = story::all().into_iter().flat_map(|story| story.facts);
    // No story decides about a finding.
    let decided = serde_json::json!({
        "kind": "FindingConfirmed", "occurred_at": "2020-01-02",
        "source": { "system": "desk", "record": "d-1" },
        "data": { "finding": "F-00000000", "evidence_digest": "00" }
    });
    let decided = ledger::event::json::read_fact(&decided, &mut ledger::secret::PublicKeyring);
    story::record(facts.chain([decided.expect("an event")]))
}

fn points(events: &[Event]) -> Vec<Point> {
    let last = events.iter().map(|event| event.occurred_at.last()).max();
    let last = last.expect("stories have events");
    let days = [0, 40, 400, 3000].map(|days| last.plus_days(-days));
    days.into_iter().map(Point::valid).collect()
}

fn subjects(seen: &Seen<'_>, listing: &Listing) -> Vec<Subject> {
    let ids = seen.subjects(listing.kind, None, usize::MAX);
    ids.into_iter()
        .map(|id| Subject::new(listing.kind, id))
        .collect()
}

#[test]
fn every_projection_can_be_listed_by_every_field_that_its_view_has() {
    let events = everything();
    let histories = Histories::gather(events.clone());
    for projection in PROJECTIONS {
        let kind = projection.kind.name();
        let listing = Listing::of(projection.kind);
        let listing =
            listing.unwrap_or_else(|| panic!("{kind} has no listing in query/listing.rs"));
        let names: BTreeSet<&str> = (listing.fields)().iter().map(|(name, _)| *name).collect();
        let mut rows = 0;
        for point in points(&events) {
            let seen = Seen::new(&histories, point);
            for subject in subjects(&seen, listing) {
                let row = (listing.row)(&seen, &subject);
                let json = view(&seen, &subject).filter(|json| !json.is_null());
                assert_eq!(row.is_some(), json.is_some(), "{subject}");
                let (Some(row), Some(json)) = (row, json) else {
                    continue;
                };
                rows += 1;
                assert_eq!(row.json(), json, "{subject}");
                let fields = json.as_object().expect("a view is an object");
                let known: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
                assert_eq!(names, known, "the fields of {kind} in query/tables.rs");
                for (index, (name, _)) in (listing.fields)().iter().enumerate() {
                    same(
                        &row.cell(index),
                        &fields[*name],
                        &format!("{subject} {name}"),
                    );
                }
            }
        }
        assert!(rows > 0, "no story has a view of the kind {kind}");
    }
    assert_eq!(LISTINGS.len(), PROJECTIONS.len());
}

/// A cell says what the view's JSON says; a key is its last five characters in both.
fn same(cell: &Cell, json: &Value, what: &str) {
    assert_eq!(&cell.json(), json, "{what}");
}

/// The ids of a list, asked for in pages of some rows.
fn paged(query: &Query, seen: &Seen<'_>, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = query.page(seen, limit, after.as_ref());
        assert!(page.rows.len() <= limit);
        ids.extend(page.rows.iter().map(|(subject, _)| subject.id.clone()));
        match page.next {
            None => return ids,
            Some(next) => {
                assert_eq!(page.rows.len(), limit, "only the last page is short");
                after = Some(query.cursor(&next).expect("its own cursor"));
                assert_eq!(after.as_ref().map(|c| c.point), Some(seen.point()));
            }
        }
    }
}

#[test]
fn pages_of_any_size_are_the_whole_list_in_its_order() {
    let events = everything();
    let histories = Histories::gather(events.clone());
    for point in points(&events).into_iter().skip(1).take(1) {
        let seen = Seen::new(&histories, point);
        for listing in LISTINGS {
            let fields = (listing.fields)();
            let mut orders: Vec<String> = vec![String::new()];
            // All orders of all views would take minutes; each kind of field is among these.
            for (name, _) in fields.iter().step_by(4) {
                orders.extend([(*name).to_owned(), format!("-{name}")]);
            }
            for order in orders {
                let mut query = Query::of(listing.kind).expect("a listing");
                if !order.is_empty() && query.sort(&order).is_err() {
                    continue;
                }
                let wanted = in_order(&seen, listing, &order);
                // A sorted page costs the whole list, so that small pages are for short lists.
                let small = if order.is_empty() {
                    1
                } else {
                    wanted.len() / 5 + 1
                };
                for limit in [small, wanted.len().max(1), 1000] {
                    let got = paged(&query, &seen, limit);
                    assert_eq!(got, wanted, "{} by {order:?}, {limit}", listing.kind.name());
                }
            }
        }
    }
}

/// The obvious list: fold all, sort all.
fn in_order(seen: &Seen<'_>, listing: &Listing, order: &str) -> Vec<String> {
    let down = order.starts_with('-');
    let name = order.trim_start_matches('-');
    let index = (listing.fields)()
        .iter()
        .position(|(field, _)| *field == name);
    let mut rows: Vec<(Cell, String)> = subjects(seen, listing)
        .into_iter()
        .filter_map(|subject| {
            let row = (listing.row)(seen, &subject)?;
            let cell = index.map_or(Cell::Absent, |index| row.cell(index));
            Some((cell, subject.id))
        })
        .collect();
    rows.sort_by(|a, b| a.1.cmp(&b.1));
    let (mut present, absent): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(cell, _)| !cell.is_absent());
    present.sort_by(|a, b| {
        if down {
            b.0.order(&a.0)
        } else {
            a.0.order(&b.0)
        }
    });
    present
        .into_iter()
        .chain(absent)
        .map(|(_, id)| id)
        .collect()
}

#[test]
fn a_filter_and_its_opposite_are_a_list_and_its_rest_and_totals_add_up() {
    let events = everything();
    let histories = Histories::gather(events.clone());
    let seen = Seen::new(&histories, points(&events)[1]);
    let count = |kind, filter: Option<&str>| {
        let mut query = Query::of(kind).expect("a listing");
        if let Some(filter) = filter {
            query
                .filter(filter)
                .unwrap_or_else(|e| panic!("{filter}: {e}"));
        }
        let totals = query.totals(&seen);
        assert_eq!(totals.rows, paged(&query, &seen, 50).len() as u64);
        totals
    };
    for listing in LISTINGS {
        let all = count(listing.kind, None);
        for (index, (name, _)) in (listing.fields)().iter().enumerate() {
            let with = count(listing.kind, Some(&format!("{name}!=")));
            let without = count(listing.kind, Some(&format!("{name}=")));
            assert_eq!(with.rows + without.rows, all.rows, "{name}");
            let values: BTreeSet<String> = subjects(&seen, listing)
                .iter()
                .filter_map(|subject| Some((listing.row)(&seen, subject)?.cell(index)))
                .flat_map(|cell| cell.each().into_iter().cloned().collect::<Vec<_>>())
                .filter(|cell| !matches!(cell, Cell::Record(_)))
                .map(|cell| cell.json())
                .map(|json| json.as_str().map_or(json.to_string(), str::to_owned))
                .take(5)
                .collect();
            for value in values {
                let mut query = Query::of(listing.kind).expect("a listing");
                if matches!(
                    query.filter(&format!("{name}={value}")),
                    Err(QueryError::WholeRecord { .. })
                ) {
                    continue;
                }
                let is = count(listing.kind, Some(&format!("{name}={value}")));
                let not = count(listing.kind, Some(&format!("{name}!={value}")));
                assert!(is.rows > 0, "{name}={value}");
                assert_eq!(is.rows + not.rows, all.rows, "{name}={value}");
                for (field, sum) in &all.seats {
                    let parts = is.seats[field] + not.seats[field];
                    assert_eq!(parts, *sum, "{field} by {name}={value}");
                }
            }
        }
    }
}

#[test]
fn a_cursor_is_refused_by_every_other_question() {
    let events = everything();
    let histories = Histories::gather(events.clone());
    let seen = Seen::new(&histories, points(&events)[0]);
    let ask = |filters: &[&str], sort: Option<&str>| {
        let mut query = Query::of(ledger::subject::SubjectKind::Tenant).expect("a listing");
        for filter in filters {
            query.filter(filter).expect("a filter");
        }
        if let Some(sort) = sort {
            query.sort(sort).expect("a field");
        }
        query
    };
    let query = ask(&["seats>=0", "retired=false"], Some("-seats"));
    let next = query.page(&seen, 2, None).next.expect("there are more");
    assert!(query.cursor(&next).is_ok());
    let same = ask(&["retired = no", "seats >= 0"], Some("-seats"));
    assert!(
        same.cursor(&next).is_ok(),
        "the same question in other words"
    );
    for other in [
        ask(&["seats>=0"], Some("-seats")),
        ask(&["seats>=1", "retired=false"], Some("-seats")),
        ask(&["seats>=0", "retired=false"], Some("seats")),
        ask(&["seats>=0", "retired=false"], None),
        Query::of(ledger::subject::SubjectKind::Seat).expect("a listing"),
    ] {
        assert_eq!(other.cursor(&next), Err(QueryError::ForeignCursor));
    }
}

/// The value of a field, folded of some events alone.
fn naive(events: &[Event], point: Point, subject: &Subject, field: usize) -> Cell {
    let histories = Histories::gather(events.to_vec());
    let seen = Seen::new(&histories, point);
    let listing = Listing::of(subject.kind).expect("a listing");
    let row = (listing.row)(&seen, subject);
    row.map_or(Cell::Absent, |row| row.cell(field))
}

#[test]
fn why_names_exactly_the_events_without_which_the_value_would_be_another() {
    // Each story asks for some fields of one subject of every kind; all of them together for each.
    for (turn, story) in story::all().into_iter().enumerate() {
        let events = story::record(story.facts.clone());
        let last = events.iter().map(|event| event.occurred_at.last()).max();
        let point = Point::valid(last.expect("a story has events"));
        let histories = Histories::gather(events.clone());
        let seen = Seen::new(&histories, point);
        for listing in LISTINGS {
            let subjects = subjects(&seen, listing);
            let Some(subject) = subjects.get(turn % subjects.len().max(1)) else {
                continue;
            };
            for (field, (name, _)) in (listing.fields)().iter().enumerate() {
                if (field + turn) % 48 == 0 {
                    explained(&events, point, subject, field, name);
                }
            }
        }
    }
}

fn explained(events: &[Event], point: Point, subject: &Subject, field: usize, name: &str) {
    let what = format!("{subject} {name}");
    let histories = Histories::gather(events.to_vec());
    let now = naive(events, point, subject, field);
    let policies = projections::policy::Policies::default();
    let why = why(&histories, point, policies, subject, name).expect("a field");
    let Some(why) = why else {
        assert!(now.is_absent(), "{what}");
        return;
    };
    assert!(why.exact);
    assert_eq!(why.value, now, "{what}");
    let without = |out: &[EventId]| {
        let left = events.iter().filter(|event| !out.contains(&event.id));
        naive(&left.cloned().collect::<Vec<_>>(), point, subject, field)
    };
    let mut found: Vec<(EventId, Cell)> = why
        .decisive
        .iter()
        .map(|one| (one.event, one.otherwise.clone()))
        .collect();
    let mut wanted: Vec<(EventId, Cell)> = events
        .iter()
        .map(|event| (event.id, without(&[event.id])))
        .filter(|(_, otherwise)| *otherwise != now)
        .collect();
    found.sort_by_key(|(id, _)| *id);
    wanted.sort_by_key(|(id, _)| *id);
    assert_eq!(found, wanted, "{what}");
    if let Some(together) = &why.together {
        assert!(found.is_empty() && together.events.len() > 1, "{what}");
        assert_eq!(without(&together.events), together.otherwise, "{what}");
        assert_ne!(together.otherwise, now, "{what}");
        for one in &together.events {
            let fewer: Vec<_> = together
                .events
                .iter()
                .copied()
                .filter(|e| e != one)
                .collect();
            assert_eq!(without(&fewer), now, "{what}: {one} is superfluous");
        }
    }
    let mut value = Cell::Absent;
    let mut when = Timestamp::from_micros(i64::MIN);
    for change in &why.changes {
        assert_eq!(
            change.before, value,
            "{what}: each change begins where the last one ended"
        );
        assert_ne!(change.before, change.after, "{what}");
        value = change.after.clone();
        let at = match change.cause {
            Cause::Time(at) => at,
            Cause::Event(id) => {
                let event = events.iter().find(|event| event.id == id);
                event.expect("an event of the story").occurred_at.start
            }
        };
        assert!(at >= when && at <= point.valid_at, "{what}");
        when = at;
    }
    assert_eq!(value, now, "{what}: the last change gives the value");
}

/// A source that counts how often it is read.
struct Counting<'s> {
    source: &'s Histories,
    reads: std::sync::atomic::AtomicUsize,
}

impl projections::source::Source for Counting<'_> {
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread> {
        self.reads
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.source.inputs(subject)
    }

    fn changes(
        &self,
        subject: &Subject,
        visit: &mut dyn FnMut(&projections::source::Change),
    ) -> Result<(), Unread> {
        self.reads
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.source.changes(subject, visit)
    }

    fn subjects(
        &self,
        kind: ledger::subject::SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        self.source.subjects(kind, after, limit)
    }

    fn end(&self) -> ledger::id::Position {
        projections::source::Source::end(self.source)
    }
}

/// A tenant that is looked at every hour, and once has another name than before. Its country is said once.
fn observed_hourly(times: usize, renamed: usize) -> Vec<Event> {
    let facts = (0..times).map(|hour| {
        let (day, hour_of_day) = (hour / 24, hour % 24);
        let (month, day_of_month) = (day / 28 % 12 + 1, day % 28 + 1);
        let year = 2020 + day / 336;
        let mut data = serde_json::json!({
            "tenant": "contoso.onmicrosoft.example",
            "name": if hour < renamed { "Contoso" } else { "Fabrikam" },
        });
        if hour == times / 3 {
            data["country"] = "DE".into();
        }
        tests::facts::fact(&serde_json::json!({
            "kind": "TenantObserved",
            "occurred_at": format!("{year}-{month:02}-{day_of_month:02}T{hour_of_day:02}:00:00Z"),
            "source": { "system": "directory", "record": format!("r-{hour}") },
            "data": data
        }))
    });
    story::record(facts.collect::<Vec<_>>())
}

#[test]
fn why_over_a_long_history_finds_the_change_and_says_that_it_did_not_try_everything() {
    for times in [700, 5_000, 20_000] {
        let renamed = times * 5 / 7 + 3;
        let events = observed_hourly(times, renamed);
        let histories = Histories::gather(events.clone());
        let counting = Counting {
            source: &histories,
            reads: 0.into(),
        };
        let subject = Subject::parse("tenant:contoso.onmicrosoft.example").expect("a subject");
        let last = events.last().expect("events").occurred_at.last();
        let policies = projections::policy::Policies::default();
        let of = |field: &str| {
            let why = why(&counting, Point::valid(last), policies, &subject, field);
            why.expect("a field").expect("a view")
        };
        let name = of("name");
        assert!(!name.exact, "{times} events are too many to try each");
        assert_eq!(name.events, times);
        let text = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(name.value, text("Fabrikam"));
        let changes: Vec<_> = name
            .changes
            .iter()
            .map(|c| (c.cause, &c.before, &c.after))
            .collect();
        let cause = |number: usize| Cause::Event(events[number].id);
        assert_eq!(
            changes,
            [
                (cause(0), &Cell::Absent, &text("Contoso")),
                (cause(renamed), &text("Contoso"), &text("Fabrikam")),
            ]
        );
        // Every later event says the same, so that none alone is decisive.
        assert_eq!((name.decisive, name.together), (Vec::new(), None));
        let country = of("country");
        let decisive: Vec<_> = country
            .decisive
            .iter()
            .map(|one| (one.event, &one.otherwise))
            .collect();
        assert_eq!(decisive, [(events[times / 3].id, &Cell::Absent)]);
        let reads = counting.reads.into_inner();
        assert!(reads < 50, "{reads} reads of {times} events");
    }
}
