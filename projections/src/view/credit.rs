//! The view of a lot of prepaid credit (DOMAIN section 5.4; R17, E11). A lot lasts by itself: a
//! top-up is another lot, and prolongs nothing.

use crate::policy::{Policy, TermEnd};
use crate::seen::Seen;
use crate::view::{Fold, kind_ids, redemption, shown_each, shown_option};
use ledger::event::part::Money;
use ledger::event::word::ForfeitReason;
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::KeyFingerprint;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Credit;

/// Where a lot stands (section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CreditState {
    /// Only named by others: nothing says that it was activated.
    Unknown,
    /// There is credit in it.
    Active,
    /// All of it was used.
    Exhausted,
    /// Its last day has passed.
    Expired,
    /// What was left was forfeited.
    Forfeited,
    /// What was left was taken back with the redemption that brought it.
    Reversed,
}

/// What a lot looked like. Amounts are in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditView {
    /// Its id.
    pub lot: String,
    /// Where it stands.
    pub state: CreditState,
    /// The directory of the Azure subscription.
    pub tenant: Option<TenantId>,
    /// The Azure subscription.
    pub azure_subscription: Option<SubscriptionId>,
    /// Whether it began the Azure subscription or was added to one.
    pub new_subscription: Option<bool>,
    /// Under which agreement.
    pub license_id: Option<LicenseId>,
    /// By which key, by its last five characters.
    pub key: Option<String>,
    /// By which redemption.
    pub redemption: Option<RedemptionId>,
    /// Its currency.
    pub currency: Option<String>,
    /// How much it was.
    pub amount: i64,
    /// How much of it was used.
    pub consumed: i64,
    /// How much can still be used today.
    pub remaining: i64,
    /// Whether more was used than there was (invariant 14).
    pub overdrawn: bool,
    /// Uses in another currency: they are not counted.
    pub other_currencies: BTreeSet<String>,
    /// Its first day.
    #[serde(serialize_with = "shown_option")]
    pub activated_on: Option<Date>,
    /// Its last day: as told, else 12 months by the policy.
    #[serde(serialize_with = "shown_option")]
    pub expires_on: Option<Date>,
    /// Whether the last day that was told is not the one of the rule (invariant 14).
    pub expiry_differs: bool,
    /// How much went when it expired, was forfeited or reversed.
    pub lost: Option<i64>,
    /// Why it was forfeited.
    pub forfeited_because: Option<&'static str>,
    /// When it was reversed.
    #[serde(serialize_with = "shown_option")]
    pub reversed_at: Option<Timestamp>,
    /// The policies that decided its last day, as `name@version`.
    #[serde(serialize_with = "shown_each")]
    pub policies: BTreeSet<Policy>,
}

/// What the events of a lot add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    activated: bool,
    tenant: Option<TenantId>,
    azure_subscription: Option<SubscriptionId>,
    new_subscription: Option<bool>,
    license_id: Option<LicenseId>,
    key: Option<KeyFingerprint>,
    redemption: Option<RedemptionId>,
    amount: Option<Money>,
    activated_on: Option<Date>,
    expires_on: Option<Date>,
    term_end: Option<TermEnd>,
    consumed: Vec<Money>,
    expired: Option<(Timestamp, Option<i64>)>,
    forfeited: Option<(Timestamp, ForfeitReason, Option<i64>)>,
    reversed_at: Option<Timestamp>,
}

impl Fold for Credit {
    type State = State;
    type View = CreditView;

