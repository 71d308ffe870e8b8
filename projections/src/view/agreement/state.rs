//! What the events of an agreement add up to.

use super::ActivationState;
use crate::source::Order;
use crate::view::activation::{Choice, Choosing};
use ledger::event::part::{Contact, PolicyRef};
use ledger::event::word::{
    ActivationStatus, BindingBasis, Cloud, ContactRole, Program, Scenario, SuppressedReason, VlRole,
};
use ledger::event::{Event, Payload, kinds as k};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::subject::Subject;
use ledger::time::{Date, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What the events of an agreement add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(super) signed: bool,
    pub(super) program: Option<Program>,
    pub(super) pcn: Option<Pcn>,
    pub(super) customer: Option<CustomerId>,
    pub(super) partner: Option<PartnerId>,
    pub(super) distributor: Option<PartnerId>,
    pub(super) start: Option<Date>,
    pub(super) end: Option<Date>,
    pub(super) authorization_no: Option<Name>,
    pub(super) cloud: Option<Cloud>,
    pub(super) contacts: BTreeMap<&'static str, PersonId>,
    pub(super) contacts_changed: usize,
    pub(super) vl_roles: BTreeSet<(PersonId, VlRole)>,
    pub(super) renews: Option<LicenseId>,
    pub(super) renewed_as: Option<LicenseId>,
    pub(super) orders: BTreeSet<OrderId>,
    pub(super) keys: BTreeSet<KeyFingerprint>,
    pub(super) scheduled: Vec<Scheduled>,
    pub(super) mails: Vec<Mail>,
    pub(super) suppressed: Option<SuppressedReason>,
    pub(super) scenario: Option<Scenario>,
    pub(super) choosing: Choosing,
    pub(super) bindings: Vec<Binding>,
    /// Seats that landed without a key, by redemption or subscription.
    pub(super) keyless: BTreeMap<String, (Option<RedemptionId>, u32)>,
    pub(super) provisioned: BTreeSet<(TenantId, Name)>,
    pub(super) statuses: Vec<(ActivationStatus, Timestamp)>,
    pub(super) bypass: Option<SubscriptionId>,
    pub(super) cases: BTreeSet<CaseId>,
}

/// A recipient that was chosen for an activation email.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduled {
    at: Timestamp,
    order: Option<OrderId>,
    activation: Option<ActivationId>,
    /// The roles that could be chosen from, as listed.
    pub candidates: Vec<ContactRole>,
    /// The rule, as `name@version`.
    pub rule: String,
}

/// An activation email for the agreement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mail {
    pub(super) message: MessageId,
    pub(super) link: Option<LinkId>,
    pub(super) link_expires: Option<Date>,
    pub(super) recipient: PersonId,
    pub(super) role: Option<ContactRole>,
}

/// Something that bound the agreement to a tenant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Binding {
    pub(super) order: Order,
    pub(super) tenant: TenantId,
    pub(super) basis: BindingBasis,
    pub(super) redemption: Option<RedemptionId>,
    pub(super) keys: Vec<KeyFingerprint>,
}

impl State {
    /// Under which program it is.
    pub(in crate::view) fn program(&self) -> Option<Program> {
        self.program
    }

    /// Its last day.
    pub(in crate::view) fn end(&self) -> Option<Date> {
        self.end
    }

    /// The choice of a recipient that a mail followed.
    pub(in crate::view) fn scheduled(
        &self,
        order: Option<&OrderId>,
        activation: Option<&ActivationId>,
        sent_at: Timestamp,
    ) -> Option<&Scheduled> {
        // What either side does not name does not tell them apart.
        let fits = |choice: &&Scheduled| {
            let orders = choice.order.as_ref().zip(order);
            let activations = choice.activation.as_ref().zip(activation);
            choice.at <= sent_at
                && orders.is_none_or(|(one, other)| one == other)
                && activations.is_none_or(|(one, other)| one == other)
        };
        self.scheduled.iter().rev().find(fits)
    }

    /// The last status that a portal showed at an instant or after it.
    pub(in crate::view) fn status_after(
        &self,
        at: Timestamp,
    ) -> Option<(ActivationStatus, Timestamp)> {
        self.statuses
            .last()
            .copied()
            .filter(|(_, shown)| *shown >= at)
    }

    fn contacts(&mut self, contacts: &[Contact]) {
        for contact in contacts {
            self.contacts
                .insert(contact.role.as_str(), contact.person.id);
        }
    }

