//! The counters of a tenant: who holds what, which machines are its own. Millions of changes, kept
//! apart from whole events.

use super::UNKNOWN_SKU;
use crate::source::{Change, Step};
use ledger::event::{Event, Payload};
use ledger::id::{Sku, TenantId};
use ledger::kinds;
use ledger::secret::{MachineId, PersonId};
use ledger::subject::Subject;
use ledger::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// By a pseudonym. There can be a million changes, and pseudonyms are random already.
pub(super) type ByPseudonym<K, V> = HashMap<K, V, BuildHasherDefault<SomeBytes>>;

/// Takes eight bytes of a key for its hash.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SomeBytes(u64);

impl Hasher for SomeBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.as_chunks::<8>().0.iter().take(1) {
            self.0 = u64::from_le_bytes(*eight);
        }
    }

    // The length that comes before the bytes is the same for all.
    fn write_usize(&mut self, _: usize) {}
}

/// What the changes of a tenant's counters add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counters {
    pub(super) sessions: usize,
    pub(super) holders: ByPseudonym<PersonId, Vec<Option<Arc<Sku>>>>,
    pub(super) machines: ByPseudonym<MachineId, MachineUse>,
}

/// What is known of a machine in the tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct MachineUse {
    pub(super) registered: bool,
    pub(super) licensed_until: Option<Timestamp>,
}

impl Counters {
    /// Takes one change in.
    pub(super) fn tally(&mut self, change: &Change) {
        match &change.step {
            Step::Holds(user, sku) => {
                let held = self.holders.entry(*user).or_default();
                if !held.contains(sku) {
                    held.push(sku.clone());
                }
            }
            Step::Drops(user, sku) => {
                if let Some(held) = self.holders.get_mut(user) {
                    held.retain(|other| other != sku);
                }
            }
            Step::DropsAll(user) => drop(self.holders.remove(user)),
            Step::SignsIn => self.sessions += 1,
            Step::Registers(machine) => {
                self.machines.entry(*machine).or_default().registered = true;
            }
            Step::Leaves(machine) => {
                self.machines.entry(*machine).or_default().registered = false;
            }
            Step::Licenses(machine, until) => {
                let machine = self.machines.entry(*machine).or_default();
                machine.registered = true;
                machine.licensed_until = machine.licensed_until.max(Some(*until));
            }
        }
    }

    /// Users that hold a licence, by SKU.
    pub(super) fn assigned_by_sku(&self) -> BTreeMap<String, usize> {
        let mut by_sku: BTreeMap<&str, usize> = BTreeMap::new();
        for sku in self.holders.values().flatten() {
            let sku = sku.as_ref().map_or(UNKNOWN_SKU, |sku| sku.as_str());
            *by_sku.entry(sku).or_default() += 1;
        }
        by_sku
            .into_iter()
            .map(|(sku, users)| (sku.to_owned(), users))
            .collect()
    }
}

/// What an event changes of a tenant's counters.
pub(super) fn steps(event: &Event, subject: &Subject, emit: &mut dyn FnMut(Step)) {
    let here = |tenant: &TenantId| tenant.as_str() == subject.id;
    match &event.payload {
        Payload::LicensesAssigned(assigned) => {
            let sku = Some(Arc::new(assigned.sku.clone()));
            let users = assigned.users.iter();
            users.for_each(|user| emit(Step::Holds(user.id, sku.clone())));
        }
        Payload::LicensesUnassigned(taken) => {
            let sku = Some(Arc::new(taken.sku.clone()));
            let users = taken.users.iter();
            users.for_each(|user| emit(Step::Drops(user.id, sku.clone())));
        }
        Payload::UserDeprovisioned(gone) => emit(match &gone.sku {
            Some(sku) => Step::Drops(gone.user.id, Some(Arc::new(sku.clone()))),
            None => Step::DropsAll(gone.user.id),
        }),
        Payload::UserReprovisioned(back) => {
            emit(Step::Holds(back.user.id, back.sku.clone().map(Arc::new)));
        }
        Payload::SeatsReassigned(moved) => {
            let sku = moved.sku.clone().map(Arc::new);
            for user in &moved.users {
                emit(match &sku {
                    _ if here(&moved.tenant) => Step::Holds(user.id, sku.clone()),
                    Some(_) => Step::Drops(user.id, sku.clone()),
                    None => Step::DropsAll(user.id),
                });
            }
        }
        Payload::MachineRegistered(registered) => {
            emit(Step::Registers(registered.machine.id));
        }
        Payload::SessionStarted(_) => emit(Step::SignsIn),
        Payload::SeatProvisioned(given) => emit(Step::Registers(given.machine.id)),
        Payload::MachineBumped(bumped) => emit(Step::Leaves(bumped.machine.id)),
        Payload::SeatLicensed(licensed) => {
            emit(Step::Licenses(licensed.machine.id, licensed.valid_until));
        }
        Payload::SeatRevalidated(again) => {
            emit(Step::Licenses(again.machine.id, again.valid_until));
        }
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced
            ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
            ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
            ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
            AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
            ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
            CreditExpired CreditForfeited CreditLotActivated CustomerRegistered
            CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
            DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed
            IdentityVerified ImportRecorded IncarnationBegun KeyEntered KeyIssued
            KeyReissued KeyRejected KeyRevealed KeysRedeemed LicenseStateObserved
            MachineKeyIssued NotifierStarted OfficeInstalled OnlineServicesIdAdded
            OrderAmended OrderCancelled OrderPlaced OrderRelayed OrderReturned
            PartnerRegistered PartyNotified PersonErased PersonalDataRevealed
            PersonsMerged ProfileEntered ProvisioningConfirmed RedemptionAbandoned
            RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
            RedemptionReviewed RedemptionStarted RedemptionSubmitted
            ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
            SeatReset SeatResetRequested SeatsAdded SeatsReduced SeatsTransferred
            ServicesAutoAssigned ServicesBoundToTenant SessionEnded SignInChosen
            SignUpChosen SourceRecordKept SubscriptionCancelled SubscriptionDeleted
            SubscriptionDisabled SubscriptionExpired SubscriptionObserved
            SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
            SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated
            TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
            TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
            TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
            UserNotified UserPrompted VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}
