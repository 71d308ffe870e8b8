//! The view of a session at a portal: who was signed in where, and what was done in it for which
//! agreements (R18, R20; E17).

use crate::seen::Seen;
use crate::view::activation::Choice;
use crate::view::{Fold, key, kind_ids, redemption, shown_each, shown_option};
use ledger::event::word::{
    Acknowledgement, AuthMethod, DomainOption, SessionEndReason, VerificationMethod,
};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// The projection.
#[derive(Debug)]
pub struct Session;

/// What a session looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its id.
    pub session: String,
    /// When it started.
    #[serde(serialize_with = "shown_option")]
    pub started_at: Option<Timestamp>,
    /// When it ended, as far as a source says.
    #[serde(serialize_with = "shown_option")]
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<&'static str>,
    /// Who was signed in, as pseudonym.
    #[serde(serialize_with = "shown_option")]
    pub principal: Option<PersonId>,
    /// The principal's own tenant.
    pub home_tenant: Option<TenantId>,
    /// The tenant that the session was in.
    pub resource_tenant: Option<TenantId>,
    /// Whether these two differ: a guest, or a partner by delegation.
    pub cross_tenant: bool,
    /// How it was authenticated.
    pub auth: Option<AuthMethod>,
    /// Whether nobody typed credentials: cached ones, or a token of another session (R20).
    pub unattended: bool,
    /// The root authentication that it derives from.
    pub root_session: Option<SessionId>,
    /// Sessions that derive from it.
    pub derived: BTreeSet<SessionId>,
    /// Fingerprint of the browser.
    pub browser: Option<Name>,
    /// Whether somebody was verified by telephone, and how.
    pub verified_by: Option<&'static str>,
    /// The company as entered.
    pub company: Option<Name>,
    /// The country as entered.
    pub country: Option<Name>,
    /// Which domain to use, as chosen.
    pub domain_option: Option<&'static str>,
    /// The domain.
    pub domain: Option<DomainName>,
    /// The profile that was created in a tenant.
    pub profile_created: bool,
    /// New ids that were added, as pseudonyms.
    #[serde(serialize_with = "shown_each")]
    pub ids_added: BTreeSet<PersonId>,
    /// What the portal acknowledged.
    pub acknowledged: BTreeSet<&'static str>,
    /// Whether the box of being the right person was ticked (R13).
    pub confirmed: bool,
    /// When somebody looked at the created subscriptions.
    #[serde(serialize_with = "shown_option")]
    pub reviewed_at: Option<Timestamp>,
    /// Activation links that were opened in it.
    pub links: BTreeSet<LinkId>,
    /// Choices that were made in it.
    pub choices: Vec<Choice>,
    /// Tenants that were created in it.
    pub created: BTreeSet<TenantId>,
    /// Tenants that something landed in.
    pub landed_in: BTreeSet<TenantId>,
    /// Redemptions in it.
    pub redemptions: BTreeSet<RedemptionId>,
    /// Keys that were refused in it.
    pub refused: usize,
    /// The agreements that anything in it was for, by the events and by the keys.
    pub agreements: BTreeSet<LicenseId>,
    /// Whether it was kept to one agreement (R18).
    pub separate: bool,
}

/// What the events of a session add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    started_at: Option<Timestamp>,
    ended: Option<(Timestamp, SessionEndReason)>,
    principal: Option<PersonId>,
    home_tenant: Option<TenantId>,
    resource_tenant: Option<TenantId>,
    auth: Option<AuthMethod>,
    root_session: Option<SessionId>,
    derived: BTreeSet<SessionId>,
    browser: Option<Name>,
    verified_by: Option<VerificationMethod>,
    company: Option<Name>,
    country: Option<Name>,
    domain_option: Option<DomainOption>,
    domain: Option<DomainName>,
    profile_created: bool,
    ids_added: BTreeSet<PersonId>,
    acknowledged: BTreeSet<Acknowledgement>,
    confirmed: bool,
    reviewed_at: Option<Timestamp>,
    links: BTreeSet<LinkId>,
    choices: Vec<Choice>,
    created: BTreeSet<TenantId>,
    landed_in: BTreeSet<TenantId>,
    redemptions: BTreeSet<RedemptionId>,
    keys: BTreeSet<KeyFingerprint>,
    refused: usize,
    agreements: BTreeSet<LicenseId>,
}

