//! The view of an activation: the order, mails and links that share one choice (R8; DOMAIN section A
//! "One choice").

use crate::seen::Seen;
use crate::view::{Fold, kind_ids, shown_option};
use ledger::event::word::{BindingBasis, Scenario, SuppressedReason};
use ledger::event::{Event, KindId, Payload};
use ledger::id::{LicenseId, LinkId, MessageId, OrderId, SessionId, TenantId};
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Activation;

/// The one choice of an activation (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Choice {
    /// Sign In: an existing tenant.
    SignIn,
    /// Sign Up: a new tenant.
    SignUp,
}

/// A choice that was made, and whether a source reported the other one later.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choosing {
    pub(super) first: Option<Choice>,
    pub(super) at: Option<Timestamp>,
    pub(super) second: bool,
}

impl Choosing {
    /// A second choice is refused by the vendor; where a source reports one, the first stands (R8).
    pub(super) fn choose(&mut self, choice: Choice, event: &Event) {
        match self.first {
            None => {
                self.first = Some(choice);
                self.at = Some(event.occurred_at.start);
            }
            Some(first) => self.second |= first != choice,
        }
    }
}

/// What an activation looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivationView {
    /// Its id.
    pub activation: String,
    /// The agreement that it is for.
    pub license_id: Option<LicenseId>,
    /// Its orders.
    pub orders: BTreeSet<OrderId>,
    /// Its mails.
    pub messages: BTreeSet<MessageId>,
    /// Its links.
    pub links: BTreeSet<LinkId>,
    /// Why no mail was sent, if one was not.
    pub suppressed: Option<&'static str>,
    /// The scenario that it was assessed as.
    pub scenario: Option<Scenario>,
    /// The choice that was made.
    pub choice: Option<Choice>,
    /// When.
    #[serde(serialize_with = "shown_option")]
    pub chosen_at: Option<Timestamp>,
    /// By whom, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub chosen_by: Option<PersonId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// Whether a source reported the other choice later; the first stands.
    pub second_choice: bool,
    /// The tenant that was signed in to, where the source of the choice says.
    pub signed_in_to: Option<TenantId>,
    /// The tenant that its choice created.
    pub created: Option<TenantId>,
    /// The tenant that it was bound to last.
    pub bound_to: Option<TenantId>,
    /// On what ground.
    pub basis: Option<BindingBasis>,
}

/// What the events of an activation add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    license_id: Option<LicenseId>,
    orders: BTreeSet<OrderId>,
    messages: BTreeSet<MessageId>,
    links: BTreeSet<LinkId>,
    suppressed: Option<SuppressedReason>,
    scenario: Option<Scenario>,
    choosing: Choosing,
    chosen_by: Option<PersonId>,
    session: Option<SessionId>,
    signed_in_to: Option<TenantId>,
    created: Option<TenantId>,
    bound: Option<(TenantId, BindingBasis)>,
}

impl Fold for Activation {
    type State = State;
    type View = ActivationView;

    const KIND: SubjectKind = SubjectKind::Activation;
    const DOC: &'static str = "An activation: the order, mails and links that share one choice.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
        OrderPlaced ScenarioAssessed ServicesAutoAssigned ServicesBoundToTenant
        SignInChosen SignUpChosen TenantCreated
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        match &event.payload {
            Payload::OrderPlaced(placed) => {
                state.license_id = Some(placed.license_id.clone());
                state.orders.insert(placed.order.clone());
            }
            Payload::ActivationEmailScheduled(planned) => {
                state.license_id = Some(planned.license_id.clone());
                state.orders.extend(planned.order.clone());
            }
            Payload::ActivationEmailSent(sent) => {
                state.license_id = Some(sent.license_id.clone());
                state.orders.extend(sent.order.clone());
                state.messages.insert(sent.message.clone());
                state.links.extend(sent.link.clone());
                state.suppressed = None;
            }
            Payload::ActivationEmailSuppressed(none) => {
                state.license_id = Some(none.license_id.clone());
                state.orders.extend(none.order.clone());
                state.suppressed = Some(none.reason);
            }
            Payload::ScenarioAssessed(assessed) => state.scenario = Some(assessed.scenario),
            Payload::SignInChosen(chosen) => {
                let first = state.choosing.first.is_none();
                state.choosing.choose(Choice::SignIn, event);
                state.links.extend(chosen.link.clone());
                if first {
                    state.chosen_by = chosen.principal.as_ref().map(|person| person.id);
                    state.session = chosen.session.clone();
                    state.signed_in_to = chosen.tenant.clone();
                }
            }
            Payload::SignUpChosen(chosen) => {
                let first = state.choosing.first.is_none();
                state.choosing.choose(Choice::SignUp, event);
                state.links.extend(chosen.link.clone());
                if first {
                    state.chosen_by = chosen.principal.as_ref().map(|person| person.id);
                    state.session = chosen.session.clone();
                }
            }
            Payload::TenantCreated(created) => state.created = Some(created.tenant.clone()),
            Payload::ServicesBoundToTenant(bound) => {
                state.license_id = Some(bound.license_id.clone());
                state.bound = Some((bound.tenant.clone(), bound.basis));
            }
            Payload::ServicesAutoAssigned(assigned) => {
                state.license_id = Some(assigned.license_id.clone());
                state.bound = Some((assigned.tenant.clone(), BindingBasis::AutoAssign));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
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
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled OnlineServicesIdAdded
                OrderAmended OrderCancelled OrderRelayed OrderReturned PartnerRegistered
                PartyNotified PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
                SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                SessionEnded SessionStarted SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired
                SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, _: &Seen<'_>) -> Option<ActivationView> {
        let bound = state.bound.clone();
        Some(ActivationView {
            activation: subject.id.clone(),
            license_id: state.license_id.clone(),
            orders: state.orders.clone(),
            messages: state.messages.clone(),
            links: state.links.clone(),
            suppressed: state.suppressed.map(SuppressedReason::as_str),
            scenario: state.scenario,
            choice: state.choosing.first,
            chosen_at: state.choosing.at,
            chosen_by: state.chosen_by,
            session: state.session.clone(),
            second_choice: state.choosing.second,
            signed_in_to: state.signed_in_to.clone(),
            created: state.created.clone(),
            basis: bound.as_ref().map(|(_, basis)| *basis),
            bound_to: bound.map(|(tenant, _)| tenant),
        })
    }
}
