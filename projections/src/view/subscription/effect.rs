//! The effects on a subscription, computed in order.

use super::{Note, SubscriptionState};
use crate::policy::{AddEnd, Afterlife, Limits, Policies, Policy, RenewEnd, RenewSeats, TermEnd};
use crate::view::redemption::Undone;
use ledger::event::Event;
use ledger::id::RedemptionId;
use ledger::secret::KeyFingerprint;
use ledger::time::Date;
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
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
        retain: bool,
        seats: Option<u32>,
        end: Option<Date>,
    },
    Add {
        seats: u32,
    },
    Renew {
        seats: Option<u32>,
    },
    Shift {
        seats: i64,
    },
    Reduce {
        seats: u32,
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

impl Change {
    /// The word for it in views.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Start { .. } => "Started",
            Self::Trial { .. } => "TrialStarted",
            Self::Convert { .. } => "TrialConverted",
            Self::Add { .. } => "SeatsAdded",
            Self::Renew { .. } => "Renewed",
            Self::Shift { .. } => "SeatsShifted",
            Self::Reduce { .. } => "SeatsReduced",
            Self::Report { .. } => "Reported",
            Self::Disable => "Disabled",
            Self::Delete => "Deleted",
            Self::Reactivate { .. } => "Reactivated",
        }
    }
}

/// The policies that an event names.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Named {
    term_end: Option<TermEnd>,
    add_end: Option<AddEnd>,
    renew_end: Option<RenewEnd>,
    renew_seats: Option<RenewSeats>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effect {
    pub(super) on: Date,
    pub(super) change: Change,
    pub(super) named: Named,
    pub(super) redemption: Option<RedemptionId>,
    /// The redemption that a report belongs to: it says nothing new where that one is told itself.
    pub(super) told_for: Option<RedemptionId>,
    pub(super) keys: Vec<(KeyFingerprint, Option<u32>)>,
    pub(super) observed_seats: Option<u32>,
    pub(super) observed_end: Option<Date>,
}

impl Effect {
    pub(super) fn new(event: &Event, change: Change) -> Self {
        Self {
            on: event.occurred_at.start.date(),
            change,
            named: Named {
                term_end: TermEnd::named(event),
                add_end: AddEnd::named(event),
                renew_end: RenewEnd::named(event),
                renew_seats: RenewSeats::named(event),
            },
            redemption: None,
            told_for: None,
            keys: Vec::new(),
            observed_seats: None,
            observed_end: None,
        }
    }

    /// Seats that some of its keys brought.
    fn seats_of(&self, keys: &BTreeSet<KeyFingerprint>) -> u32 {
        let seats = self.keys.iter().filter(|(key, _)| keys.contains(key));
        seats.fold(0, |sum, (_, seats)| sum.saturating_add(seats.unwrap_or(0)))
    }
}

/// How far what a source observed was from what the policies compute, in seats and days.
pub(super) type Unexplained = (i64, i64);

/// What the rules are for one subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) policies: Policies,
    pub(super) afterlife: Afterlife,
    /// The last day of its agreement, where terms are aligned with that (E7).
    pub(super) agreement_end: Option<Date>,
    /// Whether they are.
    pub(super) aligned: bool,
}

impl Rules {
    fn limits(&self) -> &Limits {
        &self.policies.limits
    }
}

/// A subscription after an effect.
#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    pub(super) started_on: Option<Date>,
    anchor_day: i8,
    pub(super) trial: bool,
    pub(super) seats: i64,
    pub(super) end: Option<Date>,
    pub(super) disabled_on: Option<Date>,
    pub(super) deleted_on: Option<Date>,
    pub(super) data_kept: Option<bool>,
    pub(super) notes: BTreeSet<Note>,
    pub(super) policies: BTreeSet<Policy>,
}