    fn mail(&mut self, mail: Mail) {
        self.suppressed = None;
        if !self.mails.iter().any(|known| known.message == mail.message) {
            self.mails.push(mail);
        }
    }

    fn bind(
        &mut self,
        event: &Event,
        tenant: &TenantId,
        basis: BindingBasis,
        redemption: Option<&RedemptionId>,
        keys: Vec<KeyFingerprint>,
    ) {
        self.bindings.push(Binding {
            order: event.order(),
            tenant: tenant.clone(),
            basis,
            redemption: redemption.cloned(),
            keys,
        });
    }

    fn redeem(&mut self, event: &Event, redeemed: &k::KeysRedeemed) {
        let keys: Vec<KeyFingerprint> = redeemed.keys.iter().map(|key| key.key).collect();
        if keys.is_empty() {
            let seats = redeemed.effects.iter().map(|effect| {
                let after = effect.seats_after.map_or(0, |seats| seats.0);
                after.saturating_sub(effect.seats_before.map_or(0, |seats| seats.0))
            });
            let seats = seats.fold(0_u32, u32::saturating_add);
            let redemption = redeemed.redemption.clone();
            self.keyless
                .entry(redemption.to_string())
                .or_insert((Some(redemption), seats));
        }
        self.keys.extend(&keys);
        let redemption = Some(&redeemed.redemption);
        let basis = BindingBasis::Redemption;
        self.bind(event, &redeemed.tenant, basis, redemption, keys);
    }

