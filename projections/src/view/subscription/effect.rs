//! The effects on a subscription, computed in order.

use super::SubscriptionState;
use crate::policy::{self, Afterlife, TermEnd};
use ledger::event::Event;
use ledger::id::RedemptionId;
use ledger::secret::KeyFingerprint;
use ledger::time::Date;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub(super) enum Change {
    Start {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Trial {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Convert {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Add {
        seats: u32,
    },
    Renew {
        seats: Option<u32>,
    },
    PooledAverage {
        seats: u32,
    },
    Shift {
        seats: i64,
    },
    Report {
        seats: Option<u32>,
        end: Option<Date>,
    },
    Disable,
    Delete,
    Reactivate {
        end: Option<Date>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) on: Date,
    pub(super) change: Change,
    pub(super) term: TermEnd,
    pub(super) redemption: Option<RedemptionId>,
    pub(super) keys: Vec<KeyFingerprint>,
    pub(super) observed_seats: Option<u32>,
    pub(super) observed_end: Option<Date>,
    /// How far the observed values were from the computed ones, in seats and days.
    pub(super) unexplained: (i64, i64),
}

impl Effect {
    pub(super) fn new(event: &Event, change: Change) -> Self {
        Self {
            on: event.occurred_at.start.date(),
            change,
            term: TermEnd::of(event),
            redemption: None,
            keys: Vec::new(),
            observed_seats: None,
            observed_end: None,
            unexplained: (0, 0),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    pub(super) started_on: Option<Date>,
    pub(super) anchor_day: i8,
    pub(super) trial: bool,
    pub(super) seats: i64,
    pub(super) end: Option<Date>,
    pub(super) disabled_on: Option<Date>,
    pub(super) deleted_on: Option<Date>,
}

/// Computes the effects in order, without the reversed ones. `learn` notes what is unexplained;
/// otherwise what was noted is applied, for reversed effects too.
pub(super) fn run(
    effects: &mut [Effect],
    reversed: &BTreeSet<RedemptionId>,
    afterlife: Afterlife,
    learn: bool,
) -> Running {
    let mut running = Running::default();
    for effect in effects {
        let skipped = effect
            .redemption
            .as_ref()
            .is_some_and(|r| reversed.contains(r));
        if !skipped {
            step(&mut running, effect, afterlife);
        }
        if learn {
            let seats = effect
                .observed_seats
                .map_or(0, |s| i64::from(s) - running.seats);
            let days = match (effect.observed_end, running.end) {
                (Some(observed), Some(computed)) => observed.days_since(computed),
                _ => 0,
            };
            effect.unexplained = (seats, days);
        }
        if running.started_on.is_some() {
            running.seats += effect.unexplained.0;
            running.end = running.end.map(|end| end.plus_days(effect.unexplained.1));
        }
    }
    running
}

fn step(running: &mut Running, effect: &Effect, afterlife: Afterlife) {
    let on = effect.on;
    match effect.change {
        Change::Start { seats, end } => {
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = false;
            running.seats += seats.map_or(0, i64::from);
            running.end = end.or_else(|| Some(effect.term.end(on, policy::TERM_MONTHS)));
        }
        Change::Trial { seats, end } => {
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = true;
            running.seats = seats.map_or(0, i64::from);
            running.end = end.or_else(|| Some(on.plus_days(policy::TRIAL_DAYS)));
        }
        Change::Convert { seats, end } => {
            running.trial = false;
            running.started_on = running.started_on.or(Some(on));
            running.anchor_day = on.day_of_month();
            running.seats = seats.map_or(running.seats, i64::from);
            running.end = end.or_else(|| Some(effect.term.end(on, policy::TERM_MONTHS)));
        }
        Change::Add { seats } => running.seats += i64::from(seats),
        Change::Renew { seats } => {
            running.seats = seats.map_or(running.seats, i64::from);
            renew(running, effect, afterlife);
        }
        Change::PooledAverage { seats } => pool(running, i64::from(seats), on),
        Change::Shift { seats } => running.seats += seats,
        Change::Report { seats, end } => {
            running.seats = seats.map_or(running.seats, i64::from);
            if let Some(end) = end {
                running.anchor_day = end.day_of_month();
                running.end = Some(end);
            }
        }
        Change::Disable => running.disabled_on = Some(on),
        Change::Delete => running.deleted_on = Some(on),
        Change::Reactivate { end } => {
            running.disabled_on = None;
            running.end = end.or(running.end);
        }
    }
}

/// `RenewFromEnd` while active or in grace, `RenewFromRedemption` after that (section 6).
fn renew(running: &mut Running, effect: &Effect, afterlife: Afterlife) {
    let on = effect.on;
    let from_end = running
        .end
        .filter(|end| on.days_since(*end) <= afterlife.grace_days && running.disabled_on.is_none());
    running.end = Some(match from_end {
        Some(end) => match effect.term {
            TermEnd::OnAnniversary => end.plus_months(policy::TERM_MONTHS, running.anchor_day),
            TermEnd::DayBeforeAnniversary => end
                .plus_days(1)
                .plus_months(policy::TERM_MONTHS, running.anchor_day)
                .plus_days(-1),
        },
        None => {
            running.anchor_day = on.day_of_month();
            running.disabled_on = None;
            effect.term.end(on, policy::TERM_MONTHS)
        }
    });
    running.trial = false;
    running.started_on = running.started_on.or(Some(on));
}

/// `PooledAverage`: time left is averaged over old and new seats, in whole days (E6).
fn pool(running: &mut Running, new: i64, on: Date) {
    let old = running.seats.max(0);
    let left = running.end.map_or(0, |end| end.days_since(on).max(0));
    let term = on
        .plus_months(policy::TERM_MONTHS, on.day_of_month())
        .days_since(on);
    let total = old.saturating_add(new);
    if total > 0 {
        let days = (old.saturating_mul(left)).saturating_add(new.saturating_mul(term)) / total;
        running.end = Some(on.plus_days(days));
    }
    running.anchor_day = on.day_of_month();
    running.seats = total;
    running.started_on = running.started_on.or(Some(on));
}

pub(super) fn state_on(
    running: &Running,
    effects: &[Effect],
    afterlife: Afterlife,
    today: Date,
) -> Option<SubscriptionState> {
    use SubscriptionState::{Active, Deleted, Disabled, Grace, Reversed, Trial, TrialExpired};
    if running.started_on.is_none() {
        return (!effects.is_empty()).then_some(Reversed);
    }
    if running.deleted_on.is_some() {
        return Some(Deleted);
    }
    if let Some(disabled_on) = running.disabled_on {
        let gone = today.days_since(disabled_on) > afterlife.disabled_days;
        return Some(if gone { Deleted } else { Disabled });
    }
    let Some(end) = running.end else {
        return Some(Active);
    };
    let past = today.days_since(end);
    let lasts = afterlife.grace_days + afterlife.disabled_days;
    Some(match running.trial {
        true if past <= 0 => Trial,
        true if past <= policy::TRIAL_DATA_DAYS => TrialExpired,
        true => Deleted,
        false if past <= 0 => Active,
        false if past <= afterlife.grace_days => Grace,
        false if past <= lasts => Disabled,
        false => Deleted,
    })
}