/// Computes effects in order and shows what it came to after each. Without `known`, every effect
/// counts, and what is unexplained is found; with it, what was undone is left out, and what was
/// unexplained is applied, for undone effects too.
pub(super) fn run(
    effects: &[(&Effect, Undone)],
    rules: &Rules,
    known: Option<&[Unexplained]>,
    visit: &mut dyn FnMut(&Effect, &Undone, &Running, Unexplained),
) -> (Running, Vec<Unexplained>) {
    let mut running = Running::default();
    let mut found = Vec::with_capacity(effects.len());
    for (index, (effect, undone)) in effects.iter().enumerate() {
        match (known, undone) {
            (None, _) | (Some(_), Undone::Nothing) => step(&mut running, effect, 0, rules),
            (Some(_), Undone::Keys(keys)) => {
                step(&mut running, effect, effect.seats_of(keys), rules);
            }
            (Some(_), Undone::Whole) => {}
        }
        let unexplained = match known {
            Some(known) => known.get(index).copied().unwrap_or_default(),
            None => unexplained(effect, &running),
        };
        found.push(unexplained);
        if running.started_on.is_some() {
            running.seats = running.seats.saturating_add(unexplained.0);
            running.end = running.end.map(|end| end.plus_days(unexplained.1));
        }
        visit(effect, undone, &running, unexplained);
    }
    (running, found)
}

/// Leaves out every reduction that only tells what a renewal with fewer seats did already: of as many seats as
/// the renewal took, while a status may still lag behind it. One fact that is told twice counts once (section 7).
pub(super) fn leave_out_reductions_told_twice(effects: &mut Vec<(&Effect, Undone)>, rules: &Rules) {
    let late = rules.limits().status_late_hours / 24;
    let reduces = |effect: &Effect| matches!(effect.change, Change::Reduce { .. });
    while effects.iter().any(|(effect, _)| reduces(effect)) {
        let (mut index, mut before) = (0, 0);
        let mut fallen: Option<(Date, i64)> = None;
        let mut twice = None;
        run(effects, rules, None, &mut |effect, _, running, _| {
            match effect.change {
                Change::Renew { .. } | Change::Report { .. } if running.seats < before => {
                    fallen = Some((effect.on, before - running.seats));
                }
                Change::Reduce { seats } if twice.is_none() => {
                    let same = |(on, fell): &(Date, i64)| {
                        *fell == i64::from(seats) && effect.on.days_since(*on) <= late
                    };
                    twice = fallen.take_if(|fallen| same(fallen)).map(|_| index);
                }
                _ => {}
            }
            before = running.seats;
            index += 1;
        });
        match twice {
            Some(index) => drop(effects.remove(index)),
            None => return,
        }
    }
}

fn unexplained(effect: &Effect, running: &Running) -> Unexplained {
    let seats = effect
        .observed_seats
        .map_or(0, |seats| i64::from(seats).saturating_sub(running.seats));
    let days = effect.observed_end.zip(running.end);
    let days = days.map_or(0, |(observed, computed)| observed.days_since(computed));
    (seats, days)
}

