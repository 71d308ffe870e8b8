//! The view of a subscription: its tenant, seats and end, and where it stands in its life
//! (DOMAIN sections A "Dates" and "Observed and computed", 5.3 and 6).
//!
//! The fold collects *effects* in order and computes them twice. The first run, over all of them,
//! finds how far what sources observed differs from what the policies compute: such a difference is
//! an effect of its own. The second run leaves out the redemptions that were reversed and keeps the
//! differences: an end date is never restored, it is computed again from everything else.

mod effect;
mod state;

use crate::policy::{self, Policy};
use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::redemption::{self, Undone};
use crate::view::{Fold, kind_ids, shown, shown_each, shown_option};
use effect::{Effect, Rules, leave_out_reductions_told_twice, next_change, run, state_on};
use ledger::event::{Event, KindId};
use ledger::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use ledger::secret::KeyFingerprint;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Date;
use serde::Serialize;
pub use state::State;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Subscription;

/// Where a subscription stands in its life (section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SubscriptionState {
    /// A trial that runs.
    Trial,
    /// A trial that has ended and whose data still exists.
    TrialExpired,
    /// In use.
    Active,
    /// Past its end, still usable.
    Grace,
    /// Not usable; can still be renewed.
    Disabled,
    /// Gone for ever.
    Deleted,
    /// Everything that began it was reversed.
    Reversed,
}

/// What a source reported and the rules do not allow: it is folded all the same (section A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Note {
    /// Seats were added when the end had passed.
    AddedAfterEnd,
    /// It was renewed when it was deleted: a new subscription began.
    RenewedAfterDeletion,
    /// It began although it was there already.
    StartedAgain,
    /// A trial was converted to keep its data, which was deleted already.
    ConvertedAfterDataWasDeleted,
    /// The data of a trial was deleted without anybody being advised before (R11).
    DataDeletedUnadvised,
    /// A redemption of it names another tenant than it is in.
    RedeemedInAnotherTenant,
}

/// One effect on a subscription, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EffectView {
    /// On which day.
    #[serde(serialize_with = "shown")]
    pub on: Date,
    /// What happened.
    pub what: &'static str,
    /// By which redemption.
    pub redemption: Option<RedemptionId>,
    /// Whether it was undone, in whole or in part.
    pub undone: bool,
    /// Seats after it.
    pub seats: Seats,
    /// Last day after it.
    #[serde(serialize_with = "shown_option")]
    pub end: Option<Date>,
    /// Seats that a source observed beyond the computed ones.
    pub unexplained_seats: i64,
    /// Days that a source observed beyond the computed end.
    pub unexplained_days: i64,
}

/// What a subscription looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// Its id.
    pub subscription: SubscriptionId,
    /// The tenant that it is in.
    pub tenant: Option<TenantId>,
    /// Of what.
    pub sku: Option<Sku>,
    /// The agreements that paid for it.
    pub license_ids: BTreeSet<LicenseId>,
    /// Where it stands in its life.
    pub state: Option<SubscriptionState>,
    /// Its seats.
    pub seats: Seats,
    /// Its last day.
    #[serde(serialize_with = "shown_option")]
    pub end: Option<Date>,
    /// Its first day.
    #[serde(serialize_with = "shown_option")]
    pub started_on: Option<Date>,
    /// Its last day of grace.
    #[serde(serialize_with = "shown_option")]
    pub grace_until: Option<Date>,
    /// The day on which it will stand elsewhere, if nothing happens.
    #[serde(serialize_with = "shown_option")]
    pub next_change: Option<Date>,
    /// The redemptions that count in it.
    pub redemptions: BTreeSet<RedemptionId>,
    /// The redemptions that were reversed: provisioned in error until then.
    pub reversed: BTreeSet<RedemptionId>,
    /// Whether a source observed other seats or another end than the policies compute.
    pub diverged: bool,
    /// Whether a converted trial kept its data.
    pub data_kept: Option<bool>,
    /// The day on which the data of a trial was going to be deleted, where somebody was advised.
    #[serde(serialize_with = "shown_option")]
    pub delete_on: Option<Date>,
    /// Whether a trial was left behind.
    pub abandoned: bool,
    /// Seats that a source showed last as usable.
    pub observed_enabled: Option<Seats>,
    /// Seats that it showed in grace.
    pub observed_warning: Option<Seats>,
    /// Seats that it showed as disabled.
    pub observed_suspended: Option<Seats>,
    /// Seats that it showed as assigned.
    pub observed_consumed: Option<Seats>,
    /// The day of the next change that it showed.
    #[serde(serialize_with = "shown_option")]
    pub observed_next: Option<Date>,
    /// When it showed them.
    #[serde(serialize_with = "shown_option")]
    pub observed_on: Option<Date>,
    /// The partner tenant that created it; no accusation.
    pub owner_tenant: Option<TenantId>,
    /// What was reported although the rules do not allow it.
    pub notes: BTreeSet<Note>,
    /// The policies that decided its seats and end, as `name@version`.
    #[serde(serialize_with = "shown_each")]
    pub policies: BTreeSet<Policy>,
    /// Everything that had an effect on it, in order.
    pub effects: Vec<EffectView>,
}

impl SubscriptionView {
    /// Whether its seats can be used today: active, or in grace.
    pub fn is_usable(&self) -> bool {
        matches!(
            self.state,
            Some(SubscriptionState::Trial | SubscriptionState::Active | SubscriptionState::Grace)
        )
    }
}

