//! The view of an activation key (DOMAIN section 5.2, section A "Lifecycle rows added").

use crate::seen::Seen;
use crate::source::Order;
use crate::view::{Fold, kind_ids, order, redemption, shown_each, shown_option};
use ledger::event::part::Money;
use ledger::event::word::{KeyChannel, RejectionCode};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{EventId, LicenseId, LotId, OrderId, PartnerId, RedemptionId, Seats, TenantId};
use ledger::kinds;
use ledger::secret::{KeyFingerprint, Last5, PersonId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Key;

/// Where a key stands (section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum KeyState {
    /// Only seen in use: nothing says that it was issued.
    Unknown,
    /// Issued.
    Issued,
    /// Shown or handed to somebody.
    Revealed,
    /// Redeemed.
    Redeemed,
    /// Redeemed in two tenants, or reissued without being reversed.
    RedeemedTwice,
    /// Returned or expired before it was redeemed.
    Void,
    /// Reversed; never comes back.
    Neutralised,
    /// Reversed, and another key took its place.
    Replaced,
}

/// What a key looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its last five characters.
    pub last5: String,
    /// Where it stands.
    pub state: KeyState,
    /// The order that it was issued for.
    pub order: Option<OrderId>,
    /// The line of the order, from 1.
    pub line: Option<u32>,
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// Seats that it carries.
    pub seats: Option<Seats>,
    /// Credit that it carries, in minor units of its currency.
    pub amount: Option<i64>,
    /// The currency of the credit.
    pub currency: Option<String>,
    /// The tenant that it was redeemed in.
    pub tenant: Option<TenantId>,
    /// By which redemption.
    pub redemption: Option<RedemptionId>,
    /// The lot of credit that it became.
    pub lot: Option<LotId>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub redeemed_at: Option<Timestamp>,
    /// How many sources reported that it was redeemed there: one landing, corroborated.
    pub reports: usize,
    /// Other tenants that it was redeemed in.
    pub also_redeemed_in: BTreeSet<TenantId>,
    /// When the redemption was reversed.
    #[serde(serialize_with = "shown_option")]
    pub reversed_at: Option<Timestamp>,
    /// How many times it was shown or handed on.
    pub revealed: usize,
    /// By which ways.
    pub revealed_by: BTreeSet<&'static str>,
    /// To whom, as pseudonyms.
    #[serde(serialize_with = "shown_each")]
    pub holders: BTreeSet<PersonId>,
    /// Partners that handled it.
    pub partners: BTreeSet<PartnerId>,
    /// How many times it was typed, or stood in the window.
    pub entered: usize,
    /// How many times it was refused.
    pub refused: usize,
    /// Why it was refused.
    pub refused_because: BTreeSet<&'static str>,
    /// Tenants in which it was refused, other than its own (W8).
    pub tried_in: BTreeSet<TenantId>,
    /// The key that took its place, by its last five characters.
    pub replaced_by: Option<String>,
    /// The key whose place it took, by its last five characters.
    pub replaces: Option<String>,
    /// The last day on which it can be redeemed.
    #[serde(serialize_with = "shown_option")]
    pub expires_on: Option<Date>,
}

/// What the events of a key add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    me: Option<KeyFingerprint>,
    issued: bool,
    pub(super) order: Option<OrderId>,
    line: Option<u32>,
    pub(super) license_id: Option<LicenseId>,
    pub(super) seats: Option<Seats>,
    amount: Option<Money>,
    expires_on: Option<Date>,
    pub(super) landings: Vec<Landing>,
    pub(super) reversals: Vec<Timestamp>,
    revealed: usize,
    revealed_by: BTreeSet<&'static str>,
    holders: BTreeSet<PersonId>,
    partners: BTreeSet<PartnerId>,
    entered: usize,
    refused: Vec<(RejectionCode, Option<TenantId>)>,
    pub(super) replaced_by: Option<KeyFingerprint>,
    pub(super) replaces: Option<KeyFingerprint>,
}