impl State {
    /// Who was signed in.
    pub(super) fn principal(&self) -> Option<PersonId> {
        self.principal
    }

    fn is_for(&mut self, license_id: Option<&LicenseId>) {
        self.agreements.extend(license_id.cloned());
    }
}

impl Fold for Session {
    type State = State;
    type View = SessionView;

    const KIND: SubjectKind = SubjectKind::Session;
    const DOC: &'static str =
        "A session at a portal: who was signed in where, and what was done for which agreements.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Redemption, SubjectKind::Key];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        AccountProfileCreated AcknowledgementShown ActivationLinkOpened
        ConfirmationGiven CreditLotActivated DomainOptionChosen IdentityVerified
        KeyRejected KeysRedeemed OnlineServicesIdAdded ProfileEntered RedemptionStarted
        ServicesBoundToTenant SessionEnded SessionStarted SignInChosen SignUpChosen
        SubscriptionsReviewed TenantCreated
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        let at = event.occurred_at.start;
        match &event.payload {
            Payload::SessionStarted(started) => {
                if started.session.as_str() != subject.id {
                    state.derived.insert(started.session.clone());
                    return;
                }
                let principal = started.principal.as_ref().map(|person| person.id);
                state.started_at = state.started_at.or(Some(at));
                state.principal = state.principal.or(principal);
                state.home_tenant = started.home_tenant.clone().or(state.home_tenant.take());
                let resource = started.resource_tenant.clone();
                state.resource_tenant = resource.or(state.resource_tenant.take());
                state.auth = Some(started.auth);
                state.root_session = started.root_session.clone().or(state.root_session.take());
                state.browser = started.browser.clone().or(state.browser.take());
                state.is_for(started.license_id.as_ref());
            }
            Payload::SessionEnded(ended) => state.ended = Some((at, ended.reason)),
            Payload::IdentityVerified(verified) => state.verified_by = Some(verified.method),
            Payload::ProfileEntered(entered) => {
                state.company = Some(entered.company.clone());
                state.country = entered.country.clone().or(state.country.take());
            }
            Payload::DomainOptionChosen(chosen) => {
                state.domain_option = Some(chosen.option);
                state.domain = chosen.domain.clone().or(state.domain.take());
            }
            Payload::AccountProfileCreated(created) => {
                state.profile_created = true;
                state.is_for(created.license_id.as_ref());
            }
            Payload::OnlineServicesIdAdded(added) => {
                state.ids_added.insert(added.user.id);
            }
            Payload::AcknowledgementShown(shown) => {
                state.acknowledged.insert(shown.about);
                state.is_for(shown.license_id.as_ref());
            }
            Payload::SubscriptionsReviewed(_) => {
                state.reviewed_at = state.reviewed_at.or(Some(at));
            }
            Payload::ConfirmationGiven(given) => {
                state.confirmed = true;
                state.redemptions.extend(given.redemption.clone());
                state.is_for(given.license_id.as_ref());
            }
            Payload::ActivationLinkOpened(opened) => {
                state.links.insert(opened.link.clone());
                state.is_for(opened.license_id.as_ref());
            }
            Payload::SignInChosen(chosen) => {
                state.choices.push(Choice::SignIn);
                state.is_for(Some(&chosen.license_id));
            }
            Payload::SignUpChosen(chosen) => {
                state.choices.push(Choice::SignUp);
                state.is_for(Some(&chosen.license_id));
            }
            Payload::TenantCreated(created) => {
                state.created.insert(created.tenant.clone());
                state.is_for(created.license_id.as_ref());
            }
            Payload::ServicesBoundToTenant(bound) => {
                state.landed_in.insert(bound.tenant.clone());
                state.is_for(Some(&bound.license_id));
            }
            Payload::RedemptionStarted(started) => {
                state.redemptions.insert(started.redemption.clone());
                state.is_for(started.license_id.as_ref());
            }
            Payload::KeyRejected(rejected) => {
                state.refused += 1;
                state.redemptions.insert(rejected.redemption.clone());
            }
            Payload::KeysRedeemed(redeemed) => {
                state.landed_in.insert(redeemed.tenant.clone());
                state.redemptions.insert(redeemed.redemption.clone());
                state.keys.extend(redeemed.keys.iter().map(|key| key.key));
                state.is_for(redeemed.license_id.as_ref());
            }
            Payload::CreditLotActivated(lot) => {
                state.landed_in.extend(lot.tenant.clone());
                state.redemptions.extend(lot.redemption.clone());
                state.keys.insert(lot.key);
                state.is_for(lot.license_id.as_ref());
            }
            kinds![
                ActivationEmailBounced ActivationEmailDelivered ActivationEmailForwarded
                ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
                ActivationEmailSuppressed ActivationLinkExpired ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ContactChanged CreditConsumed CreditExpired
                CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainRemoved DomainVerified
                EndDateCorrected ExistingSubscriptionsShown FindingConfirmed
                FindingDismissed ImportRecorded IncarnationBegun KeyEntered KeyIssued
                KeyReissued KeyRevealed LicenseStateObserved LicensesAssigned
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OrderAmended OrderCancelled OrderPlaced
                OrderRelayed OrderReturned PartnerRegistered PartyNotified PersonErased
                PersonalDataRevealed PersonsMerged ProvisioningConfirmed RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
                RedemptionReviewed RedemptionSubmitted ReservationCancelled
                ReservationPlaced RevalidationFailed ScenarioAssessed SeatLicensed
                SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
                SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned
                SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SupportEscalated TblParametersSet TenantObserved TenantRemapped
                TenantRetired TenantRoleAssigned TenantRoleRemoved TrialAbandoned
                TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired
                TrialStarted UserAuthenticated UserDeprovisioned UserNotified UserPrompted
                UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<SessionView> {
        let of_redemptions = state.redemptions.iter().filter_map(|redemption| {
            let found = seen.state::<redemption::Redemption>(&redemption.subject())?;
            found.license_id.clone()
        });
        let of_keys = state.keys.iter().filter_map(|key| {
            let found = seen.state::<key::Key>(&key.subject())?;
            found.license_id.clone()
        });
        let named = state.agreements.iter().cloned();
        let agreements: BTreeSet<LicenseId> = named.chain(of_redemptions).chain(of_keys).collect();
        let tenants = state
            .home_tenant
            .as_ref()
            .zip(state.resource_tenant.as_ref());
        Some(SessionView {
            session: subject.id.clone(),
            started_at: state.started_at,
            ended_at: state.ended.map(|(at, _)| at),
            end_reason: state.ended.map(|(_, reason)| reason.as_str()),
            principal: state.principal,
            home_tenant: state.home_tenant.clone(),
            resource_tenant: state.resource_tenant.clone(),
            cross_tenant: tenants.is_some_and(|(home, resource)| home != resource),
            auth: state.auth,
            unattended: state.auth.is_some_and(is_unattended),
            root_session: state.root_session.clone(),
            derived: state.derived.clone(),
            browser: state.browser.clone(),
            verified_by: state.verified_by.map(VerificationMethod::as_str),
            company: state.company.clone(),
            country: state.country.clone(),
            domain_option: state.domain_option.map(DomainOption::as_str),
            domain: state.domain.clone(),
            profile_created: state.profile_created,
            ids_added: state.ids_added.clone(),
            acknowledged: state
                .acknowledged
                .iter()
                .map(|about| about.as_str())
                .collect(),
            confirmed: state.confirmed,
            reviewed_at: state.reviewed_at,
            links: state.links.clone(),
            choices: state.choices.clone(),
            created: state.created.clone(),
            landed_in: state.landed_in.clone(),
            redemptions: state.redemptions.clone(),
            refused: state.refused,
            separate: agreements.len() <= 1,
            agreements,
        })
    }
}

/// Whether nobody typed credentials.
fn is_unattended(auth: AuthMethod) -> bool {
    match auth {
        AuthMethod::Cached | AuthMethod::SingleSignOn => true,
        AuthMethod::Interactive | AuthMethod::Delegated | AuthMethod::Unknown => false,
    }
}
