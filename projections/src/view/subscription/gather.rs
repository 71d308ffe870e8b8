//! The effects that the events of a subscription have, each told once.

use super::effect::{Change, Effect};
use crate::policy;
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Payload, kinds::KeysRedeemed};
use ledger::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use ledger::kinds;
use ledger::secret::KeyFingerprint;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is gathered besides the effects.
pub(super) struct Gathered {
    pub(super) effects: Vec<Effect>,
    pub(super) tenant: Option<TenantId>,
    pub(super) sku: Option<Sku>,
    /// The agreements that paid for it, each with the redemption by which it did.
    pub(super) paid_by: Vec<(Option<RedemptionId>, LicenseId)>,
    pub(super) observed_seats: Option<Seats>,
}

impl Gathered {
    pub(super) fn paid(
        &mut self,
        redemption: Option<&RedemptionId>,
        license_id: Option<&LicenseId>,
    ) {
        let paid = license_id.map(|license| (redemption.cloned(), license.clone()));
        self.paid_by.extend(paid);
    }

    /// The agreements that paid for it. A reversed redemption paid for nothing, unless nothing else
    /// is left of the subscription.
    pub(super) fn license_ids(&self, reversed: &BTreeSet<RedemptionId>) -> BTreeSet<LicenseId> {
        let counts = |redemption: &Option<RedemptionId>| {
            !redemption.as_ref().is_some_and(|r| reversed.contains(r))
        };
        let paid = self
            .paid_by
            .iter()
            .filter(|(redemption, _)| counts(redemption));
        let standing: BTreeSet<LicenseId> = paid.map(|(_, license)| license.clone()).collect();
        match standing.is_empty() {
            true => self
                .paid_by
                .iter()
                .map(|(_, license)| license.clone())
                .collect(),
            false => standing,
        }
    }
}

pub(super) fn gather(id: &SubscriptionId, events: &[Arc<Event>]) -> Gathered {
    let mut to = Gathered {
        effects: Vec::new(),
        tenant: None,
        sku: None,
        paid_by: Vec::new(),
        observed_seats: None,
    };
    let redeemed: BTreeSet<&RedemptionId> = events
        .iter()
        .filter_map(|event| {
            let Payload::KeysRedeemed(redeemed) = &event.payload else {
                return None;
            };
            Some(&redeemed.redemption)
        })
        .collect();
    let own = |redemption: &Option<RedemptionId>| {
        // A report that belongs to a redemption whose own report is here says nothing new.
        !redemption.as_ref().is_some_and(|r| redeemed.contains(r))
    };
    for event in events {
        gather_event(&mut to, id, event, &own);
    }
    to
}

