//! The view of an activation email: its recipient of record and why it was that one, how it
//! travelled, and what became of its link (R4 to R7; DOMAIN section 4.2).

use crate::policy;
use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::link::{Link, LinkState};
use crate::view::{Fold, kind_ids, shown_each, shown_option};
use ledger::event::word::ContactRole;
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::PersonId;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Email;

/// How far an activation email came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EmailState {
    /// Only named by others.
    Unknown,
    /// It went out.
    Sent,
    /// A mail system took it.
    Delivered,
    /// It came back.
    Bounced,
    /// Its link was opened.
    Opened,
    /// A choice was made through its link.
    Answered,
    /// Its link ended before a choice was made.
    Expired,
}

/// What an activation email looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmailView {
    /// Its id.
    pub message: String,
    /// How far it came.
    pub state: EmailState,
    /// The agreement that it is for.
    pub license_id: Option<LicenseId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The activation.
    pub activation: Option<ActivationId>,
    /// When it went out.
    #[serde(serialize_with = "shown_option")]
    pub sent_at: Option<Timestamp>,
    /// The recipient of record, as pseudonym; a forward does not change it (R5).
    #[serde(serialize_with = "shown_option")]
    pub recipient: Option<PersonId>,
    /// Whether anybody can have an address in the recipient's domain (R7).
    pub public_domain: bool,
    /// The role in which it was sent to the recipient.
    pub role: Option<ContactRole>,
    /// Whether that is not the role that the program writes to first (R4).
    pub fallback: bool,
    /// The roles that it could have gone to, in the order in which the sender listed them.
    pub candidates: Vec<ContactRole>,
    /// The rule that chose, as `name@version`.
    pub rule: Option<String>,
    /// Whether the recipient of record no longer has the role (W19).
    pub recipient_replaced: bool,
    /// Its subject line.
    pub subject: Option<Name>,
    /// The mail that it repeats.
    pub repeats: Option<MessageId>,
    /// Who asked for the repetition, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub requested_by: Option<PersonId>,
    /// The mails that repeat it.
    pub resent_as: BTreeSet<MessageId>,
    /// What the mail system said.
    pub status: Option<Name>,
    /// Who forwarded it to whom, in order, as pseudonyms.
    #[serde(serialize_with = "forwards")]
    pub forwarded: Vec<(PersonId, PersonId)>,
    /// Who may redeem by it: the recipient, and whom it was forwarded to from there (R5).
    #[serde(serialize_with = "shown_each")]
    pub permitted: BTreeSet<PersonId>,
    /// The link in it.
    pub link: Option<LinkId>,
    /// Whether the link works.
    pub link_state: Option<LinkState>,
    /// The link's last day.
    #[serde(serialize_with = "shown_option")]
    pub link_expires: Option<Date>,
    /// How many times the link was opened.
    pub opened: usize,
    /// The services whose provisioning this mail confirms, where it is such a mail.
    pub confirms: BTreeSet<Name>,
}

fn forwards<S: Serializer>(steps: &[(PersonId, PersonId)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        steps
            .iter()
            .map(|(from, to)| (from.to_string(), to.to_string())),
    )
}

/// What the events of an email add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    license_id: Option<LicenseId>,
    order: Option<OrderId>,
    activation: Option<ActivationId>,
    sent_at: Option<Timestamp>,
    pub(super) recipient: Option<PersonId>,
    public_domain: bool,
    role: Option<ContactRole>,
    subject: Option<Name>,
    pub(super) link: Option<LinkId>,
    link_expires: Option<Date>,
    repeats: Option<MessageId>,
    requested_by: Option<PersonId>,
    resent_as: BTreeSet<MessageId>,
    delivered: bool,
    bounced: bool,
    status: Option<Name>,
    forwarded: Vec<(PersonId, PersonId)>,
    confirms: BTreeSet<Name>,
}

impl State {
    /// The recipient, and whom the mail was forwarded to from there, however far.
    pub(super) fn permitted(&self) -> BTreeSet<PersonId> {
        let mut permitted: BTreeSet<PersonId> = self.recipient.into_iter().collect();
        // A forward may be recorded before the one that brought the mail to its sender.
        for _ in 0..self.forwarded.len() {
            for (from, to) in &self.forwarded {
                if permitted.contains(from) || permitted.is_empty() {
                    permitted.insert(*to);
                }
            }
        }
        permitted
    }
}

impl Fold for Email {
    type State = State;
    type View = EmailView;

