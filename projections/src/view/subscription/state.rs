//! What the events of a subscription add up to: its effects, each told once, and what is known
//! besides them.

use super::effect::{Change, Effect};
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Payload, kinds as k};
use ledger::id::{LicenseId, RedemptionId, Seats, Sku, SubscriptionId, TenantId};
use ledger::kinds;
use ledger::subject::Subject;
use ledger::time::{Date, Timestamp};
use std::collections::BTreeSet;

/// What the events of a subscription add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    effects: Vec<Effect>,
    pub(super) tenant: Option<TenantId>,
    pub(super) other_tenants: BTreeSet<TenantId>,
    pub(super) sku: Option<Sku>,
    /// The agreements that paid for it, each with the redemption by which it did.
    paid_by: Vec<(Option<RedemptionId>, LicenseId)>,
    redeemed: BTreeSet<RedemptionId>,
    pub(super) observed: Option<Observed>,
    pub(super) delete_on: Option<Date>,
    pub(super) data_deleted: Option<Timestamp>,
    pub(super) abandoned: bool,
    pub(super) diverged: bool,
}

/// Counters as a source showed them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    pub(super) at: Timestamp,
    pub(super) enabled: Seats,
    pub(super) warning: Seats,
    pub(super) suspended: Seats,
    pub(super) consumed: Option<Seats>,
    pub(super) next_lifecycle: Option<Date>,
    pub(super) owner_tenant: Option<TenantId>,
}