/// A report that a key was redeemed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Landing {
    pub(super) order: Order,
    pub(super) tenant: TenantId,
    pub(super) redemption: Option<RedemptionId>,
    pub(super) license_id: Option<LicenseId>,
    pub(super) seats: Option<Seats>,
    lot: Option<LotId>,
}

/// The fingerprint that a key's subject is named by.
pub fn fingerprint(subject: &Subject) -> Option<KeyFingerprint> {
    let (digest, last5) = subject.id.rsplit_once('-')?;
    Some(KeyFingerprint {
        digest: EventId::parse(digest)?.0,
        last5: Last5::parse(last5)?,
    })
}

impl State {
    fn is_me(&mut self, subject: &Subject, key: &KeyFingerprint) -> bool {
        if self.me.is_none() {
            self.me = fingerprint(subject);
        }
        self.me.as_ref() == Some(key)
    }

    /// When it was reversed: by an event that names it, or one that names its redemption and no key.
    pub(super) fn reversed_at(&self, seen: &Seen<'_>) -> Option<Timestamp> {
        self.landings.first()?;
        let by_name = self.reversals.iter().copied();
        let redemptions = self.landings.iter().filter_map(|l| l.redemption.as_ref());
        let whole = redemptions.filter_map(|redemption| {
            let state = seen.state::<redemption::Redemption>(&redemption.subject())?;
            state.whole_reversal()
        });
        by_name.chain(whole).min()
    }
}

impl Fold for Key {
    type State = State;
    type View = KeyView;