    const KIND: SubjectKind = SubjectKind::Credit;
    const DOC: &'static str = "A lot of prepaid credit: how much is left of it, and until when.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Redemption, SubjectKind::Key];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        CreditConsumed CreditExpired CreditForfeited CreditLotActivated
        RedemptionReversed
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        let at = event.occurred_at.start;
        match &event.payload {
            Payload::CreditLotActivated(lot) => {
                // A second report of the lot corroborates the first (section A, "Landing").
                state.tenant = state.tenant.take().or(lot.tenant.clone());
                state.license_id = state.license_id.take().or(lot.license_id.clone());
                state.redemption = state.redemption.take().or(lot.redemption.clone());
                state.expires_on = state.expires_on.or(lot.expires_on);
                state.term_end = state.term_end.or(TermEnd::named(event));
                if !state.activated {
                    state.activated = true;
                    state.azure_subscription = Some(lot.azure_subscription.clone());
                    state.new_subscription = Some(lot.new_subscription);
                    state.key = Some(lot.key);
                    state.amount = Some(lot.amount.clone());
                    state.activated_on = Some(lot.activated_on);
                }
            }
            Payload::CreditConsumed(used) => state.consumed.push(used.amount.clone()),
            Payload::CreditExpired(expired) => {
                let left = expired.amount.as_ref().map(|amount| amount.minor_units.0);
                state.expired = state.expired.or(Some((at, left)));
            }
            Payload::CreditForfeited(gone) => {
                let left = gone.amount.as_ref().map(|amount| amount.minor_units.0);
                state.forfeited = state.forfeited.or(Some((at, gone.reason, left)));
            }
            Payload::RedemptionReversed(_) => {
                state.reversed_at = state.reversed_at.or(Some(at));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ConfirmationGiven ContactChanged CustomerRegistered
                CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyEntered KeyIssued
                KeyReissued KeyRejected KeyRevealed KeysRedeemed LicenseStateObserved
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled OnlineServicesIdAdded
                OrderAmended OrderCancelled OrderPlaced OrderRelayed OrderReturned
                PartnerRegistered PartyNotified PersonErased PersonalDataRevealed
                PersonsMerged ProfileEntered ProvisioningConfirmed RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
                SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionStarted SubscriptionsReviewed
                SupportEscalated TblParametersSet TenantCreated TenantObserved
                TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved
                TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised
                TrialExpired TrialStarted UserAuthenticated UserDeprovisioned UserNotified
                UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<CreditView> {
        let currency = state.amount.as_ref().map(|amount| &amount.currency);
        let counts = |used: &&Money| currency.is_none_or(|currency| used.currency == *currency);
        let consumed = state.consumed.iter().filter(counts);
        let consumed = consumed.fold(0_i64, |sum, used| sum.saturating_add(used.minor_units.0));
        let others = state.consumed.iter().filter(|used| !counts(used));
        let amount = state
            .amount
            .as_ref()
            .map_or(0, |amount| amount.minor_units.0);
        let policy = state.term_end.unwrap_or(seen.policies().term_end);
        let by_rule = state
            .activated_on
            .map(|on| policy.end(on, seen.policies().limits.credit_months));
        let expires_on = state.expires_on.or(by_rule);
        let reversed = state.reversed_at.is_some()
            || redemption::is_reversed(seen, state.redemption.as_ref(), state.key.as_slice());
        let over = expires_on.is_some_and(|last| seen.today() > last);
        let left = amount.saturating_sub(consumed).max(0);
        let stands = match () {
            () if reversed => CreditState::Reversed,
            () if state.forfeited.is_some() => CreditState::Forfeited,
            () if !state.activated => CreditState::Unknown,
            () if left == 0 => CreditState::Exhausted,
            () if over || state.expired.is_some() => CreditState::Expired,
            () => CreditState::Active,
        };
        let told = state.forfeited.and_then(|(_, _, told)| told);
        let told = told.or(state.expired.and_then(|(_, told)| told));
        Some(CreditView {
            lot: subject.id.clone(),
            state: stands,
            tenant: state.tenant.clone(),
            azure_subscription: state.azure_subscription.clone(),
            new_subscription: state.new_subscription,
            license_id: state.license_id.clone(),
            key: state.key.map(|key| key.last5.to_string()),
            redemption: state.redemption.clone(),
            currency: currency.map(ToString::to_string),
            amount,
            consumed,
            remaining: if stands == CreditState::Active {
                left
            } else {
                0
            },
            overdrawn: state.activated && consumed > amount,
            other_currencies: others.map(|used| used.currency.to_string()).collect(),
            activated_on: state.activated_on,
            expires_on,
            expiry_differs: state
                .expires_on
                .zip(by_rule)
                .is_some_and(|(told, rule)| told != rule),
            lost: match stands {
                CreditState::Expired | CreditState::Forfeited => Some(told.unwrap_or(left)),
                // A reversal takes only what was not used.
                CreditState::Reversed => Some(left),
                CreditState::Unknown | CreditState::Active | CreditState::Exhausted => None,
            },
            forfeited_because: state.forfeited.map(|(_, reason, _)| reason.as_str()),
            reversed_at: state.reversed_at,
            policies: match state.expires_on {
                None if state.activated => BTreeSet::from([policy.policy()]),
                None | Some(_) => BTreeSet::new(),
            },
        })
    }
}
