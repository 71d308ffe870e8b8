//! The view of an activation key (DOMAIN section 5.2, section A "Lifecycle rows added").
//!
//! Follows: its redemptions, because a reversal may name the redemption only; its order, for
//! returns.

use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{LicenseId, OrderId, RedemptionId, Seats, TenantId};
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Key;

impl Fold for Key {
    type State = ();
    type View = Option<KeyView>;

    const KIND: SubjectKind = SubjectKind::Key;
    const DOC: &'static str =
        "An activation key: its order, its seats, and whether and where it was redeemed.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Order, SubjectKind::Redemption];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![CreditLotActivated KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed OrderCancelled OrderReturned RedemptionReversed];

    fn evolve((): &mut (), _subject: &Subject, _event: &Event) {}

    fn view((): &(), subject: &Subject, seen: &Seen<'_>) -> Option<KeyView> {
        fold(seen, subject)
    }
}

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
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// Seats that it carries.
    pub seats: Option<Seats>,
    /// The tenant that it was redeemed in.
    pub tenant: Option<TenantId>,
    /// By which redemption.
    pub redemption: Option<RedemptionId>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub redeemed_at: Option<Timestamp>,
    /// Other tenants that it was redeemed in.
    pub also_redeemed_in: BTreeSet<TenantId>,
    /// How many times it was shown or handed on.
    pub revealed: usize,
    /// How many times it was refused.
    pub refused: usize,
    /// The key that took its place, by its last five characters.
    pub replaced_by: Option<String>,
    /// The key whose place it took, by its last five characters.
    pub replaces: Option<String>,
    /// The last day on which it can be redeemed.
    #[serde(serialize_with = "shown_option")]
    pub expires_on: Option<Date>,
}

#[derive(Default)]
struct Folding {
    issued: bool,
    returned: bool,
    reversed: bool,
}

/// Folds the view of a key; `None` if nothing is known of it.
pub fn fold(at: &Seen<'_>, key: &Subject) -> Option<KeyView> {
    let own = at.of_any([key]);
    let mut subjects = BTreeSet::from([key.clone()]);
    for event in &own {
        if let Payload::KeysRedeemed(redeemed) = &event.payload {
            subjects.insert(redeemed.redemption.subject());
        } else if let Payload::CreditLotActivated(lot) = &event.payload {
            subjects.extend(lot.redemption.as_ref().map(Names::subject));
        } else if let Payload::KeyIssued(issued) = &event.payload {
            subjects.insert(issued.order.subject());
        }
    }
    own.first()?;
    let last5 = key.id.rsplit_once('-').map_or("", |(_, last5)| last5);
    let mut view = KeyView {
        last5: last5.to_owned(),
        state: KeyState::Unknown,
        order: None,
        license_id: None,
        seats: None,
        tenant: None,
        redemption: None,
        redeemed_at: None,
        also_redeemed_in: BTreeSet::new(),
        revealed: 0,
        refused: 0,
        replaced_by: None,
        replaces: None,
        expires_on: None,
    };
    let mut fold = Folding::default();
    for event in at.of_any(&subjects) {
        evolve(&mut view, &mut fold, key, &event);
    }
    view.state = state(at, &view, &fold);
    Some(view)
}