fn gather_event(
    to: &mut Gathered,
    id: &SubscriptionId,
    event: &Event,
    own: &dyn Fn(&Option<RedemptionId>) -> bool,
) {
    let mut push = |change| to.effects.push(Effect::new(event, change));
    match &event.payload {
        Payload::KeysRedeemed(redeemed) => {
            to.tenant = Some(redeemed.tenant.clone());
            gather_redemption(to, id, event, redeemed);
        }
        Payload::SubscriptionStarted(started) => {
            to.tenant = Some(started.tenant.clone());
            to.sku = Some(started.sku.clone());
            to.paid(started.redemption.as_ref(), started.license_id.as_ref());
            let change = Change::Start {
                seats: Some(started.seats.0),
                end: started.end,
            };
            merge_start(&mut to.effects, Effect::new(event, change));
        }
        Payload::TrialStarted(trial) => {
            to.tenant = Some(trial.tenant.clone());
            to.sku = to.sku.take().or_else(|| trial.sku.clone());
            push(Change::Trial {
                seats: trial.seats.map(|seats| seats.0),
                end: trial.ends,
            });
        }
        Payload::TrialConverted(converted) => {
            to.tenant = Some(converted.tenant.clone());
            push(Change::Convert {
                seats: converted.seats.map(|seats| seats.0),
                end: converted.end,
            });
            to.paid(None, converted.license_id.as_ref());
        }
        Payload::SubscriptionRenewed(renewed) => {
            if own(&renewed.redemption) {
                push(Change::Report {
                    seats: renewed.seats.map(|seats| seats.0),
                    end: renewed.end,
                });
            }
        }
        Payload::SeatsAdded(added) => {
            if own(&added.redemption) {
                push(Change::Shift {
                    seats: i64::from(added.added.0),
                });
            }
        }
        Payload::SeatsReduced(reduced) => push(Change::Shift {
            seats: -i64::from(reduced.removed.0),
        }),
        Payload::SeatsTransferred(moved) => {
            let seats = i64::from(moved.seats.0);
            let out = if moved.from == *id { -seats } else { 0 };
            let into = if moved.to == *id { seats } else { 0 };
            push(Change::Shift { seats: out + into });
        }
        Payload::EndDateCorrected(corrected) => push(Change::Report {
            seats: None,
            end: Some(corrected.to),
        }),
        kinds![SubscriptionDisabled SubscriptionCancelled] => push(Change::Disable),
        kinds![SubscriptionDeleted TrialDataDeleted] => push(Change::Delete),
        Payload::SubscriptionReactivated(back) => push(Change::Reactivate { end: back.end }),
        Payload::SubscriptionObserved(observed) => {
            to.tenant = to.tenant.take().or_else(|| Some(observed.tenant.clone()));
            to.sku = to.sku.take().or_else(|| Some(observed.sku.clone()));
            to.observed_seats = Some(observed.enabled);
        }
        Payload::LicensesAssigned(assigned) => {
            to.sku = to.sku.take().or_else(|| Some(assigned.sku.clone()));
        }
        Payload::CreditLotActivated(lot) => {
            to.tenant = lot.tenant.clone().or_else(|| to.tenant.take());
            to.paid(lot.redemption.as_ref(), lot.license_id.as_ref());
        }
        Payload::TenantRemapped(remapped) => {
            let moved = remapped.moves.iter().find(|m| m.subscriptions.contains(id));
            to.tenant = moved.map(|m| m.to.clone()).or_else(|| to.tenant.take());
        }
        Payload::BypassTransitioned(bypass) => {
            to.tenant = bypass.tenant.clone().or_else(|| to.tenant.take());
            to.paid(None, Some(&bypass.license_id));
        }
        // The passing of time needs no event; a source that reports it says nothing new.
        kinds![SubscriptionExpired TrialExpired TrialAbandoned TrialDeletionAdvised] => {}
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced ActivationEmailDelivered
            ActivationEmailForwarded ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
            ActivationEmailSuppressed ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned AuthorizationReceived
            CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
            CreditExpired CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
            DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved DomainVerified
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified ImportRecorded
            IncarnationBegun KeyEntered KeyIssued KeyRejected KeyReissued KeyRevealed LicenseStateObserved
            LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered NotifierStarted
            OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
            OrderReturned PartnerRegistered PartyNotified
            PersonErased PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
            RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
            RedemptionReviewed RedemptionStarted RedemptionSubmitted ReservationCancelled
            ReservationPlaced RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
            SeatResetRequested SeatRevalidated SeatsReassigned ServicesAutoAssigned ServicesBoundToTenant
            SessionEnded SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionsReviewed
            SupportEscalated TblParametersSet TenantCreated TenantObserved TenantRetired
            TenantRoleAssigned TenantRoleRemoved UserAuthenticated UserDeprovisioned UserNotified
            UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}

/// The effect of a redemption on this subscription; a second report of it only adds what it
/// observed (one landing reported by two systems is one landing).
fn gather_redemption(
    to: &mut Gathered,
    id: &SubscriptionId,
    event: &Event,
    redeemed: &KeysRedeemed,
) {
    let observed = redeemed.effects.iter().find(|e| e.subscription == *id);
    to.sku = to
        .sku
        .take()
        .or_else(|| observed.and_then(|o| o.sku.clone()));
    let keys: Vec<KeyFingerprint> = redeemed.keys.iter().map(|key| key.key).collect();
    let carried = redeemed
        .keys
        .iter()
        .filter_map(|key| key.seats)
        .map(|s| s.0);
    let carried = carried.fold(None, |sum: Option<u32>, seats| {
        Some(sum.unwrap_or(0).saturating_add(seats))
    });
    let before = observed.and_then(|o| o.seats_before).map_or(0, |s| s.0);
    let after = observed.and_then(|o| o.seats_after).map(|s| s.0);
    let several = redeemed.effects.len() > 1;
    let added = match (several, carried, after) {
        (false, Some(carried), _) => carried,
        (_, _, Some(after)) => after.saturating_sub(before),
        (_, carried, None) => carried.unwrap_or(0),
    };
    let change = match redeemed.mode {
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew => Change::Start {
            seats: Some(added),
            end: None,
        },
        RedemptionMode::RenewPlus12 | RedemptionMode::AddKeepEnd
            if policy::names(event, "pooled_average") =>
        {
            Change::PooledAverage { seats: added }
        }
        RedemptionMode::AddKeepEnd => Change::Add { seats: added },
        RedemptionMode::RenewPlus12 => Change::Renew {
            seats: if several { after } else { carried },
        },
        // Credit is in lots, not in seats.
        RedemptionMode::AzureTopUp => Change::Shift { seats: 0 },
    };
    let mut effect = Effect::new(event, change);
    effect.redemption = Some(redeemed.redemption.clone());
    effect.keys = keys;
    effect.observed_seats = after;
    effect.observed_end = observed.and_then(|o| o.end_after);
    let known = to.effects.iter_mut().find(|other| {
        other.redemption == effect.redemption || other.keys.iter().any(|k| effect.keys.contains(k))
    });
    // Two systems may number one redemption in their own ways: it is known by the first number.
    let counted = known.as_ref().and_then(|known| known.redemption.clone());
    let counted = counted.or_else(|| effect.redemption.clone());
    let paid = redeemed
        .license_id
        .clone()
        .map(|license| (counted, license));
    to.paid_by.extend(paid);
    match known {
        Some(known) => {
            known.observed_seats = known.observed_seats.or(effect.observed_seats);
            known.observed_end = known.observed_end.or(effect.observed_end);
        }
        None if matches!(effect.change, Change::Start { .. }) => {
            merge_start(&mut to.effects, effect);
        }
        None => to.effects.push(effect),
    }
}

/// A subscription starts once: of several reports, the redemption's is kept, and the others add
/// what they observed.
fn merge_start(effects: &mut Vec<Effect>, new: Effect) {
    let start = effects
        .iter_mut()
        .find(|effect| matches!(effect.change, Change::Start { .. }));
    let Some(known) = start else {
        effects.push(new);
        return;
    };
    let (keep, other) = match known.redemption.is_none() && new.redemption.is_some() {
        true => (new, known.clone()),
        false => (known.clone(), new),
    };
    *known = keep;
    if let Change::Start { seats, end } = other.change {
        known.observed_seats = known.observed_seats.or(other.observed_seats).or(seats);
        known.observed_end = known.observed_end.or(other.observed_end).or(end);
    }
}