/// Folds the view of a subscription; `None` if nothing is known of it.
pub fn fold(seen: &Seen<'_>, id: &SubscriptionId) -> Option<SubscriptionView> {
    let view = seen.view::<Subscription>(&id.subject())?;
    Some(view.as_ref().clone())
}

impl Fold for Subscription {
    type State = State;
    type View = SubscriptionView;

    const KIND: SubjectKind = SubjectKind::Subscription;
    const DOC: &'static str =
        "A subscription: its tenant, seats, end date and where it stands in its life.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[
        SubjectKind::Redemption,
        SubjectKind::Key,
        SubjectKind::Agreement,
    ];
    const VERSION: u16 = 1;
    const TRACES: &'static [&'static str] = &["effects"];
    const TAKES: &'static [KindId] = kind_ids![
        BypassTransitioned CreditLotActivated EndDateCorrected KeysRedeemed
        RedemptionOutcomeDiverged SeatsAdded SeatsReduced SeatsTransferred
        SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
        SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
        SubscriptionStarted TenantRemapped TrialAbandoned TrialConverted
        TrialDataDeleted TrialDeletionAdvised TrialStarted
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        state.evolve(subject, event);
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<SubscriptionView> {
        let mut undone: Vec<(&Effect, Undone)> = state
            .effects()
            .map(|effect| (effect, undone(effect, seen)))
            .collect();
        let reversed = undone.iter().filter(|(_, undone)| *undone == Undone::Whole);
        let reversed: BTreeSet<RedemptionId> = reversed
            .filter_map(|(effect, _)| effect.redemption.clone())
            .collect();
        let license_ids = state.license_ids(&reversed);
        let rules = rules(license_ids.first(), seen);
        leave_out_reductions_told_twice(&mut undone, &rules);
        let (_, unexplained) = run(&undone, &rules, None, &mut |_, _, _, _| {});
        let diverged = state.diverged || unexplained.iter().any(|found| *found != (0, 0));
        let mut effects = Vec::with_capacity(undone.len());
        let mut show = |effect: &Effect, undone: &Undone, running: &effect::Running, found| {
            let (unexplained_seats, unexplained_days) = found;
            effects.push(EffectView {
                on: effect.on,
                what: effect.change.word(),
                redemption: effect.redemption.clone(),
                undone: *undone != Undone::Nothing,
                seats: whole(running.seats),
                end: running.end,
                unexplained_seats,
                unexplained_days,
            });
        };
        let (running, _) = run(&undone, &rules, Some(&unexplained), &mut show);
        let redemptions = undone
            .iter()
            .filter_map(|(effect, _)| effect.redemption.clone());
        let observed = state.observed.as_ref();
        let mut notes = running.notes.clone();
        let advised = state.delete_on.zip(state.data_deleted);
        let advised = advised.is_some_and(|(on, at)| on <= at.date());
        if state.data_deleted.is_some() && !advised {
            notes.insert(Note::DataDeletedUnadvised);
        }
        if !state.other_tenants.is_empty() {
            notes.insert(Note::RedeemedInAnotherTenant);
        }
        let stands = state_on(&running, &rules, seen.today());
        Some(SubscriptionView {
            subscription: SubscriptionId::new(&subject.id).ok()?,
            tenant: state.tenant.clone(),
            sku: state.sku.clone(),
            license_ids,
            state: stands.or((!effects.is_empty()).then_some(SubscriptionState::Reversed)),
            seats: match (effects.is_empty(), observed) {
                (true, Some(observed)) => observed.enabled,
                (true, None) | (false, _) => whole(running.seats),
            },
            end: running.end,
            started_on: running.started_on,
            grace_until: running
                .end
                .map(|end| end.plus_days(rules.afterlife.grace_days)),
            next_change: next_change(&running, &rules, seen.today()),
            redemptions: redemptions.filter(|r| !reversed.contains(r)).collect(),
            reversed,
            diverged,
            data_kept: running.data_kept,
            delete_on: state.delete_on,
            abandoned: state.abandoned,
            observed_enabled: observed.map(|observed| observed.enabled),
            observed_warning: observed.map(|observed| observed.warning),
            observed_suspended: observed.map(|observed| observed.suspended),
            observed_consumed: observed.and_then(|observed| observed.consumed),
            observed_next: observed.and_then(|observed| observed.next_lifecycle),
            observed_on: observed.map(|observed| observed.at.date()),
            owner_tenant: observed.and_then(|observed| observed.owner_tenant.clone()),
            notes,
            policies: running.policies,
            effects,
        })
    }
}

fn whole(seats: i64) -> Seats {
    Seats(u32::try_from(seats.max(0)).unwrap_or(u32::MAX))
}

fn undone(effect: &Effect, seen: &Seen<'_>) -> Undone {
    if effect.redemption.is_none() {
        return Undone::Nothing;
    }
    let keys: Vec<KeyFingerprint> = effect.keys.iter().map(|(key, _)| *key).collect();
    redemption::undone(seen, effect.redemption.as_ref(), &keys)
}

/// The rules of the agreement that pays for it: its program says what follows the end, and whether
/// terms end with the agreement.
fn rules(license_id: Option<&LicenseId>, seen: &Seen<'_>) -> Rules {
    let agreement = license_id.and_then(|id| seen.state::<Agreement>(&id.subject()));
    let program = agreement.as_ref().and_then(|agreement| agreement.program());
    let policies = *seen.policies();
    Rules {
        policies,
        afterlife: policies.limits.afterlife(program),
        agreement_end: agreement.and_then(|agreement| agreement.end()),
        aligned: policy::is_enterprise(program),
    }
}