/// `less`: seats of the effect's keys that were undone.
fn step(running: &mut Running, effect: &Effect, less: u32, rules: &Rules) {
    let on = effect.on;
    let limits = rules.limits();
    let over = is_over(running, rules, on);
    match effect.change {
        Change::Start { seats, end } => {
            if running.started_on.is_some() && over {
                *running = begun_anew(running);
            } else if running.started_on.is_some() && !running.trial {
                running.notes.insert(Note::StartedAgain);
            }
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = false;
            let seats = seats.map_or(0, |seats| seats.saturating_sub(less));
            running.seats = running.seats.saturating_add(i64::from(seats));
            running.end = Some(first_end(running, effect, end, rules));
        }
        Change::Trial { seats, end } => {
            running.started_on = Some(on);
            running.anchor_day = on.day_of_month();
            running.trial = true;
            running.seats = seats.map_or(0, i64::from);
            running.end = end.or_else(|| Some(on.plus_days(limits.trial_days)));
        }
        Change::Convert { retain, seats, end } => {
            // Data of a trial is deleted some time after its end (R11, P13).
            let gone = running.deleted_on.is_some() || (running.trial && over);
            running.data_kept = Some(retain && !gone);
            if retain && gone {
                running.notes.insert(Note::ConvertedAfterDataWasDeleted);
            }
            running.deleted_on = None;
            running.disabled_on = None;
            running.trial = false;
            running.started_on = running.started_on.or(Some(on));
            running.anchor_day = on.day_of_month();
            running.seats = seats.map_or(running.seats, i64::from);
            running.end = Some(first_end(running, effect, end, rules));
        }
        Change::Add { seats } => {
            let seats = i64::from(seats.saturating_sub(less));
            add(running, effect, seats, over, rules);
        }
        Change::Renew { seats } => {
            let seats = seats.map(|seats| seats.saturating_sub(less));
            renew(running, effect, seats, over, rules);
        }
        Change::Shift { seats } => running.seats = running.seats.saturating_add(seats),
        Change::Reduce { seats } => {
            running.seats = running.seats.saturating_sub(i64::from(seats));
        }
        Change::Report { seats, end } => {
            running.seats = seats.map_or(running.seats, i64::from);
            if let Some(end) = end {
                running.anchor_day = end.day_of_month();
                running.end = Some(end);
            }
        }
        Change::Disable => running.disabled_on = running.disabled_on.or(Some(on)),
        Change::Delete => running.deleted_on = running.deleted_on.or(Some(on)),
        Change::Reactivate { end } => {
            running.disabled_on = None;
            running.end = end.or(running.end);
        }
    }
}

/// A subscription that begins after another one of its id was deleted: only what was noted stays.
fn begun_anew(running: &Running) -> Running {
    Running {
        notes: running.notes.clone(),
        policies: running.policies.clone(),
        ..Running::default()
    }
}

/// The end of a first term: as told, else with the agreement (E7), else by the policy.
fn first_end(running: &mut Running, effect: &Effect, end: Option<Date>, rules: &Rules) -> Date {
    let aligned = effect.observed_end.or(rules.agreement_end);
    let told = end.or_else(|| aligned.filter(|_| rules.aligned));
    told.unwrap_or_else(|| {
        let policy = effect.named.term_end.unwrap_or(rules.policies.term_end);
        running.policies.insert(policy.policy());
        policy.end(effect.on, rules.limits().term_months)
    })
}

fn add(running: &mut Running, effect: &Effect, seats: i64, over: bool, rules: &Rules) {
    let policy = effect.named.add_end.unwrap_or(rules.policies.add_end);
    running.policies.insert(policy.policy());
    let past = running.end.is_some_and(|end| effect.on > end);
    if past || over {
        running.notes.insert(Note::AddedAfterEnd);
    }
    match policy {
        AddEnd::Keep => running.seats = running.seats.saturating_add(seats),
        AddEnd::PooledAverage => pool(running, seats, effect.on, rules),
    }
}

/// `RenewFromEnd` while active or in grace, from the redemption after that; after deletion a new
/// subscription (sections 6 and A).
fn renew(running: &mut Running, effect: &Effect, seats: Option<u32>, over: bool, rules: &Rules) {
    let on = effect.on;
    let months = rules.limits().term_months;
    let term = effect.named.term_end.unwrap_or(rules.policies.term_end);
    let seats_by = effect
        .named
        .renew_seats
        .unwrap_or(rules.policies.renew_seats);
    let end_by = effect.named.renew_end.unwrap_or(rules.policies.renew_end);
    if running.started_on.is_some() && over {
        *running = begun_anew(running);
        running.notes.insert(Note::RenewedAfterDeletion);
    }
    if end_by == RenewEnd::PooledAverage {
        running.policies.insert(end_by.policy());
        pool(running, i64::from(seats.unwrap_or(0)), on, rules);
        return;
    }
    running.policies.insert(seats_by.policy());
    if let (RenewSeats::Set, Some(seats)) = (seats_by, seats) {
        running.seats = i64::from(seats);
    }
    let grace = rules.afterlife.grace_days;
    let in_time = running
        .end
        .filter(|end| on.days_since(*end) <= grace && running.disabled_on.is_none());
    running.end = Some(match in_time.filter(|_| end_by == RenewEnd::FromEnd) {
        Some(end) => {
            running.policies.insert(end_by.policy());
            match term {
                TermEnd::OnAnniversary => end.plus_months(months, running.anchor_day),
                TermEnd::DayBeforeAnniversary => end
                    .plus_days(1)
                    .plus_months(months, running.anchor_day)
                    .plus_days(-1),
            }
        }
        None => {
            running.policies.insert(RenewEnd::FromRedemption.policy());
            running.policies.insert(term.policy());
            running.anchor_day = on.day_of_month();
            running.disabled_on = None;
            term.end(on, months)
        }
    });
    running.trial = false;
    running.started_on = running.started_on.or(Some(on));
}

