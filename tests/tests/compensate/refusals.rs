//! What is refused, by a plan or by a step, and what is said then.

use super::*;

#[test]
fn a_key_that_cannot_be_the_new_one_is_refused_without_being_repeated() {
    let mut facts = mistake();
    let steps = all_steps(&plan_of(&facts));
    for (number, details) in &steps[..4] {
        assert_eq!(step(&mut facts, *number, details), Ok(false));
    }
    let (number, good) = &steps[4];
    for key in [
        "D6X7F-WF3GM-CB6DJ-VWFBG-T9BKQ",
        "CXR7Y-WR4W9-KJGJF-2M7DD-XT7M4",
        "short",
    ] {
        let mut details = good.clone();
        details.keys = vec![key.to_owned()];
        let refused = step(&mut facts, *number, &details).expect_err("refused");
        assert!(matches!(refused, Refusal::Wrong { .. }), "{refused:?}");
        assert!(!refused.to_string().contains("WF3GM") && !refused.to_string().contains("short"));
    }
    let mut none = good.clone();
    none.keys.clear();
    let refused = step(&mut facts, *number, &none);
    assert!(
        matches!(refused, Err(Refusal::Missing { .. })),
        "{refused:?}"
    );
    assert!(!format!("{good:?}").contains("QWERT"));
}

#[test]
fn the_guards_refuse_a_step_if_anything_moved_since_the_plan() {
    let store =
        Store::in_memory(Box::new(FixedClock(instant("2024-06-01T00:00:00Z")))).expect("a store");
    store
        .append(mistake(), &[], Known::Refuse)
        .expect("appended");
    let events: Vec<Event> = store
        .read(Position(0))
        .map(|event| event.expect("an event"))
        .collect();
    let histories = Histories::gather(events);
    let at = histories.at(Point::valid(instant("2024-06-01T00:00:00Z")));
    let id = finding(&at);
    let confirm = details("2024-03-20T10:00:00Z", "c-0");
    let applied = apply(&at, &id, 1, &confirm, &mut PublicKeyring).expect("applied");
    assert!(
        applied
            .guards
            .iter()
            .all(|guard| matches!(guard, Condition::SubjectUnchangedSince { .. }))
    );
    let moved = fact(json!({
        "kind": "SeatsAdded", "occurred_at": "2024-03-19T10:00:00Z",
        "source": { "system": "admin-center", "record": "late" },
        "data": { "subscription": "sub-fennimore-h", "added": 5 }
    }));
    store
        .append(vec![moved], &[], Known::Refuse)
        .expect("appended");
    let refused = store.append(applied.facts, &applied.guards, Known::Refuse);
    assert!(refused.is_err_and(|error| error.is_conflict()));
}

#[test]
fn a_later_redemption_into_the_same_subscription_is_entangled() {
    let mut facts = mistake();
    facts.push(fact(json!({
        "kind": "KeysRedeemed", "occurred_at": "2024-03-13T12:00:00Z",
        "source": { "system": "admin-center", "record": "late" },
        "data": {
            "redemption": "rd-late", "license_id": "23730657", "tenant": WRONG,
            "keys": [{ "key": "AAAAA-BBBBB-CCCCC-DDDDD-EEEE3", "seats": 60 }], "mode": "RenewPlus12",
            "effects": [{ "subscription": "sub-fennimore-h" }]
        }
    })));
    let late = facts.last().expect("the late one").id;
    match planned(&facts, "2024-03-14T11:00:00Z") {
        Err(Refusal::Entangled { obstacles }) => {
            assert_eq!(obstacles.len(), 1);
            assert_eq!(obstacles[0].event, late);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_was_redeemed_in_the_right_tenant_too_is_entangled() {
    let facts = facts_of("key-redeemed-in-two-tenants");
    let refused = planned(&facts, "2022-10-01T00:00:00Z");
    let Err(Refusal::Entangled { obstacles }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        obstacles[0].what.contains("wensleyopticians"),
        "{obstacles:?}"
    );
}

#[test]
fn an_unknown_finding_is_refused_with_near_names() {
    let facts = mistake();
    let histories = gathered(&facts);
    let at = histories.at(Point::valid(instant("2024-03-14T11:00:00Z")));
    let id = finding(&at);
    let near = format!("{}ZZZZ", id.get(..6).expect("an id"));
    let refused = plan(&at, &near).expect_err("refused");
    assert!(
        refused.is_misuse() && refused.hint().contains(&id),
        "{}",
        refused.hint()
    );
}

#[test]
fn every_finding_of_the_stories_has_a_plan_or_a_reason() {
    for story in story::all() {
        let histories = gathered(&story.facts);
        let latest = histories.latest_occurred().expect("events");
        let at = histories.at(Point::valid(latest));
        for finding in audit(&at).findings {
            match plan(&at, finding.id.as_str()) {
                Ok(plan) => assert!(
                    plan.proof.is_exact(),
                    "{}: {:#?}",
                    story.name,
                    plan.proof.residue
                ),
                Err(refusal) => println!("{}: {refusal}", story.name),
            }
        }
    }
}
