//! The view of a subscription: its tenant, seats and end, and where it stands in its life
//! (DOMAIN sections A "Dates" and "Observed and computed", 5.3 and 6).
//!
//! Follows: the subscription's own history; each redemption that touched it, for reversals; its
//! agreements, for the program.
//!
//! The fold collects *effects* in order and computes them twice. The first run, over all of them,
//! finds how far what sources observed differs from what the policies compute: such a difference is
//! an effect of its own. The second run leaves out the redemptions that were reversed and keeps the
//! differences: an end date is never restored, it is computed again from everything else.

mod effect;
mod gather;

use crate::policy::Afterlife;
use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option, subscription_subject};
use effect::{Change, Effect, run, state_on};
use gather::gather;
use ledger::event::word::Program;
use ledger::event::{Event, KindId, Payload};
use ledger::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Date;
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Subscription;

impl Fold for Subscription {
    type State = ();
    type View = Option<SubscriptionView>;

    const KIND: SubjectKind = SubjectKind::Subscription;
    const DOC: &'static str =
        "A subscription: its tenant, seats, end date and where it stands in its life.";
    const FOLLOWS: &'static [SubjectKind] = &[
        SubjectKind::Redemption,
        SubjectKind::Key,
        SubjectKind::Agreement,
    ];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![AgreementSigned BypassTransitioned CreditLotActivated EndDateCorrected KeysRedeemed OrderPlaced RedemptionReversed SeatsAdded SeatsReduced SeatsTransferred SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled SubscriptionExpired SubscriptionObserved SubscriptionReactivated SubscriptionRenewed SubscriptionStarted TenantRemapped TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted];

    fn evolve((): &mut (), _subject: &Subject, _event: &Event) {}

    fn view((): &(), subject: &Subject, seen: &Seen<'_>) -> Option<SubscriptionView> {
        fold(seen, &SubscriptionId::new(&subject.id).ok()?)
    }
}

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
    /// The redemptions that count in it.
    pub redemptions: BTreeSet<RedemptionId>,
    /// The redemptions that were reversed: provisioned in error until then.
    pub reversed: BTreeSet<RedemptionId>,
    /// Whether a source observed other seats or another end than the policies compute.
    pub diverged: bool,
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
pub fn fold(at: &Seen<'_>, id: &SubscriptionId) -> Option<SubscriptionView> {
    let events = at.of_any([&subscription_subject(id)]);
    if events.is_empty() {
        return None;
    }
    let mut gathered = gather(id, &events);
    let reversed = reversed(at, &gathered.effects);
    let license_ids = gathered.license_ids(&reversed);
    let agreement = license_ids.first();
    let (program, agreement_end) = agreement.map_or((None, None), |id| program_of(at, id));
    let afterlife = Afterlife::of(program);
    if afterlife != Afterlife::of(None) {
        align_with_agreement(&mut gathered.effects, agreement_end);
    }
    run(&mut gathered.effects, &BTreeSet::new(), afterlife, true);
    let diverged = gathered.effects.iter().any(|e| e.unexplained != (0, 0));
    let running = run(&mut gathered.effects, &reversed, afterlife, false);
    let redemptions = gathered.effects.iter().filter_map(|e| e.redemption.clone());
    let redemptions = redemptions.filter(|r| !reversed.contains(r)).collect();
    let seats = match (gathered.effects.is_empty(), gathered.observed_seats) {
        (true, Some(observed)) => observed,
        _ => Seats(u32::try_from(running.seats.max(0)).unwrap_or(u32::MAX)),
    };
    let today = at.point().valid_at.date();
    Some(SubscriptionView {
        subscription: id.clone(),
        tenant: gathered.tenant,
        sku: gathered.sku,
        license_ids,
        state: state_on(&running, &gathered.effects, afterlife, today),
        seats,
        end: running.end,
        started_on: running.started_on,
        grace_until: running.end.map(|end| end.plus_days(afterlife.grace_days)),
        redemptions,
        reversed,
        diverged,
    })
}

/// Enterprise terms end with their agreement where the source names no end (E7).
fn align_with_agreement(effects: &mut [Effect], agreement_end: Option<Date>) {
    for effect in effects {
        match &mut effect.change {
            Change::Start { end, .. } | Change::Convert { end, .. } => {
                *end = end.or(effect.observed_end).or(agreement_end);
            }
            Change::Trial { .. }
            | Change::Add { .. }
            | Change::Renew { .. }
            | Change::PooledAverage { .. }
            | Change::Shift { .. }
            | Change::Report { .. }
            | Change::Disable
            | Change::Delete
            | Change::Reactivate { .. } => {}
        }
    }
}

fn program_of(at: &Seen<'_>, license_id: &LicenseId) -> (Option<Program>, Option<Date>) {
    let mut program = None;
    let mut end = None;
    for event in at.of_any([&license_id.subject()]) {
        if let Payload::AgreementSigned(signed) = &event.payload {
            program = Some(signed.program);
            end = signed.end;
        } else if let Payload::OrderPlaced(placed) = &event.payload {
            program = program.or(Some(placed.program));
        }
    }
    (program, end)
}

/// The redemptions of these effects that were reversed by the point.
fn reversed(at: &Seen<'_>, effects: &[Effect]) -> BTreeSet<RedemptionId> {
    let mut reversed = BTreeSet::new();
    for effect in effects {
        let Some(redemption) = &effect.redemption else {
            continue;
        };
        let subjects: Vec<Subject> = std::iter::once(redemption.subject())
            .chain(effect.keys.iter().map(Names::subject))
            .collect();
        let undone = at.of_any(&subjects).into_iter().any(|event| {
            matches!(&event.payload, Payload::RedemptionReversed(r)
                if r.redemption == *redemption || r.keys.iter().any(|k| effect.keys.contains(k)))
        });
        if undone {
            reversed.insert(redemption.clone());
        }
    }
    reversed
}