/// `PooledAverage`: time left is averaged over old and new seats, in whole days (E6).
fn pool(running: &mut Running, new: i64, on: Date, rules: &Rules) {
    let old = running.seats.max(0);
    let left = running.end.map_or(0, |end| end.days_since(on).max(0));
    let term = on.plus_months(rules.limits().term_months, on.day_of_month());
    let term = term.days_since(on);
    let total = old.saturating_add(new);
    if total > 0 {
        let days = old
            .saturating_mul(left)
            .saturating_add(new.saturating_mul(term))
            / total;
        running.end = Some(on.plus_days(days));
    }
    running.anchor_day = on.day_of_month();
    running.seats = total;
    running.disabled_on = None;
    running.started_on = running.started_on.or(Some(on));
}

/// Whether a subscription is deleted on a day.
fn is_over(running: &Running, rules: &Rules, on: Date) -> bool {
    state_on(running, rules, on) == Some(SubscriptionState::Deleted)
}

/// Where a subscription stands on a day, as far as it has begun.
pub(super) fn state_on(running: &Running, rules: &Rules, today: Date) -> Option<SubscriptionState> {
    use SubscriptionState::{Active, Deleted, Disabled, Grace, Trial, TrialExpired};
    running.started_on?;
    if running.deleted_on.is_some() {
        return Some(Deleted);
    }
    let afterlife = rules.afterlife;
    if let Some(disabled_on) = running.disabled_on {
        let gone = today.days_since(disabled_on) > afterlife.disabled_days;
        return Some(if gone { Deleted } else { Disabled });
    }
    let Some(end) = running.end else {
        return Some(Active);
    };
    let past = today.days_since(end);
    let lasts = afterlife.grace_days.saturating_add(afterlife.disabled_days);
    Some(match running.trial {
        true if past <= 0 => Trial,
        true if past <= rules.limits().trial_data_days => TrialExpired,
        true => Deleted,
        false if past <= 0 => Active,
        false if past <= afterlife.grace_days => Grace,
        false if past <= lasts => Disabled,
        false => Deleted,
    })
}

/// The first day after `today` on which it will stand elsewhere, if nothing happens.
pub(super) fn next_change(running: &Running, rules: &Rules, today: Date) -> Option<Date> {
    let afterlife = rules.afterlife;
    let lasts = afterlife.grace_days.saturating_add(afterlife.disabled_days);
    let limits = match (running.end, running.disabled_on, running.trial) {
        (_, Some(disabled), _) => vec![disabled.plus_days(afterlife.disabled_days)],
        (Some(end), None, true) => vec![end, end.plus_days(rules.limits().trial_data_days)],
        (Some(end), None, false) => {
            vec![
                end,
                end.plus_days(afterlife.grace_days),
                end.plus_days(lasts),
            ]
        }
        (None, None, _) => Vec::new(),
    };
    let running_still = running.deleted_on.is_none() && running.started_on.is_some();
    let mut days = limits.into_iter().map(|last| last.plus_days(1));
    days.find(|day| *day > today).filter(|_| running_still)
}