    const KIND: SubjectKind = SubjectKind::Email;
    const DOC: &'static str =
        "An activation email: its recipient of record, its forwards, its link, what became of it.";
    const FOLLOWS: &'static [SubjectKind] = &[SubjectKind::Link, SubjectKind::Agreement];
    const READS: &'static [SubjectKind] = &[SubjectKind::Agreement];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailBounced ActivationEmailDelivered ActivationEmailForwarded
        ActivationEmailResent ActivationEmailSent ProvisioningConfirmed
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::ActivationEmailSent(sent) => {
                state.license_id = Some(sent.license_id.clone());
                state.order = sent.order.clone().or(state.order.take());
                state.activation = sent.activation.clone().or(state.activation.take());
                state.sent_at = state.sent_at.or(Some(event.occurred_at.start));
                state.recipient = Some(sent.recipient.id);
                state.public_domain = sent.recipient.public_domain;
                state.role = Some(sent.role);
                state.subject = sent.subject.clone().or(state.subject.take());
                state.link = sent.link.clone().or(state.link.take());
                state.link_expires = sent.link_expires.or(state.link_expires);
            }
            Payload::ActivationEmailResent(again) => {
                if again.message.as_str() == subject.id {
                    state.license_id = again.license_id.clone().or(state.license_id.take());
                    state.sent_at = state.sent_at.or(Some(event.occurred_at.start));
                    state.recipient = Some(again.recipient.id);
                    state.public_domain = again.recipient.public_domain;
                    state.role = again.role.or(state.role);
                    state.link = again.link.clone().or(state.link.take());
                    state.repeats = Some(again.original.clone());
                    state.requested_by = again.requested_by.as_ref().map(|person| person.id);
                }
                if again.original.as_str() == subject.id {
                    state.resent_as.insert(again.message.clone());
                }
            }
            Payload::ActivationEmailDelivered(delivered) => {
                state.delivered = true;
                state.bounced = false;
                state.status = delivered.status.clone().or(state.status.take());
            }
            Payload::ActivationEmailBounced(bounced) => {
                state.bounced = true;
                state.status = bounced.status.clone().or(state.status.take());
            }
            Payload::ActivationEmailForwarded(forwarded) => {
                let step = (forwarded.from.id, forwarded.to.id);
                if !state.forwarded.contains(&step) {
                    state.forwarded.push(step);
                }
            }
            Payload::ProvisioningConfirmed(confirmed) => {
                state.confirms.insert(confirmed.service.clone());
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailScheduled
                ActivationEmailSuppressed ActivationLinkExpired ActivationLinkOpened
                ActivationLinkReactivated ActivationStatusObserved AgentStarted
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
                PersonalDataRevealed PersonsMerged ProfileEntered RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
                RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted
                SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired
                SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantCreated TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<EmailView> {
        let license = state.license_id.as_ref().map(Names::subject);
        let agreement = license
            .as_ref()
            .and_then(|license| seen.state::<Agreement>(license));
        let scheduled = agreement.as_ref().and_then(|agreement| {
            agreement.scheduled(
                state.order.as_ref(),
                state.activation.as_ref(),
                state.sent_at?,
            )
        });
        let first_role =
            agreement.as_ref().map(
                |agreement| match policy::is_enterprise(agreement.program()) {
                    true => ContactRole::OnlineServicesManager,
                    false => ContactRole::PrimaryContact,
                },
            );
        let view = license.and_then(|license| seen.view::<Agreement>(&license));
        let holder = view.as_ref().zip(state.role);
        let holder = holder.and_then(|(view, role)| view.contacts.get(role.as_str()));
        let link = state.link.as_ref().map(Names::subject);
        let link = link.and_then(|link| seen.view::<Link>(&link));
        let opened = link.as_ref().map_or(0, |link| link.opened);
        Some(EmailView {
            message: subject.id.clone(),
            state: stands(state, link.as_ref().map(|link| link.state), opened > 0),
            license_id: state.license_id.clone(),
            order: state.order.clone(),
            activation: state.activation.clone(),
            sent_at: state.sent_at,
            recipient: state.recipient,
            public_domain: state.public_domain,
            role: state.role,
            fallback: state
                .role
                .zip(first_role)
                .is_some_and(|(role, first)| role != first),
            candidates: scheduled
                .as_ref()
                .map(|s| s.candidates.clone())
                .unwrap_or_default(),
            rule: scheduled.map(|scheduled| scheduled.rule.clone()),
            recipient_replaced: holder.is_some_and(|holder| Some(*holder) != state.recipient),
            subject: state.subject.clone(),
            repeats: state.repeats.clone(),
            requested_by: state.requested_by,
            resent_as: state.resent_as.clone(),
            status: state.status.clone(),
            forwarded: state.forwarded.clone(),
            permitted: state.permitted(),
            link: state.link.clone(),
            link_state: link.as_ref().map(|link| link.state),
            link_expires: link
                .as_ref()
                .and_then(|link| link.expires)
                .or(state.link_expires),
            opened,
            confirms: state.confirms.clone(),
        })
    }
}

fn stands(state: &State, link: Option<LinkState>, opened: bool) -> EmailState {
    match link {
        Some(LinkState::Used) => EmailState::Answered,
        Some(LinkState::Expired) => EmailState::Expired,
        Some(LinkState::Live) | None if opened => EmailState::Opened,
        Some(LinkState::Live) | None if state.bounced => EmailState::Bounced,
        Some(LinkState::Live) | None if state.delivered => EmailState::Delivered,
        Some(LinkState::Live) | None if state.sent_at.is_some() => EmailState::Sent,
        Some(LinkState::Live) | None => EmailState::Unknown,
    }
}