impl State {
    /// Its effects. A report that belongs to a redemption whose own report is here says nothing new.
    pub(super) fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(|effect| {
            !effect
                .told_for
                .as_ref()
                .is_some_and(|r| self.redeemed.contains(r))
        })
    }

    /// The agreements that paid for it. A reversed redemption paid for nothing, unless nothing else
    /// is left of the subscription.
    pub(super) fn license_ids(&self, reversed: &BTreeSet<RedemptionId>) -> BTreeSet<LicenseId> {
        let counts = |redemption: &Option<RedemptionId>| {
            !redemption.as_ref().is_some_and(|r| reversed.contains(r))
        };
        let paid = self.paid_by.iter();
        let paid = paid.filter(|(redemption, _)| counts(redemption));
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

    fn paid(&mut self, redemption: Option<&RedemptionId>, license_id: Option<&LicenseId>) {
        let paid = license_id.map(|license| (redemption.cloned(), license.clone()));
        self.paid_by
            .extend(paid.filter(|paid| !self.paid_by.contains(paid)));
    }

    fn push(&mut self, event: &Event, change: Change) {
        self.effects.push(Effect::new(event, change));
    }

    fn told(&mut self, event: &Event, change: Change, redemption: Option<&RedemptionId>) {
        let mut effect = Effect::new(event, change);
        effect.told_for = redemption.cloned();
        self.effects.push(effect);
    }

    /// Takes one event in.
    pub(super) fn evolve(&mut self, subject: &Subject, event: &Event) {
        let me = |id: &SubscriptionId| id.as_str() == subject.id;
        match &event.payload {
            Payload::KeysRedeemed(redeemed) => self.redeem(subject, event, redeemed),
            Payload::SubscriptionStarted(started) => {
                self.tenant = Some(started.tenant.clone());
                self.sku = Some(started.sku.clone());
                self.paid(started.redemption.as_ref(), started.license_id.as_ref());
                let change = Change::Start {
                    seats: Some(started.seats.0),
                    end: started.end,
                };
                self.start(Effect::new(event, change));
            }
            Payload::TrialStarted(trial) => {
                self.tenant = Some(trial.tenant.clone());
                self.sku = self.sku.take().or_else(|| trial.sku.clone());
                let change = Change::Trial {
                    seats: trial.seats.map(|seats| seats.0),
                    end: trial.ends,
                };
                let known = |effect: &Effect| matches!(effect.change, Change::Trial { .. });
                if !self.effects.iter().any(known) {
                    self.push(event, change);
                }
            }
            Payload::TrialConverted(converted) => {
                self.tenant = Some(converted.tenant.clone());
                let change = Change::Convert {
                    retain: converted.retain,
                    seats: converted.seats.map(|seats| seats.0),
                    end: converted.end,
                };
                let known = |effect: &Effect| matches!(effect.change, Change::Convert { .. });
                if !self.effects.iter().any(known) {
                    self.push(event, change);
                }
                self.paid(None, converted.license_id.as_ref());
            }
            Payload::SubscriptionRenewed(renewed) => {
                let change = Change::Report {
                    seats: renewed.seats.map(|seats| seats.0),
                    end: renewed.end,
                };
                self.told(event, change, renewed.redemption.as_ref());
            }
            Payload::SeatsAdded(added) => {
                let seats = i64::from(added.added.0);
                self.told(event, Change::Shift { seats }, added.redemption.as_ref());
            }
            Payload::SeatsReduced(reduced) => {
                let seats = reduced.removed.0;
                self.push(event, Change::Reduce { seats });
            }
            Payload::SeatsTransferred(moved) => {
                let seats = i64::from(moved.seats.0);
                let out = if me(&moved.from) { -seats } else { 0 };
                let into = if me(&moved.to) { seats } else { 0 };
                self.push(event, Change::Shift { seats: out + into });
            }
            Payload::EndDateCorrected(corrected) => {
                let end = Some(corrected.to);
                self.push(event, Change::Report { seats: None, end });
            }
            kinds![SubscriptionDisabled SubscriptionCancelled] => self.push(event, Change::Disable),
            Payload::SubscriptionDeleted(_) => self.push(event, Change::Delete),
            Payload::TrialDataDeleted(_) => {
                self.data_deleted = self.data_deleted.or(Some(event.occurred_at.start));
                self.push(event, Change::Delete);
            }
            Payload::TrialDeletionAdvised(advised) => self.delete_on = Some(advised.delete_on),
            Payload::TrialAbandoned(_) => self.abandoned = true,
            Payload::SubscriptionReactivated(back) => {
                self.push(event, Change::Reactivate { end: back.end });
            }
            Payload::SubscriptionObserved(observed) => {
                self.tenant = self.tenant.take().or(Some(observed.tenant.clone()));
                self.sku = self.sku.take().or(Some(observed.sku.clone()));
                self.observed = Some(Observed {
                    at: event.occurred_at.start,
                    enabled: observed.enabled,
                    warning: observed.warning,
                    suspended: observed.suspended,
                    consumed: observed.consumed,
                    next_lifecycle: observed.next_lifecycle,
                    owner_tenant: observed.owner_tenant.clone(),
                });
            }
            Payload::CreditLotActivated(lot) => {
                self.tenant = lot.tenant.clone().or(self.tenant.take());
                self.paid(lot.redemption.as_ref(), lot.license_id.as_ref());
            }
            Payload::TenantRemapped(remapped) => {
                let moved = remapped
                    .moves
                    .iter()
                    .find(|m| m.subscriptions.iter().any(me));
                self.tenant = moved.map(|moved| moved.to.clone()).or(self.tenant.take());
            }
            Payload::BypassTransitioned(bypass) => {
                self.tenant = bypass.tenant.clone().or(self.tenant.take());
                self.paid(None, Some(&bypass.license_id));
            }
            Payload::RedemptionOutcomeDiverged(_) => self.diverged = true,
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived CaseClosed CaseOpened ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyEntered KeyIssued
                KeyReissued KeyRejected KeyRevealed LicenseStateObserved LicensesAssigned
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended
                OrderCancelled OrderPlaced OrderRelayed OrderReturned PartnerRegistered
                PartyNotified PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsReassigned ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept
                SubscriptionExpired SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantCreated TenantObserved TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialExpired UserAuthenticated UserDeprovisioned
                UserNotified UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    /// The effect of a redemption on this subscription; a second report of it only adds what it
    /// observed (one landing reported by two systems is one landing).
    fn redeem(&mut self, subject: &Subject, event: &Event, redeemed: &k::KeysRedeemed) {
        self.redeemed.insert(redeemed.redemption.clone());
        let mut observed = redeemed.effects.iter();
        let observed = observed.find(|effect| effect.subscription.as_str() == subject.id);
        let sku = || observed.and_then(|observed| observed.sku.clone());
        self.sku = self.sku.take().or_else(sku);
        let several = redeemed.effects.len() > 1;
        let before = observed.and_then(|o| o.seats_before).map_or(0, |s| s.0);
        let after = observed.and_then(|o| o.seats_after).map(|s| s.0);
        let change = change_of(redeemed, before, after, several);
        self.lands_in(&redeemed.tenant, &change);
        let mut effect = Effect::new(event, change);
        effect.redemption = Some(redeemed.redemption.clone());
        let keys = redeemed.keys.iter();
        effect.keys = keys.map(|key| (key.key, key.seats.map(|s| s.0))).collect();
        effect.observed_seats = after;
        effect.observed_end = observed.and_then(|o| o.end_after);
        let shares_key = |other: &Effect| {
            let mut keys = other.keys.iter();
            keys.any(|(key, _)| effect.keys.iter().any(|(k, _)| k == key))
        };
        let known = self
            .effects
            .iter_mut()
            .find(|other| other.redemption == effect.redemption || shares_key(other));
        // Two systems may number one redemption in their own ways: it is known by the first number.
        let counted = known.as_ref().and_then(|known| known.redemption.clone());
        let counted = counted.or_else(|| effect.redemption.clone());
        match known {
            Some(known) => {
                known.observed_seats = known.observed_seats.or(effect.observed_seats);
                known.observed_end = known.observed_end.or(effect.observed_end);
            }
            None if matches!(effect.change, Change::Start { .. }) => self.start(effect),
            None => self.effects.push(effect),
        }
        self.paid(counted.as_ref(), redeemed.license_id.as_ref());
    }

    /// A landing that begins the subscription says where it is; another one may say where it is, if
    /// nobody did before.
    fn lands_in(&mut self, tenant: &TenantId, change: &Change) {
        match &self.tenant {
            Some(known) if known != tenant && !matches!(change, Change::Start { .. }) => {
                self.other_tenants.insert(tenant.clone());
            }
            Some(_) | None => self.tenant = Some(tenant.clone()),
        }
    }

    /// A subscription starts once: of several reports, the redemption's is kept, and the others add
    /// what they observed. Two redemptions that both begin it are two landings all the same.
    fn start(&mut self, new: Effect) {
        let mut starts = self.effects.iter_mut();
        let same = |known: &&mut Effect| {
            matches!(known.change, Change::Start { .. })
                && (known.redemption.is_none() || new.redemption.is_none())
        };
        let Some(known) = starts.find(same) else {
            self.effects.push(new);
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
}

fn change_of(redeemed: &k::KeysRedeemed, before: u32, after: Option<u32>, several: bool) -> Change {
    let mut carried: Option<u32> = None;
    for seats in redeemed.keys.iter().filter_map(|key| key.seats) {
        carried = Some(carried.unwrap_or(0).saturating_add(seats.0));
    }
    let added = match (several, carried, after) {
        (false, Some(carried), _) => carried,
        (_, _, Some(after)) => after.saturating_sub(before),
        (_, carried, None) => carried.unwrap_or(0),
    };
    match redeemed.mode {
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew => Change::Start {
            seats: Some(added),
            end: None,
        },
        RedemptionMode::AddKeepEnd => Change::Add { seats: added },
        RedemptionMode::RenewPlus12 => Change::Renew {
            seats: if several { after } else { carried },
        },
        // Credit is in lots, not in seats.
        RedemptionMode::AzureTopUp => Change::Shift { seats: 0 },
    }
}
