//! Appending decides in one place: what is known is known for ever, conditions hold for the whole
//! append or nothing of it happens, and nobody sees what is not durable.

use ledger::event::Fact;
use ledger::id::{Position, Revision};
use ledger::store::{AppendError, Condition, Known, Store};
use ledger::subject::{Subject, SubjectKind};
use tests::facts::{clock, session_started, tenant_created};

fn store() -> Store {
    Store::in_memory(clock()).unwrap()
}

fn tenant(id: &str) -> Subject {
    Subject::new(SubjectKind::Tenant, id)
}

fn facts(records: std::ops::Range<usize>) -> Vec<Fact> {
    let one = |record| tenant_created(record, &format!("t{record}.example"));
    records.map(one).collect()
}

#[test]
fn what_is_appended_is_read_by_position_subject_kind_and_id() {
    let store = store();
    let mut all = facts(0..3);
    all.push(session_started(9, "s-1", "t1.example"));
    let receipt = store.append(all.clone(), &[], Known::Refuse).unwrap();
    assert_eq!(
        (receipt.first, receipt.last),
        (Some(Position(1)), Position(4))
    );
    assert_eq!((receipt.appended, receipt.known), (4, 0));
    assert_eq!(store.end(), Position(4));

    let read: Vec<Fact> = store.read(Position(0)).map(|e| e.unwrap().fact).collect();
    assert_eq!(read, all);
    let history = store.history(&tenant("t1.example"), Position(0));
    let history: Vec<Position> = history.map(|e| e.unwrap().position).collect();
    assert_eq!(history, [Position(2), Position(4)]);
    assert_eq!(store.history(&tenant("t1.example"), Position(2)).count(), 1);
    assert_eq!(store.of_kind(all[0].kind().id, Position(0)).count(), 3);
    assert_eq!(store.revision(&tenant("t1.example")).unwrap(), Revision(2));
    assert_eq!(
        store.find(all[2].id).unwrap().unwrap().position,
        Position(3)
    );
    let tenants = store.subjects(SubjectKind::Tenant).unwrap();
    assert_eq!(
        tenants,
        [
            tenant("t0.example"),
            tenant("t1.example"),
            tenant("t2.example")
        ]
    );
}

#[test]
fn a_wholly_known_append_gets_its_first_receipt_even_if_its_conditions_no_longer_hold() {
    let store = store();
    let absent = [Condition::SubjectAbsent {
        subject: tenant("t1.example"),
    }];
    let first = store.append(facts(0..3), &absent, Known::Refuse).unwrap();
    let again = store.append(facts(0..3), &absent, Known::Refuse).unwrap();
    assert_eq!((again.first, again.last), (first.first, first.last));
    assert_eq!(again.recorded_at, first.recorded_at);
    assert_eq!((again.appended, again.known), (0, 3));
    assert_eq!(store.end(), Position(3));
}

#[test]
fn a_partly_known_append_is_refused_unless_it_skips_what_is_known() {
    let store = store();
    store.append(facts(0..3), &[], Known::Refuse).unwrap();
    let refused = store.append(facts(2..5), &[], Known::Refuse).unwrap_err();
    assert!(
        matches!(
            refused,
            AppendError::PartlyKnown {
                known: 1,
                offered: 3,
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(store.end(), Position(3));
    let skipped = store.append(facts(2..5), &[], Known::Skip).unwrap();
    assert_eq!((skipped.appended, skipped.known), (2, 1));
    assert_eq!(
        (skipped.first, skipped.last),
        (Some(Position(4)), Position(5))
    );
}

#[test]
fn a_known_id_with_other_content_is_always_a_conflict() {
    let store = store();
    store.append(facts(0..1), &[], Known::Refuse).unwrap();
    let mut other = facts(0..1);
    other[0].source.record = None;
    for known in [Known::Refuse, Known::Skip] {
        let refused = store.append(other.clone(), &[], known).unwrap_err();
        assert!(
            matches!(refused, AppendError::OtherContent { .. }),
            "{refused}"
        );
        assert!(refused.is_conflict());
    }
}

#[test]
fn an_id_that_stands_twice_is_refused_or_dropped() {
    let store = store();
    let twice = [facts(0..1), facts(0..1)].concat();
    let refused = store.append(twice.clone(), &[], Known::Refuse).unwrap_err();
    assert!(matches!(refused, AppendError::Repeated { .. }), "{refused}");
    let dropped = store.append(twice.clone(), &[], Known::Skip).unwrap();
    assert_eq!((dropped.appended, dropped.known), (1, 1));
    let mut differing = [facts(1..2), facts(1..2)].concat();
    differing[1].source.record = None;
    let refused = store.append(differing, &[], Known::Skip).unwrap_err();
    assert!(matches!(refused, AppendError::Repeated { .. }), "{refused}");
}

#[test]
fn one_condition_that_does_not_hold_refuses_the_whole_append() {
    let store = store();
    store.append(facts(0..3), &[], Known::Refuse).unwrap();
    let subject = tenant("t1.example");
    let holds = Condition::SubjectAt {
        subject: subject.clone(),
        revision: Revision(1),
    };
    let since = |position| Condition::SubjectUnchangedSince {
        subject: subject.clone(),
        position: Position(position),
    };
    let refused = [
        Condition::SubjectAbsent {
            subject: subject.clone(),
        },
        Condition::SubjectAt {
            subject: subject.clone(),
            revision: Revision(2),
        },
        since(1),
    ];
    for condition in refused {
        let conditions = [holds.clone(), condition];
        let error = store
            .append(facts(5..7), &conditions, Known::Refuse)
            .unwrap_err();
        assert!(error.is_conflict() && store.end() == Position(3), "{error}");
    }
    store
        .append(facts(5..7), &[holds, since(2)], Known::Refuse)
        .unwrap();
}

#[test]
fn recorded_time_never_goes_back() {
    struct Backwards(i64);
    impl ledger::time::Clock for Backwards {
        fn now(&mut self) -> ledger::time::Timestamp {
            self.0 -= 1;
            ledger::time::Timestamp::from_micros(self.0)
        }
    }
    let store = Store::in_memory(Box::new(Backwards(1_000))).unwrap();
    for record in 0..5 {
        store
            .append(facts(record..record + 1), &[], Known::Refuse)
            .unwrap();
    }
    let times: Vec<_> = store
        .read(Position(0))
        .map(|e| e.unwrap().recorded_at)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn after_closing_nothing_is_accepted_and_everything_is_still_read() {
    let store = store();
    store.append(facts(0..3), &[], Known::Refuse).unwrap();
    let other = store.clone();
    store.close().unwrap();
    let refused = other.append(facts(3..4), &[], Known::Refuse).unwrap_err();
    assert!(matches!(refused, AppendError::Closed), "{refused}");
    assert_eq!(other.read(Position(0)).count(), 3);
}