    /// Takes one event in.
    pub(super) fn evolve(&mut self, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::AgreementSigned(signed) => {
                self.signed = true;
                self.program = Some(signed.program);
                self.pcn = Some(signed.pcn.clone());
                self.customer = Some(signed.customer.clone());
                self.partner = signed.partner.clone().or(self.partner.take());
                self.distributor = signed.distributor.clone().or(self.distributor.take());
                self.start = Some(signed.start);
                self.end = signed.end.or(self.end);
                let number = signed.authorization_no.clone();
                self.authorization_no = number.or(self.authorization_no.take());
                self.cloud = signed.cloud.or(self.cloud);
                self.contacts(&signed.contacts);
            }
            Payload::AgreementRenewedAs(renewed) => {
                if renewed.new_license_id.as_str() == subject.id {
                    self.pcn = Some(renewed.pcn_new.clone());
                    self.renews = Some(renewed.old_license_id.clone());
                } else {
                    self.renewed_as = Some(renewed.new_license_id.clone());
                }
            }
            Payload::ContactChanged(changed) => {
                self.contacts_changed += 1;
                match &changed.new {
                    Some(new) => self.contacts.insert(changed.role.as_str(), new.id),
                    None => self.contacts.remove(changed.role.as_str()),
                };
            }
            Payload::VlRoleAssigned(given) => {
                self.vl_roles.insert((given.user.id, given.role));
            }
            Payload::VlRoleRemoved(taken) => {
                self.vl_roles.remove(&(taken.user.id, taken.role));
            }
            Payload::OrderPlaced(placed) => {
                self.program = self.program.or(Some(placed.program));
                self.customer = self.customer.take().or(Some(placed.end_customer.clone()));
                self.partner = self.partner.take().or(placed.partner.clone());
                self.distributor = self.distributor.take().or(placed.distributor.clone());
                self.orders.insert(placed.order.clone());
            }
            Payload::ReservationPlaced(reserved) => {
                self.orders.insert(reserved.order.clone());
            }
            Payload::KeyIssued(issued) => {
                self.keys.insert(issued.key);
            }
            Payload::KeyReissued(reissued) => {
                self.keys.insert(reissued.new_key);
            }
            Payload::BypassTransitioned(bypass) => {
                self.bypass = Some(bypass.bpos_subscription.clone());
            }
            Payload::ActivationEmailScheduled(planned) => self.scheduled.push(Scheduled {
                at: event.occurred_at.start,
                order: planned.order.clone(),
                activation: planned.activation.clone(),
                candidates: planned.candidates.iter().map(|c| c.role).collect(),
                rule: rule(&planned.rule),
            }),
            Payload::ActivationEmailSent(sent) => self.mail(Mail {
                message: sent.message.clone(),
                link: sent.link.clone(),
                link_expires: sent.link_expires,
                recipient: sent.recipient.id,
                role: Some(sent.role),
            }),
            Payload::ActivationEmailResent(sent) => {
                let original = self.mails.iter().find(|mail| mail.message == sent.original);
                // A repetition that names no link of its own carries the one that it repeats.
                let (link, link_expires) = match &sent.link {
                    Some(link) => (Some(link.clone()), None),
                    None => original.map_or((None, None), |o| (o.link.clone(), o.link_expires)),
                };
                self.mail(Mail {
                    message: sent.message.clone(),
                    link,
                    link_expires,
                    recipient: sent.recipient.id,
                    role: sent.role,
                });
            }
            Payload::ActivationEmailSuppressed(none) => self.suppressed = Some(none.reason),
            Payload::ScenarioAssessed(assessed) => self.scenario = Some(assessed.scenario),
            Payload::SignInChosen(_) => self.choosing.choose(Choice::SignIn, event),
            Payload::SignUpChosen(_) => self.choosing.choose(Choice::SignUp, event),
            Payload::ServicesBoundToTenant(bound) => {
                let redemption = bound.redemption.as_ref();
                self.bind(event, &bound.tenant, bound.basis, redemption, Vec::new());
            }
            Payload::ServicesAutoAssigned(assigned) => {
                let basis = BindingBasis::AutoAssign;
                self.bind(event, &assigned.tenant, basis, None, Vec::new());
            }
            Payload::KeysRedeemed(redeemed) => self.redeem(event, redeemed),
            Payload::CreditLotActivated(lot) => {
                self.keys.insert(lot.key);
                if let Some(tenant) = &lot.tenant {
                    let (basis, keys) = (BindingBasis::Redemption, vec![lot.key]);
                    self.bind(event, tenant, basis, lot.redemption.as_ref(), keys);
                }
            }
            Payload::SubscriptionStarted(started) => {
                if started.redemption.is_none() {
                    let seats = (None, started.seats.0);
                    self.keyless.insert(started.subscription.to_string(), seats);
                }
            }
            Payload::TrialConverted(converted) => {
                if let Some(seats) = converted.seats {
                    let subscription = converted.subscription.to_string();
                    self.keyless.insert(subscription, (None, seats.0));
                }
            }
            Payload::TenantRemapped(remapped) => {
                for moved in &remapped.moves {
                    if moved.license_id.as_str() == subject.id {
                        self.bind(event, &moved.to, BindingBasis::Remap, None, Vec::new());
                    }
                }
            }
            Payload::ProvisioningConfirmed(confirmed) => {
                let told = (confirmed.tenant.clone(), confirmed.service.clone());
                self.provisioned.insert(told);
            }
            Payload::ActivationStatusObserved(shown) => {
                self.statuses.push((shown.status, event.occurred_at.start));
            }
            Payload::CaseOpened(opened) => {
                self.cases.insert(opened.case.clone());
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationLinkExpired
                ActivationLinkOpened ActivationLinkReactivated AgentStarted
                AuthorizationReceived CaseClosed ClockSkewObserved ConfirmationGiven
                CreditConsumed CreditExpired CreditForfeited CustomerRegistered
                CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyEntered KeyRejected
                KeyRevealed LicenseStateObserved LicensesAssigned LicensesUnassigned
                MachineBumped MachineKeyIssued MachineRegistered NotifierStarted
                OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled
                OrderRelayed OrderReturned PartnerRegistered PartyNotified PersonErased
                PersonalDataRevealed PersonsMerged ProfileEntered RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReversed
                RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled RevalidationFailed SeatLicensed SeatProvisioned
                SeatReset SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned
                SeatsReduced SeatsTransferred SessionEnded SessionStarted SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantCreated TenantObserved TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialDataDeleted TrialDeletionAdvised
                TrialExpired TrialStarted UserAuthenticated UserDeprovisioned UserNotified
                UserPrompted UserReprovisioned
            ] => {}
        }
    }

    /// Where it stands as long as nothing is bound, by its own events only.
    pub(super) fn unbound(&self, has_orders: bool, link_over: bool) -> ActivationState {
        match self.choosing.first {
            Some(Choice::SignIn) => ActivationState::ChosenSignIn,
            Some(Choice::SignUp) => ActivationState::ChosenSignUp,
            None if link_over => ActivationState::LinkExpired,
            None if !self.mails.is_empty() => ActivationState::Invited,
            None if self.suppressed.is_some() => ActivationState::Stalled,
            None if has_orders => ActivationState::Ordered,
            None => ActivationState::Signed,
        }
    }
}

fn rule(policy: &PolicyRef) -> String {
    format!("{}@{}", policy.name, policy.version.0)
}