fn evolve(view: &mut KeyView, fold: &mut Folding, key: &Subject, event: &Event) {
    match &event.payload {
        Payload::KeyIssued(issued) => {
            if issued.key.subject() == *key {
                fold.issued = true;
                view.order = Some(issued.order.clone());
                view.license_id = Some(issued.license_id.clone());
                view.seats = issued.seats;
                view.expires_on = issued.expires_on;
            }
        }
        Payload::KeyRevealed(_) => view.revealed += 1,
        Payload::KeyRejected(rejected) => {
            if rejected.key.subject() == *key {
                view.refused += 1;
            }
        }
        Payload::KeysRedeemed(redeemed) => {
            let Some(line) = redeemed.keys.iter().find(|line| line.key.subject() == *key) else {
                return;
            };
            view.seats = view.seats.or(line.seats);
            view.license_id = view
                .license_id
                .take()
                .or_else(|| redeemed.license_id.clone());
            view.order = view.order.take().or_else(|| redeemed.order.clone());
            land(view, event, &redeemed.tenant, Some(&redeemed.redemption));
        }
        Payload::CreditLotActivated(lot) => {
            if lot.key.subject() == *key {
                view.license_id = view.license_id.take().or_else(|| lot.license_id.clone());
                if let Some(tenant) = &lot.tenant {
                    land(view, event, tenant, lot.redemption.as_ref());
                }
            }
        }
        Payload::OrderReturned(_) => fold.returned = true,
        Payload::OrderCancelled(_) => fold.returned = true,
        Payload::RedemptionReversed(reversed) => {
            let names =
                reversed.keys.is_empty() || reversed.keys.iter().any(|k| k.subject() == *key);
            fold.reversed |= names && view.tenant.is_some();
        }
        Payload::KeyReissued(reissued) => {
            if reissued.old_key.subject() == *key {
                view.replaced_by = Some(reissued.new_key.last5.to_string());
            }
            if reissued.new_key.subject() == *key {
                fold.issued = true;
                view.replaces = Some(reissued.old_key.last5.to_string());
                view.seats = view.seats.or(reissued.seats);
                view.order = view.order.take().or_else(|| reissued.order.clone());
                view.license_id = view
                    .license_id
                    .take()
                    .or_else(|| reissued.license_id.clone());
            }
        }
        kinds![
            AccountProfileCreated AcknowledgementShown ActivationEmailBounced
            ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
            ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
            ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
            ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
            AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ClockSkewObserved
            ConfirmationGiven ContactChanged CreditConsumed CreditExpired CreditForfeited
            CustomerRegistered CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked
            DesktopSetupRun DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
            ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
            ImportRecorded IncarnationBegun KeyEntered LicenseStateObserved LicensesAssigned
            LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered NotifierStarted
            OfficeInstalled OnlineServicesIdAdded OrderAmended OrderPlaced OrderRelayed
            PartnerRegistered PartyNotified
            PersonErased PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
            RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
            RedemptionReviewed RedemptionStarted RedemptionSubmitted ReservationCancelled
            ReservationPlaced RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned
            SeatReset SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
            SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
            SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
            SubscriptionDeleted SubscriptionDisabled SubscriptionExpired SubscriptionObserved
            SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
            SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated TenantObserved
            TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved TrialAbandoned
            TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted
            UserAuthenticated UserDeprovisioned UserNotified UserPrompted UserReprovisioned
            VlRoleAssigned VlRoleRemoved
        ] => {}
    }
}

fn land(view: &mut KeyView, event: &Event, tenant: &TenantId, redemption: Option<&RedemptionId>) {
    match &view.tenant {
        Some(first) if first != tenant => {
            view.also_redeemed_in.insert(tenant.clone());
        }
        Some(_) => {}
        None => {
            view.tenant = Some(tenant.clone());
            view.redemption = redemption.cloned();
            view.redeemed_at = Some(event.occurred_at.start);
        }
    }
}

fn state(at: &Seen<'_>, view: &KeyView, fold: &Folding) -> KeyState {
    let today = at.point().valid_at.date();
    let replaced = view.replaced_by.is_some();
    let expired = view.expires_on.is_some_and(|last| today > last);
    match &view.tenant {
        _ if !view.also_redeemed_in.is_empty() => KeyState::RedeemedTwice,
        Some(_) if fold.reversed && replaced => KeyState::Replaced,
        Some(_) if fold.reversed => KeyState::Neutralised,
        Some(_) if replaced => KeyState::RedeemedTwice,
        Some(_) => KeyState::Redeemed,
        None if replaced => KeyState::Replaced,
        None if fold.returned || expired => KeyState::Void,
        None if view.revealed > 0 => KeyState::Revealed,
        None if fold.issued => KeyState::Issued,
        None => KeyState::Unknown,
    }
}
