//! The view of an activation link: the mails that it stands in, when it was opened, and until when
//! it works (P4; DOMAIN section 5.1).

use crate::seen::Seen;
use crate::view::activation::Choice;
use crate::view::{Fold, kind_ids, order, shown_option};
use ledger::event::KindId;
use ledger::event::{Event, Payload};
use ledger::id::{CaseId, LicenseId, MessageId, OrderId, SessionId};
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Link;

/// Whether a link works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LinkState {
    /// It works, and no choice was made through it.
    Live,
    /// A choice was made through it.
    Used,
    /// It no longer works.
    Expired,
}

/// What a link looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// Its id.
    pub link: String,
    /// The agreement that it is for.
    pub license_id: Option<LicenseId>,
    /// The mails that it stands in.
    pub messages: BTreeSet<MessageId>,
    /// Whether it works.
    pub state: LinkState,
    /// Its last day, as a source or else the rule says.
    #[serde(serialize_with = "shown_option")]
    pub expires: Option<Date>,
    /// How many times it was opened.
    pub opened: usize,
    /// How many of these were after its last day.
    pub opened_expired: usize,
    /// When it was first opened.
    #[serde(serialize_with = "shown_option")]
    pub first_opened: Option<Timestamp>,
    /// The sessions that it was opened in.
    pub sessions: BTreeSet<SessionId>,
    /// How many times support made it work again.
    pub reactivated: usize,
    /// The cases under which it did.
    pub cases: BTreeSet<CaseId>,
    /// The choice that was made through it.
    pub choice: Option<Choice>,
}

/// What the events of a link add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    license_id: Option<LicenseId>,
    order: Option<OrderId>,
    messages: BTreeSet<MessageId>,
    sent_on: Option<Date>,
    /// The last day that the source gave last.
    stated: Option<Date>,
    /// Reported as expired, and not reactivated since.
    expired: bool,
    opened: Vec<Opened>,
    reactivated: usize,
    cases: BTreeSet<CaseId>,
    choice: Option<Choice>,
}

#[derive(Debug, Clone, PartialEq)]
struct Opened {
    at: Timestamp,
    session: Option<SessionId>,
    expired: bool,
    stated: Option<Date>,
    reactivated: usize,
}

impl State {
    /// Its last day: as a source says, else six months after the order, else after the mail (P4).
    /// A link that was reactivated without a new last day has none.
    fn expires(&self, seen: &Seen<'_>, stated: Option<Date>, reactivated: usize) -> Option<Date> {
        let by_rule = || {
            let order = self.order.as_ref().map(Names::subject);
            let placed = order.and_then(|order| seen.state::<order::Order>(&order)?.placed_on());
            let from = placed.or(self.sent_on)?;
            Some(from.plus_months(seen.policies().limits.link_months, from.day_of_month()))
        };
        match reactivated {
            0 => stated.or_else(by_rule),
            _ => stated,
        }
    }

    /// Its last day.
    pub(super) fn last_day(&self, seen: &Seen<'_>) -> Option<Date> {
        self.expires(seen, self.stated, self.reactivated)
    }

    /// Whether it no longer works.
    pub(super) fn is_over(&self, seen: &Seen<'_>) -> bool {
        self.expired || self.last_day(seen).is_some_and(|last| seen.today() > last)
    }
}

impl Fold for Link {
    type State = State;
    type View = LinkView;

    const KIND: SubjectKind = SubjectKind::Link;
    const DOC: &'static str =
        "An activation link: its mails, when it was opened, until when it works.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Order];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailResent ActivationEmailSent ActivationLinkExpired
        ActivationLinkOpened ActivationLinkReactivated SignInChosen SignUpChosen
    ];

    fn evolve(state: &mut State, _: &Subject, event: &Event) {
        match &event.payload {
            Payload::ActivationEmailSent(sent) => {
                state.license_id = Some(sent.license_id.clone());
                state.order = sent.order.clone().or(state.order.take());
                state.messages.insert(sent.message.clone());
                state.sent_on = state.sent_on.or(Some(event.occurred_at.start.date()));
                state.stated = sent.link_expires.or(state.stated);
            }
            Payload::ActivationEmailResent(sent) => {
                state.license_id = sent.license_id.clone().or(state.license_id.take());
                state.messages.insert(sent.message.clone());
                state.sent_on = state.sent_on.or(Some(event.occurred_at.start.date()));
            }
            Payload::ActivationLinkOpened(opened) => {
                state.license_id = state
                    .license_id
                    .take()
                    .or_else(|| opened.license_id.clone());
                state.opened.push(Opened {
                    at: event.occurred_at.start,
                    session: opened.session.clone(),
                    expired: state.expired,
                    stated: state.stated,
                    reactivated: state.reactivated,
                });
            }
            Payload::ActivationLinkExpired(_) => state.expired = true,
            Payload::ActivationLinkReactivated(again) => {
                state.expired = false;
                state.reactivated += 1;
                state.stated = again.link_expires;
                state.cases.extend(again.case.clone());
            }
            Payload::SignInChosen(_) => state.choice = state.choice.or(Some(Choice::SignIn)),
            Payload::SignUpChosen(_) => state.choice = state.choice.or(Some(Choice::SignUp)),
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailScheduled
                ActivationEmailSuppressed ActivationStatusObserved AgentStarted
                AgreementRenewedAs AgreementSigned AuthorizationReceived BypassTransitioned
                CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven ContactChanged
                CreditConsumed CreditExpired CreditForfeited CreditLotActivated
                CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed IdentityVerified ImportRecorded IncarnationBegun KeyEntered
                KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
                OrderReturned PartnerRegistered PartyNotified PersonErased
                PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
                RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted
                SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated
                TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<LinkView> {
        let late = |opened: &&Opened| {
            let last = state.expires(seen, opened.stated, opened.reactivated);
            opened.expired || last.is_some_and(|last| opened.at.date() > last)
        };
        Some(LinkView {
            link: subject.id.clone(),
            license_id: state.license_id.clone(),
            messages: state.messages.clone(),
            state: match state.choice {
                Some(_) => LinkState::Used,
                None if state.is_over(seen) => LinkState::Expired,
                None => LinkState::Live,
            },
            expires: state.last_day(seen),
            opened: state.opened.len(),
            opened_expired: state.opened.iter().filter(late).count(),
            first_opened: state.opened.first().map(|opened| opened.at),
            sessions: state
                .opened
                .iter()
                .filter_map(|o| o.session.clone())
                .collect(),
            reactivated: state.reactivated,
            cases: state.cases.clone(),
            choice: state.choice,
        })
    }
}
