//! When a write fails, nobody is told that it happened, nobody sees it, and what was acknowledged
//! before stays.

use ledger::event::Fact;
use ledger::id::Position;
use ledger::store::{AppendError, Known, Store};
use tests::facts::{clock, tenant_created};
use tests::faulty::{Fault, FaultyLog};
use tests::stores::SMALL_RUNS;

fn facts(records: std::ops::Range<usize>) -> Vec<Fact> {
    let one = |record| tenant_created(record, &format!("t{record}.example"));
    records.map(one).collect()
}

fn over(log: &FaultyLog) -> Store {
    Store::over(Box::new(log.clone()), clock(), SMALL_RUNS).unwrap()
}

fn append(store: &Store, records: std::ops::Range<usize>) -> ledger::store::Answer {
    store.append(facts(records), &[], Known::Refuse)
}

fn check_unseen(store: &Store, end: u64) {
    assert_eq!(store.end(), Position(end));
    assert_eq!(
        store.read(Position(0)).map(Result::unwrap).count() as u64,
        end
    );
    let unseen = facts(end as usize..end as usize + 1).remove(0);
    assert!(store.find(unseen.id).unwrap().is_none());
    let subject = unseen.subjects().remove(0);
    assert_eq!(store.revision(&subject).unwrap().0, 0);
    assert_eq!(store.history(&subject, Position(0)).count(), 0);
    assert!(store.event(Position(end + 1)).unwrap().is_none());
}

#[test]
fn a_failing_sync_is_ambiguous_and_nothing_more_is_accepted_until_the_store_is_opened_again() {
    for power_lost in [true, false] {
        let log = FaultyLog::default();
        let store = over(&log);
        append(&store, 0..3).unwrap();
        log.fail(Fault::Sync);
        let error = append(&store, 3..5).unwrap_err();
        assert!(matches!(error, AppendError::Ambiguous { .. }), "{error}");
        check_unseen(&store, 3);
        let error = append(&store, 5..6).unwrap_err();
        assert!(matches!(error, AppendError::Stopped), "{error}");
        drop(store);
        if power_lost {
            log.lose_power();
        }
        let store = over(&log);
        let again = append(&store, 3..5).unwrap();
        assert_eq!((again.first, again.last), (Some(Position(4)), Position(5)));
        assert_eq!(again.appended, if power_lost { 2 } else { 0 });
    }
}

#[test]
fn a_write_that_fails_halfway_is_ambiguous() {
    let log = FaultyLog::default();
    let store = over(&log);
    append(&store, 0..3).unwrap();
    log.fail(Fault::Write);
    let error = append(&store, 3..5).unwrap_err();
    assert!(matches!(error, AppendError::Ambiguous { .. }), "{error}");
    check_unseen(&store, 3);
    assert!(matches!(append(&store, 5..6), Err(AppendError::Stopped)));
}

#[test]
fn a_write_of_which_nothing_was_written_leaves_no_trace_and_the_store_goes_on() {
    let log = FaultyLog::default();
    let store = over(&log);
    append(&store, 0..3).unwrap();
    log.fail(Fault::NothingWritten);
    let error = append(&store, 3..5).unwrap_err();
    assert!(matches!(error, AppendError::NotAppended(_)), "{error}");
    check_unseen(&store, 3);
    let receipt = append(&store, 3..5).unwrap();
    assert_eq!((receipt.last, receipt.appended), (Position(5), 2));
}

#[test]
fn appends_that_wait_share_a_frame_and_a_sync_and_fail_together() {
    let log = FaultyLog::default();
    let store = over(&log);
    let submit = |record: usize| store.submit(facts(record..record + 1), vec![], Known::Refuse);
    let pending: Vec<_> = (0..500).map(submit).collect();
    for answer in pending {
        answer.wait().unwrap();
    }
    assert!(log.syncs() < 500, "{} syncs for 500 appends", log.syncs());
    assert_eq!(log.syncs(), log.frames());
    log.fail(Fault::Sync);
    let pending: Vec<_> = (500..600).map(submit).collect();
    let answers: Vec<_> = pending.into_iter().map(|pending| pending.wait()).collect();
    assert!(answers.iter().all(Result::is_err));
    assert!(matches!(answers[0], Err(AppendError::Ambiguous { .. })));
    check_unseen(&store, 500);
}

#[test]
fn more_than_an_append_may_hold_is_refused() {
    let store = over(&FaultyLog::default());
    let error = append(&store, 0..ledger::limits::APPEND_EVENTS_MAX + 1).unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { .. }), "{error}");
    assert_eq!(store.end(), Position(0));
    append(&store, 0..ledger::limits::APPEND_EVENTS_MAX).unwrap();
}
