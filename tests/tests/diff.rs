//! Diff over the stories: rows aligned by cause, the same from either side, and nothing at all
//! between a tenant and itself.

use ledger::id::TenantId;
use ledger::time::Timestamp;
use projections::{At, Histories, Point};
use replay::diff::{Diff, Row, Seen, Side, Status, diff};
use std::collections::BTreeSet;
use tests::story;

const WRONG: &str = "halloranfoods.onmicrosoft.example";
const RIGHT: &str = "fennimorebikes.onmicrosoft.example";
const CACHED: &str = "open-cached-credentials-compensated";

fn histories(name: &str) -> Histories {
    let stories = story::all();
    let story = stories.into_iter().find(|story| story.name == name);
    Histories::gather(story::record(story.expect("the story is there").facts))
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("a tenant")
}

fn between(at: &At<'_>, left: &TenantId, right: &TenantId) -> Diff {
    diff(Side { at, tenant: left }, Side { at, tenant: right }).expect("both are known")
}

fn at(histories: &Histories, valid_at: &str) -> Timestamp {
    assert!(!histories.is_empty());
    Timestamp::parse(valid_at).expect("a time")
}

fn row<'d>(diff: &'d Diff, cause: &str) -> &'d Row {
    let row = diff.rows.iter().find(|row| row.cause == cause);
    row.unwrap_or_else(|| panic!("{cause} is not in {:#?}", diff.rows))
}

#[test]
fn the_order_that_went_astray_is_one_row_moved_and_then_compensated() {
    let histories = histories(CACHED);
    let end = Point::valid(at(&histories, "2024-05-01T00:00:00Z"));
    let whole = between(&histories.at(end), &tenant(WRONG), &tenant(RIGHT));
    let astray = row(&whole, "order:PO-4720954");
    assert_eq!(astray.status, Status::Compensated, "{astray:#?}");
    let kinds: Vec<(&str, Seen)> = astray
        .chain
        .iter()
        .map(|link| (link.kind, link.seen))
        .collect();
    for step in [
        ("OrderPlaced", Seen::Neither),
        ("KeysRedeemed", Seen::Left),
        ("RedemptionReversed", Seen::Left),
        ("KeyReissued", Seen::Neither),
        ("KeysRedeemed", Seen::Right),
    ] {
        assert!(kinds.contains(&step), "{step:?} is not in {kinds:#?}");
    }
    assert!(astray.chain.is_sorted_by_key(|link| link.at.start));
    assert_eq!(row(&whole, "order:PO-1033886").status, Status::OnlyLeft);
    let seats = whole.fields.iter().find(|field| field.field == "seats");
    let seats = seats.map(|field| (field.left.clone(), field.right.clone()));
    assert_eq!(seats, Some((60.into(), 25.into())));

    let before = Point::valid(at(&histories, "2024-03-13T00:00:00Z"));
    let before = between(&histories.at(before), &tenant(WRONG), &tenant(RIGHT));
    assert_eq!(row(&before, "order:PO-4720954").status, Status::OnlyLeft);
}

#[test]
fn a_key_redeemed_in_both_tenants_and_in_none_reversed_is_moved() {
    let stories = story::all();
    let story = stories.into_iter().find(|story| story.name == CACHED);
    let mut facts = story.expect("the story is there").facts;
    facts.retain(|fact| fact.kind().name != "RedemptionReversed");
    let histories = Histories::gather(story::record(facts));
    let end = Point::valid(at(&histories, "2024-05-01T00:00:00Z"));
    let found = between(&histories.at(end), &tenant(WRONG), &tenant(RIGHT));
    assert_eq!(row(&found, "order:PO-4720954").status, Status::Moved);
}

#[test]
fn a_remapped_agreement_is_compensated() {
    let histories = histories("ea-auto-assigned-to-the-consultants-tenant");
    let end = Point::valid(at(&histories, "2023-12-01T00:00:00Z"));
    let left = tenant("oakhelmadvisers.onmicrosoft.example");
    let right = tenant("bramertonrail.onmicrosoft.example");
    let found = between(&histories.at(end), &left, &right);
    let compensated = found
        .rows
        .iter()
        .filter(|row| row.status == Status::Compensated);
    assert_eq!(compensated.count(), 1, "{:#?}", found.rows);
}

#[test]
fn one_tenant_at_two_times_shows_what_happened_between() {
    let histories = histories(CACHED);
    let early = histories.at(Point::valid(at(&histories, "2024-03-11T09:00:00Z")));
    let late = histories.at(Point::valid(at(&histories, "2024-03-11T12:00:00Z")));
    let id = tenant(WRONG);
    let found = diff(
        Side {
            at: &early,
            tenant: &id,
        },
        Side {
            at: &late,
            tenant: &id,
        },
    )
    .expect("known");
    assert!(!found.is_empty());
    let seats = found
        .fields
        .iter()
        .find(|field| field.field == "seats")
        .expect("seats differ");
    assert_eq!((&seats.left, &seats.right), (&50.into(), &85.into()));
    assert!(found.rows.iter().all(|row| row.status != Status::OnlyLeft));
    assert_eq!(row(&found, "order:PO-1033886").status, Status::Matched);
}

/// Over every pair of tenants of all stories: the law is cheap to check on all of them.
#[test]
fn a_diff_mirrored_is_the_diff_from_the_other_side_and_a_tenant_does_not_differ_from_itself() {
    for story in story::all() {
        let histories = Histories::gather(story::record(story.facts));
        let latest = histories.latest_occurred().expect("events");
        let at = histories.at(Point::valid(latest));
        let ids: Vec<TenantId> = at
            .subjects(ledger::subject::SubjectKind::Tenant)
            .keys()
            .map(|id| tenant(id))
            .collect();
        for one in &ids {
            let same = between(&at, one, one);
            assert!(same.is_empty(), "{}: {one}: {same:#?}", story.name);
            for other in &ids {
                let there = between(&at, one, other);
                assert_eq!(
                    there.clone().mirrored(),
                    between(&at, other, one),
                    "{}",
                    story.name
                );
                // Every event of either history stands in exactly one row.
                let mut seen = BTreeSet::new();
                for link in there.rows.iter().flat_map(|row| &row.chain) {
                    assert!(seen.insert(link.event), "{}: {link:?} twice", story.name);
                }
                let own = [one, other].into_iter().flat_map(|id| {
                    let subject = ledger::event::subject_of(id);
                    at.of(&subject).map(|event| event.id).collect::<Vec<_>>()
                });
                for event in own {
                    assert!(seen.contains(&event), "{}: {event} is missing", story.name);
                }
            }
        }
    }
}

#[test]
fn an_unknown_tenant_is_an_error_with_near_names() {
    let histories = histories(CACHED);
    let end = histories.at(Point::valid(at(&histories, "2024-05-01T00:00:00Z")));
    let (known, unknown) = (tenant(WRONG), tenant("fennimore.onmicrosoft.example"));
    let error = diff(
        Side {
            at: &end,
            tenant: &known,
        },
        Side {
            at: &end,
            tenant: &unknown,
        },
    );
    let error = error.expect_err("it is not known");
    assert_eq!((error.tenant, error.near), (unknown, vec![tenant(RIGHT)]));
}