    const KIND: SubjectKind = SubjectKind::Key;
    const DOC: &'static str =
        "An activation key: its order, its seats, and whether and where it was redeemed.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Order, SubjectKind::Redemption];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        CreditLotActivated KeyEntered KeyIssued KeyReissued KeyRejected KeyRevealed
        KeysRedeemed RedemptionReversed
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::KeyIssued(issued) => {
                state.issued = true;
                state.order = Some(issued.order.clone());
                state.line = Some(issued.line.0);
                state.license_id = Some(issued.license_id.clone());
                state.seats = issued.seats.or(state.seats);
                state.amount = issued.amount.clone().or(state.amount.take());
                state.expires_on = issued.expires_on.or(state.expires_on);
            }
            Payload::KeyRevealed(revealed) => {
                state.revealed += 1;
                state
                    .revealed_by
                    .insert(KeyChannel::as_str(revealed.channel));
                state.holders.extend(revealed.to.as_ref().map(|to| to.id));
                state.partners.extend(revealed.partner.clone());
            }
            Payload::KeyEntered(_) => state.entered += 1,
            Payload::KeyRejected(rejected) => {
                state.refused.push((rejected.code, rejected.tenant.clone()));
            }
            Payload::KeysRedeemed(redeemed) => {
                let mut lines = redeemed.keys.iter();
                let line = lines.find(|line| state.is_me(subject, &line.key));
                let seats = line.and_then(|line| line.seats);
                state.seats = state.seats.or(seats);
                state.license_id = state
                    .license_id
                    .take()
                    .or_else(|| redeemed.license_id.clone());
                state.order = state.order.take().or_else(|| redeemed.order.clone());
                state.landings.push(Landing {
                    order: event.order(),
                    tenant: redeemed.tenant.clone(),
                    redemption: Some(redeemed.redemption.clone()),
                    license_id: redeemed.license_id.clone(),
                    seats,
                    lot: None,
                });
            }
            Payload::CreditLotActivated(lot) => {
                state.license_id = state.license_id.take().or_else(|| lot.license_id.clone());
                state.amount = state.amount.take().or_else(|| Some(lot.amount.clone()));
                if let Some(tenant) = &lot.tenant {
                    state.landings.push(Landing {
                        order: event.order(),
                        tenant: tenant.clone(),
                        redemption: lot.redemption.clone(),
                        license_id: lot.license_id.clone(),
                        seats: None,
                        lot: Some(lot.lot.clone()),
                    });
                }
            }
            Payload::RedemptionReversed(_) => state.reversals.push(event.occurred_at.start),
            Payload::KeyReissued(reissued) => {
                if state.is_me(subject, &reissued.old_key) {
                    state.replaced_by = Some(reissued.new_key);
                }
                if state.is_me(subject, &reissued.new_key) {
                    state.issued = true;
                    state.replaces = Some(reissued.old_key);
                    state.seats = state.seats.or(reissued.seats);
                    state.order = state.order.take().or_else(|| reissued.order.clone());
                    let license_id = reissued.license_id.clone();
                    state.license_id = state.license_id.take().or(license_id);
                }
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed
                CreditExpired CreditForfeited CustomerRegistered CustomersRelated
                DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun LicenseStateObserved
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

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<KeyView> {
        let landing = state.landings.first();
        let tenant = landing.map(|landing| landing.tenant.clone());
        let elsewhere = |other: &&TenantId| Some(*other) != tenant.as_ref();
        let tenants = state.landings.iter().map(|landing| &landing.tenant);
        let tried = state
            .refused
            .iter()
            .filter_map(|(_, tenant)| tenant.as_ref());
        let reversed_at = state.reversed_at(seen);
        let also_redeemed_in: BTreeSet<_> = tenants.filter(elsewhere).cloned().collect();
        let in_place = |landing: &&Landing| Some(&landing.tenant) == tenant.as_ref();
        Some(KeyView {
            last5: subject
                .id
                .rsplit_once('-')
                .map_or("", |(_, last5)| last5)
                .to_owned(),
            state: stands(
                state,
                seen,
                reversed_at.is_some(),
                !also_redeemed_in.is_empty(),
            ),
            order: state.order.clone(),
            line: state.line,
            license_id: state.license_id.clone(),
            seats: state.seats,
            amount: state.amount.as_ref().map(|amount| amount.minor_units.0),
            currency: state
                .amount
                .as_ref()
                .map(|amount| amount.currency.to_string()),
            redemption: state.landings.iter().find_map(|l| l.redemption.clone()),
            lot: state.landings.iter().find_map(|l| l.lot.clone()),
            redeemed_at: landing.map(|landing| landing.order.0),
            reports: state.landings.iter().filter(in_place).count(),
            also_redeemed_in,
            reversed_at,
            revealed: state.revealed,
            revealed_by: state.revealed_by.clone(),
            holders: state.holders.clone(),
            partners: state.partners.clone(),
            entered: state.entered,
            refused: state.refused.len(),
            refused_because: state
                .refused
                .iter()
                .map(|(code, _)| code.as_str())
                .collect(),
            tried_in: tried.filter(elsewhere).cloned().collect(),
            replaced_by: state.replaced_by.map(|key| key.last5.to_string()),
            replaces: state.replaces.map(|key| key.last5.to_string()),
            expires_on: state.expires_on,
            tenant,
        })
    }
}

fn stands(state: &State, seen: &Seen<'_>, reversed: bool, elsewhere: bool) -> KeyState {
    let landed = !state.landings.is_empty();
    let replaced = state.replaced_by.is_some();
    let expired = state.expires_on.is_some_and(|last| seen.today() > last);
    let returned = || {
        let order = state.order.as_ref().map(Names::subject);
        let order = order.and_then(|order| seen.state::<order::Order>(&order));
        order.is_some_and(|order| order.is_gone())
    };
    match (landed, reversed, replaced) {
        (true, _, _) if elsewhere => KeyState::RedeemedTwice,
        (true, true, true) => KeyState::Replaced,
        (true, true, false) => KeyState::Neutralised,
        (true, false, true) => KeyState::RedeemedTwice,
        (true, false, false) => KeyState::Redeemed,
        (false, _, true) => KeyState::Replaced,
        (false, _, false) if expired || returned() => KeyState::Void,
        (false, _, false) if state.revealed > 0 => KeyState::Revealed,
        (false, _, false) if state.issued => KeyState::Issued,
        (false, _, false) => KeyState::Unknown,
    }
}
