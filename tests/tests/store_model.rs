//! Whatever is appended, in whatever order, under whatever conditions and from however many threads,
//! the store does what a list and scans over it would do, also after opening again.

use ledger::event::Fact;
use ledger::id::{Position, Revision};
use ledger::store::{Condition, Known, Store};
use ledger::subject::{Subject, SubjectKind};
use proptest::prelude::*;
use std::sync::Mutex;
use tests::facts::{clock, session_started, tenant_created};
use tests::faulty::FaultyLog;
use tests::model::{Model, Outcome};
use tests::stores::{Place, SMALL_RUNS, create, open};

/// A fact that may be known, may name the same subjects as others, and may be a forgery of another.
fn fact(record: usize, forged: bool) -> Fact {
    let tenant = format!("t{}.example", record % 4);
    let mut fact = match record % 3 {
        0 => tenant_created(record, &tenant),
        _ => session_started(record, &format!("s-{}", record % 7), &tenant),
    };
    if forged {
        fact.source.record = None;
    }
    fact
}

/// Which facts, and whether they are forged; under which conditions.
type Append = (Vec<(usize, bool)>, Vec<Condition>, Known);

#[derive(Debug, Clone)]
enum Step {
    /// Appends that are submitted while the log is held up, so that they share frames.
    Appends(Vec<Append>),
    Reopen,
}

fn condition() -> impl Strategy<Value = Condition> {
    (0..5_usize, 0..3_u8, 0..6_u64, 0..40_u64).prop_map(|(tenant, sort, revision, position)| {
        let subject = Subject::new(SubjectKind::Tenant, format!("t{tenant}.example"));
        match sort {
            0 => Condition::SubjectAt {
                subject,
                revision: Revision(revision),
            },
            1 => Condition::SubjectAbsent { subject },
            _ => Condition::SubjectUnchangedSince {
                subject,
                position: Position(position),
            },
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let record = (0..60_usize, proptest::bool::weighted(0.02));
    let append = (
        proptest::collection::vec(record, 0..6),
        proptest::collection::vec(condition(), 0..2),
        prop_oneof![Just(Known::Refuse), Just(Known::Skip)],
    );
    prop_oneof![
        9 => proptest::collection::vec(append, 1..5).prop_map(Step::Appends),
        1 => Just(Step::Reopen),
    ]
}

fn follow<T>(
    steps: Vec<Step>,
    mut store: Store,
    hold_up: impl Fn() -> T,
    reopen: impl Fn(Store) -> Store,
) {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Appends(appends) => {
                let held_up = hold_up();
                let submitted: Vec<_> = appends
                    .into_iter()
                    .map(|(records, conditions, known)| {
                        let facts: Vec<Fact> =
                            records.into_iter().map(|(r, f)| fact(r, f)).collect();
                        let wanted = model.append(&facts, &conditions, known);
                        (store.submit(facts, conditions, known), wanted)
                    })
                    .collect();
                drop(held_up);
                for (pending, wanted) in submitted {
                    let answer = pending.wait();
                    assert_eq!(Outcome::of(&answer), wanted, "{answer:?}");
                }
            }
            Step::Reopen => {
                store = reopen(store);
                model.check(&store);
            }
        }
    }
    model.check(&store);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_does_what_a_list_would_do(steps in proptest::collection::vec(step(), 0..30)) {
        let log = FaultyLog::default();
        let over = || Store::over(Box::new(log.clone()), clock(), SMALL_RUNS).unwrap();
        follow(steps, over(), || log.hold_up(), |store| {
            store.close().unwrap();
            log.lose_power();
            over()
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_on_disk_does_what_a_list_would_do(steps in proptest::collection::vec(step(), 0..30)) {
        let place = Place::new();
        drop(create(&place.store()));
        follow(steps, open(&place.store()), || (), |store| {
            store.close().unwrap();
            open(&place.store())
        });
    }
}

#[test]
fn appends_of_many_threads_happen_as_if_one_after_the_other() {
    let log = FaultyLog::default();
    let store = Store::over(Box::new(log.clone()), clock(), SMALL_RUNS).unwrap();
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..6_usize {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                for round in 0..60_usize {
                    // Every thread counts the same tenant up, and everybody reads before writing.
                    let record = 3 * (thread * 1_000 + round * 4);
                    let facts = vec![fact(record, false), fact(record + 1, false)];
                    let subject = Subject::new(SubjectKind::Tenant, "t0.example");
                    loop {
                        let revision = store.revision(&subject).unwrap();
                        let conditions = vec![Condition::SubjectAt {
                            subject: subject.clone(),
                            revision,
                        }];
                        let known = Known::Refuse;
                        let answer = store
                            .submit(facts.clone(), conditions.clone(), known)
                            .wait();
                        let outcome = answer.is_ok().then(|| Outcome::of(&answer));
                        if let (Ok(receipt), Some(outcome)) = (answer, outcome) {
                            let one = (receipt.last, facts, conditions, outcome);
                            done.lock().unwrap().push(one);
                            break;
                        }
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    assert_eq!(done.len(), 360);
    done.sort_by_key(|(last, ..)| *last);
    let mut model = Model::default();
    for (_, facts, conditions, outcome) in done {
        assert_eq!(model.append(&facts, &conditions, Known::Refuse), outcome);
    }
    model.check(&store);
}
