//! What the record says that the audit needs, gathered in one pass over the events.
//!
//! Every piece keeps the event that it comes from and when that happened, so that it can be asked
//! what was known at a landing, and so that a finding can name its evidence.

use ledger::event::part::Contact;
use ledger::event::word::{AuthMethod, Program, RedemptionFlow, Scenario};
use ledger::event::{Event, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{DomainId, KeyFingerprint, PersonId};
use ledger::time::{Date, Occurred, Timestamp};
use projections::At;
use std::collections::{BTreeMap, BTreeSet};

/// A fact with the event that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known<T> {
    /// What is known.
    pub value: T,
    /// The event that says so.
    pub event: EventId,
    /// The first instant at which it can have happened.
    pub from: Timestamp,
}

impl<T> Known<T> {
    fn new(event: &Event, value: T) -> Self {
        Self {
            value,
            event: event.id,
            from: event.occurred_at.start,
        }
    }

    /// Whether it was valid at an instant; without one everything counts.
    pub fn by(&self, cutoff: Option<Timestamp>) -> bool {
        cutoff.is_none_or(|cutoff| self.from <= cutoff)
    }
}

/// What is known of an order.
#[derive(Debug, Clone, Default)]
pub struct OrderFacts {
    /// Its agreement.
    pub license_id: Option<LicenseId>,
    /// Who will use it.
    pub end_customer: Option<Known<CustomerId>>,
    /// The tenants that it was meant for, the last one counts.
    pub intended_tenant: Vec<Known<TenantId>>,
    /// The partners on it.
    pub partners: BTreeSet<PartnerId>,
    /// The contacts on it.
    pub contacts: Vec<Known<Contact>>,
}

/// What is known of an activation key.
#[derive(Debug, Clone, Default)]
pub struct KeyFacts {
    /// The order that it was issued for.
    pub order: Option<Known<OrderId>>,
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// The key that took its place.
    pub replaced_by: Option<Known<KeyFingerprint>>,
    /// Refusals because it was used already: in which tenant.
    pub refused_as_used: Vec<Known<Option<TenantId>>>,
}

/// What is known of an agreement.
#[derive(Debug, Clone, Default)]
pub struct AgreementFacts {
    /// Whose it is.
    pub customer: Option<Known<CustomerId>>,
    /// Under which program.
    pub program: Option<Program>,
    /// Its customer number.
    pub pcn: Option<Pcn>,
    /// Its contacts over time.
    pub contacts: Vec<Known<Contact>>,
    /// Its orders.
    pub orders: BTreeSet<OrderId>,
    /// The scenarios that it was assessed as.
    pub scenarios: Vec<Known<ScenarioFacts>>,
    /// The choices that were made.
    pub choices: Vec<Known<ChoiceFacts>>,
    /// Links opened for it: the session.
    pub links_opened: Vec<Known<Option<SessionId>>>,
    /// Persons that the mail went to or was forwarded to.
    pub recipients: Vec<Known<PersonId>>,
    /// Activation statuses that a portal showed.
    pub statuses: Vec<Known<&'static str>>,
    /// The agreement that it renews.
    pub renews: Option<LicenseId>,
}

/// An assessed scenario.
#[derive(Debug, Clone)]
pub struct ScenarioFacts {
    /// Which one.
    pub scenario: Scenario,
    /// The trial's tenant.
    pub trial_tenant: Option<TenantId>,
    /// For which activation.
    pub activation: Option<ActivationId>,
}

/// The choice of an activation.
#[derive(Debug, Clone)]
pub struct ChoiceFacts {
    /// Whether Sign Up was chosen; otherwise Sign In.
    pub sign_up: bool,
    /// For which activation.
    pub activation: Option<ActivationId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// By whom.
    pub principal: Option<PersonId>,
}

/// What is known of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantFacts {
    /// The name that people know it by.
    pub initial_domain: Option<DomainName>,
    /// Customers that a source calls its owner.
    pub owners: Vec<Known<CustomerId>>,
    /// Domains that it verified.
    pub domains: Vec<Known<(DomainName, DomainId)>>,
    /// How it came to be: agreement, activation and session that created it.
    pub created: Vec<Known<CreatedBy>>,
    /// The partner tenants that administration is delegated to.
    pub delegated_to: Vec<Known<TenantId>>,
    /// Its administrators.
    pub administrators: Vec<Known<PersonId>>,
    /// Users that were given licences.
    pub assigned: Vec<Known<usize>>,
}

/// What created a tenant.
#[derive(Debug, Clone, Default)]
pub struct CreatedBy {
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// The activation.
    pub activation: Option<ActivationId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The day, where a source tells it afterwards.
    pub on: Option<Date>,
}

/// What is known of a customer.
#[derive(Debug, Clone, Default)]
pub struct CustomerFacts {
    /// Its name.
    pub name: Option<Name>,
    /// Domains that it verified.
    pub domains: Vec<Known<(DomainName, DomainId)>>,
    /// Customers that it belongs together with.
    pub related: Vec<Known<CustomerId>>,
}

/// What is known of a partner.
#[derive(Debug, Clone, Default)]
pub struct PartnerFacts {
    /// The customer that it is itself.
    pub customer: Option<CustomerId>,
    /// Tenants of its own.
    pub tenants: Vec<Known<TenantId>>,
}

/// What is known of a session.
#[derive(Debug, Clone, Default)]
pub struct SessionFacts {
    /// When and how it started.
    pub started: Vec<Known<SessionStart>>,
    /// Agreements that it was used for, by what.
    pub used_for: Vec<Known<(LicenseId, &'static str)>>,
    /// When it ended.
    pub ended: Vec<Known<()>>,
}

/// The start of a session.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// The root authentication.
    pub root: Option<SessionId>,
    /// Who.
    pub principal: Option<PersonId>,
    /// The tenant that it is in.
    pub resource_tenant: Option<TenantId>,
    /// The principal's own tenant.
    pub home_tenant: Option<TenantId>,
    /// How it was authenticated.
    pub auth: AuthMethod,
}

/// A trial.
#[derive(Debug, Clone)]
pub struct TrialFacts {
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub customer: Option<CustomerId>,
    /// Who opened it.
    pub contact: Option<PersonId>,
    /// Its last day.
    pub ends: Date,
}

/// A redemption that was undone.
#[derive(Debug, Clone)]
pub struct ReversalFacts {
    /// Which one.
    pub redemption: RedemptionId,
    /// The keys that it neutralised.
    pub keys: Vec<KeyFingerprint>,
}

/// An agreement that was moved.
#[derive(Debug, Clone)]
pub struct RemapFacts {
    /// Which agreement.
    pub license_id: LicenseId,
    /// From which tenant.
    pub from: TenantId,
    /// To which tenant.
    pub to: TenantId,
}

/// A decision about a finding.
#[derive(Debug, Clone)]
pub struct DecisionFacts {
    /// Confirmed, or dismissed.
    pub confirmed: bool,
    /// Digest of the evidence that was judged.
    pub evidence_digest: Name,
}

/// Everything that the audit knows.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Orders.
    pub orders: BTreeMap<OrderId, OrderFacts>,
    /// Keys.
    pub keys: BTreeMap<KeyFingerprint, KeyFacts>,
    /// Agreements.
    pub agreements: BTreeMap<LicenseId, AgreementFacts>,
    /// Tenants.
    pub tenants: BTreeMap<TenantId, TenantFacts>,
    /// Customers.
    pub customers: BTreeMap<CustomerId, CustomerFacts>,
    /// Partners.
    pub partners: BTreeMap<PartnerId, PartnerFacts>,
    /// Sessions.
    pub sessions: BTreeMap<SessionId, SessionFacts>,
    /// Flow and session of each redemption.
    pub redemptions: BTreeMap<RedemptionId, RedemptionFacts>,
    /// Trials.
    pub trials: Vec<Known<TrialFacts>>,
    /// Reversed redemptions.
    pub reversals: Vec<Known<ReversalFacts>>,
    /// Remapped agreements.
    pub remaps: Vec<Known<RemapFacts>>,
    /// Decisions about findings.
    pub decisions: BTreeMap<FindingId, Vec<Known<DecisionFacts>>>,
    /// The customers that verified each domain, and since when that is known.
    domain_owners: BTreeMap<DomainId, Vec<(CustomerId, Timestamp)>>,
    /// Mails: the agreement that each was about.
    messages: BTreeMap<MessageId, LicenseId>,
    /// Links: the agreement that each is for.
    links: BTreeMap<LinkId, LicenseId>,
    /// When each event happened.
    pub occurred: BTreeMap<EventId, Occurred>,
}

/// What is known of a redemption before its outcome.
#[derive(Debug, Clone, Default)]
pub struct RedemptionFacts {
    /// Through which flow.
    pub flow: Option<RedemptionFlow>,
    /// In which session.
    pub session: Option<SessionId>,
    /// For which order.
    pub order: Option<OrderId>,
    /// For which agreement.
    pub license_id: Option<LicenseId>,
}

impl Evidence {
    /// Gathers the evidence of every event that is seen. Costs one pass.
    pub fn gather(at: &At<'_>) -> Self {
        let mut evidence = Self::default();
        // Mails and links first, because a forward or an opened link may be older on paper than
        // the mail that explains it (day precision beside instants).
        for event in at.all() {
            evidence.index(event);
        }
        for event in at.all() {
            evidence.occurred.insert(event.id, event.occurred_at);
            evidence.people(event);
            evidence.commerce(event);
            evidence.directory(event);
        }
        evidence
    }

    fn index(&mut self, event: &Event) {
        if let Payload::ActivationEmailSent(sent) = &event.payload {
            self.messages
                .insert(sent.message.clone(), sent.license_id.clone());
            if let Some(link) = &sent.link {
                self.links.insert(link.clone(), sent.license_id.clone());
            }
        } else if let Payload::ActivationEmailResent(sent) = &event.payload {
            let original = self.messages.get(&sent.original).cloned();
            if let Some(license_id) = sent.license_id.clone().or(original) {
                self.messages
                    .insert(sent.message.clone(), license_id.clone());
                if let Some(link) = &sent.link {
                    self.links.insert(link.clone(), license_id);
                }
            }
        }
    }

    fn agreement(&mut self, id: &LicenseId) -> &mut AgreementFacts {
        self.agreements.entry(id.clone()).or_default()
    }

    fn tenant(&mut self, id: &TenantId) -> &mut TenantFacts {
        self.tenants.entry(id.clone()).or_default()
    }

    fn used(
        &mut self,
        session: Option<&SessionId>,
        event: &Event,
        license: &LicenseId,
        by: &'static str,
    ) {
        if let Some(session) = session {
            let session = self.sessions.entry(session.clone()).or_default();
            session
                .used_for
                .push(Known::new(event, (license.clone(), by)));
        }
    }

    /// Mails, sessions and choices.
    fn people(&mut self, event: &Event) {
        match &event.payload {
            Payload::ActivationEmailSent(sent) => {
                let to = Known::new(event, sent.recipient.id);
                self.agreement(&sent.license_id).recipients.push(to);
            }
            Payload::ActivationEmailResent(sent) => {
                if let Some(license) = self.messages.get(&sent.message).cloned() {
                    let to = Known::new(event, sent.recipient.id);
                    self.agreement(&license).recipients.push(to);
                }
            }
            Payload::ActivationEmailForwarded(forwarded) => {
                if let Some(license) = self.messages.get(&forwarded.message).cloned() {
                    let to = Known::new(event, forwarded.to.id);
                    self.agreement(&license).recipients.push(to);
                }
            }
            Payload::ActivationLinkOpened(opened) => {
                let license = opened
                    .license_id
                    .as_ref()
                    .or_else(|| self.links.get(&opened.link));
                if let Some(license) = license.cloned() {
                    let session = Known::new(event, opened.session.clone());
                    self.agreement(&license).links_opened.push(session);
                    self.used(
                        opened.session.as_ref(),
                        event,
                        &license,
                        "opened the activation link of",
                    );
                }
            }
            Payload::SessionStarted(started) => {
                let start = SessionStart {
                    root: started.root_session.clone(),
                    principal: started.principal.as_ref().map(|p| p.id),
                    resource_tenant: started.resource_tenant.clone(),
                    home_tenant: started.home_tenant.clone(),
                    auth: started.auth,
                };
                let session = self.sessions.entry(started.session.clone()).or_default();
                session.started.push(Known::new(event, start));
                if let Some(license) = &started.license_id {
                    self.used(Some(&started.session), event, license, "was opened for");
                }
            }
            Payload::SessionEnded(ended) => {
                let session = self.sessions.entry(ended.session.clone()).or_default();
                session.ended.push(Known::new(event, ()));
            }
            Payload::ConfirmationGiven(given) => {
                if let Some(license) = &given.license_id {
                    self.used(
                        Some(&given.session),
                        event,
                        license,
                        "gave the confirmation for",
                    );
                }
            }
            Payload::ScenarioAssessed(assessed) => {
                let scenario = ScenarioFacts {
                    scenario: assessed.scenario,
                    trial_tenant: assessed.trial_tenant.clone(),
                    activation: assessed.activation.clone(),
                };
                let scenario = Known::new(event, scenario);
                self.agreement(&assessed.license_id)
                    .scenarios
                    .push(scenario);
            }
            Payload::SignInChosen(chosen) => {
                let choice = ChoiceFacts {
                    sign_up: false,
                    activation: chosen.activation.clone(),
                    session: chosen.session.clone(),
                    principal: chosen.principal.as_ref().map(|p| p.id),
                };
                self.choose(event, &chosen.license_id, choice);
            }
            Payload::SignUpChosen(chosen) => {
                let choice = ChoiceFacts {
                    sign_up: true,
                    activation: chosen.activation.clone(),
                    session: chosen.session.clone(),
                    principal: chosen.principal.as_ref().map(|p| p.id),
                };
                self.choose(event, &chosen.license_id, choice);
            }
            Payload::FindingConfirmed(decided) => {
                let digest = decided.evidence_digest.clone();
                self.decide(event, &decided.finding, true, digest);
            }
            Payload::FindingDismissed(decided) => {
                let digest = decided.evidence_digest.clone();
                self.decide(event, &decided.finding, false, digest);
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailScheduled ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkReactivated ActivationStatusObserved
                AgentStarted AgreementRenewedAs AgreementSigned AuthorizationReceived
                BypassTransitioned CaseClosed CaseOpened ClockSkewObserved ContactChanged
                CreditConsumed CreditExpired CreditForfeited CreditLotActivated CustomerRegistered
                CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown IdentityVerified ImportRecorded KeyEntered KeyIssued
                KeyReissued KeyRejected KeyRevealed KeysRedeemed LicenseStateObserved
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended OrderCancelled
                OrderPlaced OrderRelayed OrderReturned PartnerRegistered PartyNotified
                ProfileEntered ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed RedemptionStarted
                RedemptionSubmitted ReservationCancelled ReservationPlaced RevalidationFailed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
                SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned
                ServicesBoundToTenant SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated TenantObserved
                TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved TrialAbandoned
                TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted
                UserAuthenticated UserDeprovisioned UserNotified UserPrompted UserReprovisioned
                VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn choose(&mut self, event: &Event, license: &LicenseId, choice: ChoiceFacts) {
        let session = choice.session.clone();
        self.agreement(license)
            .choices
            .push(Known::new(event, choice));
        self.used(session.as_ref(), event, license, "made the choice of");
    }

    fn decide(
        &mut self,
        event: &Event,
        finding: &FindingId,
        confirmed: bool,
        evidence_digest: Name,
    ) {
        let decision = DecisionFacts {
            confirmed,
            evidence_digest,
        };
        let decisions = self.decisions.entry(finding.clone()).or_default();
        decisions.push(Known::new(event, decision));
    }

    /// Agreements, orders, keys and what became of them.
    fn commerce(&mut self, event: &Event) {
        match &event.payload {
            Payload::AgreementSigned(signed) => {
                let agreement = self.agreement(&signed.license_id);
                agreement.customer = Some(Known::new(event, signed.customer.clone()));
                agreement.program = Some(signed.program);
                agreement.pcn = Some(signed.pcn.clone());
                let contacts = signed.contacts.iter();
                agreement
                    .contacts
                    .extend(contacts.map(|c| Known::new(event, c.clone())));
            }
            Payload::AgreementRenewedAs(renewed) => {
                let agreement = self.agreement(&renewed.new_license_id);
                agreement.renews = Some(renewed.old_license_id.clone());
                agreement.pcn = agreement
                    .pcn
                    .take()
                    .or_else(|| Some(renewed.pcn_new.clone()));
            }
            Payload::ContactChanged(changed) => {
                if let Some(person) = &changed.new {
                    let contact = Contact {
                        role: changed.role,
                        person: person.clone(),
                    };
                    let contact = Known::new(event, contact);
                    self.agreement(&changed.license_id).contacts.push(contact);
                }
            }
            Payload::OrderPlaced(placed) => {
                let agreement = self.agreement(&placed.license_id);
                agreement.orders.insert(placed.order.clone());
                agreement.program = agreement.program.or(Some(placed.program));
                let order = self.orders.entry(placed.order.clone()).or_default();
                order.license_id = Some(placed.license_id.clone());
                order.end_customer = Some(Known::new(event, placed.end_customer.clone()));
                let intended = placed.intended_tenant.clone();
                order
                    .intended_tenant
                    .extend(intended.map(|t| Known::new(event, t)));
                order.partners.extend(placed.partner.clone());
                order.partners.extend(placed.distributor.clone());
                let contacts = placed.contacts.iter();
                order
                    .contacts
                    .extend(contacts.map(|c| Known::new(event, c.clone())));
            }
            Payload::OrderAmended(amended) => {
                let order = self.orders.entry(amended.order.clone()).or_default();
                let intended = amended.intended_tenant.clone();
                order
                    .intended_tenant
                    .extend(intended.map(|t| Known::new(event, t)));
                let contacts = amended.contacts.iter();
                order
                    .contacts
                    .extend(contacts.map(|c| Known::new(event, c.clone())));
            }
            Payload::KeyIssued(issued) => {
                let key = self.keys.entry(issued.key).or_default();
                key.order = Some(Known::new(event, issued.order.clone()));
                key.license_id = Some(issued.license_id.clone());
            }
            Payload::KeyReissued(reissued) => {
                let old = self.keys.entry(reissued.old_key).or_default();
                old.replaced_by = Some(Known::new(event, reissued.new_key));
                let (order, license) = (old.order.clone(), old.license_id.clone());
                let new = self.keys.entry(reissued.new_key).or_default();
                let named = reissued.order.clone().map(|o| Known::new(event, o));
                new.order = named.or(new.order.take()).or(order);
                new.license_id = reissued
                    .license_id
                    .clone()
                    .or(new.license_id.take())
                    .or(license);
            }
            Payload::KeyRejected(rejected) => {
                if rejected.code == ledger::event::word::RejectionCode::AlreadyUsed {
                    let tenant = Known::new(event, rejected.tenant.clone());
                    let key = self.keys.entry(rejected.key).or_default();
                    key.refused_as_used.push(tenant);
                }
            }
            Payload::RedemptionStarted(started) => {
                let redemption = self
                    .redemptions
                    .entry(started.redemption.clone())
                    .or_default();
                redemption.flow = Some(started.flow);
                redemption.session = started.session.clone().or(redemption.session.take());
                redemption.order = started.order.clone().or(redemption.order.take());
                redemption.license_id = started.license_id.clone().or(redemption.license_id.take());
            }
            Payload::RedemptionReversed(reversed) => {
                let reversal = ReversalFacts {
                    redemption: reversed.redemption.clone(),
                    keys: reversed.keys.clone(),
                };
                self.reversals.push(Known::new(event, reversal));
            }
            Payload::TenantRemapped(remapped) => {
                for moved in &remapped.moves {
                    let remap = RemapFacts {
                        license_id: moved.license_id.clone(),
                        from: moved.from.clone(),
                        to: moved.to.clone(),
                    };
                    self.remaps.push(Known::new(event, remap));
                }
            }
            Payload::ActivationStatusObserved(observed) => {
                let status = Known::new(event, observed.status.as_str());
                self.agreement(&observed.license_id).statuses.push(status);
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated AgentStarted
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ClockSkewObserved
                ConfirmationGiven CreditConsumed CreditExpired CreditForfeited CreditLotActivated
                CustomerRegistered CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked
                DesktopSetupRun DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
                ImportRecorded KeyEntered KeyRevealed KeysRedeemed LicenseStateObserved
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderCancelled OrderRelayed
                OrderReturned PartnerRegistered PartyNotified ProfileEntered ProvisioningConfirmed
                RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReviewed RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
                SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated TenantObserved
                TenantRetired TenantRoleAssigned TenantRoleRemoved TrialAbandoned TrialConverted
                TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted UserAuthenticated
                UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned
                VlRoleRemoved
            ] => {}
        }
    }

    /// Customers, partners, tenants and trials.
    fn directory(&mut self, event: &Event) {
        match &event.payload {
            Payload::CustomerRegistered(registered) => {
                let customer = self
                    .customers
                    .entry(registered.customer.clone())
                    .or_default();
                customer.name = registered.names.first().cloned().or(customer.name.take());
                let domains = registered.verified_domains.iter();
                let domains = domains.map(|d| Known::new(event, (d.name.clone(), d.id)));
                customer.domains.extend(domains);
                for domain in &registered.verified_domains {
                    let since = (registered.customer.clone(), event.occurred_at.start);
                    self.domain_owners.entry(domain.id).or_default().push(since);
                }
            }
            Payload::CustomersRelated(related) => {
                for (one, other) in [
                    (&related.customer, &related.related),
                    (&related.related, &related.customer),
                ] {
                    let customer = self.customers.entry(one.clone()).or_default();
                    customer.related.push(Known::new(event, other.clone()));
                }
            }
            Payload::PartnerRegistered(registered) => {
                let partner = self.partners.entry(registered.partner.clone()).or_default();
                partner.customer = registered.customer.clone().or(partner.customer.take());
                let tenants = registered.tenants.iter();
                partner
                    .tenants
                    .extend(tenants.map(|t| Known::new(event, t.clone())));
            }
            Payload::TenantObserved(observed) => {
                let tenant = self.tenant(&observed.tenant);
                tenant.initial_domain = observed
                    .initial_domain
                    .clone()
                    .or(tenant.initial_domain.take());
                tenant
                    .owners
                    .extend(observed.owner.clone().map(|o| Known::new(event, o)));
                let domains = observed.domains.iter();
                let domains = domains.map(|d| Known::new(event, (d.name.clone(), d.id)));
                tenant.domains.extend(domains);
                if let Some(on) = observed.created_on {
                    let created = CreatedBy {
                        on: Some(on),
                        ..CreatedBy::default()
                    };
                    tenant.created.push(Known::new(event, created));
                }
            }
            Payload::TenantCreated(created) => {
                let tenant = self.tenant(&created.tenant);
                tenant.initial_domain = created
                    .initial_domain
                    .clone()
                    .or(tenant.initial_domain.take());
                let by = CreatedBy {
                    license_id: created.license_id.clone(),
                    activation: created.activation.clone(),
                    session: created.session.clone(),
                    on: None,
                };
                tenant.created.push(Known::new(event, by));
            }
            Payload::DomainVerified(verified) => {
                let domain = (verified.domain.name.clone(), verified.domain.id);
                let domain = Known::new(event, domain);
                self.tenant(&verified.tenant).domains.push(domain);
            }
            Payload::DomainRemoved(removed) => {
                let tenant = self.tenant(&removed.tenant);
                tenant
                    .domains
                    .retain(|domain| domain.value.1 != removed.domain.id);
            }
            Payload::DelegatedAdminGranted(granted) => {
                let to = Known::new(event, granted.partner_tenant.clone());
                self.tenant(&granted.tenant).delegated_to.push(to);
            }
            Payload::DelegatedAdminRevoked(revoked) => {
                let tenant = self.tenant(&revoked.tenant);
                tenant
                    .delegated_to
                    .retain(|to| to.value != revoked.partner_tenant);
            }
            Payload::TenantRoleAssigned(given) => {
                let user = Known::new(event, given.user.id);
                self.tenant(&given.tenant).administrators.push(user);
            }
            Payload::LicensesAssigned(assigned) => {
                let users = Known::new(event, assigned.users.len());
                self.tenant(&assigned.tenant).assigned.push(users);
            }
            Payload::TrialStarted(trial) => {
                let started = event.occurred_at.start.date();
                let ends = started.plus_days(projections::policy::TRIAL_DAYS);
                let facts = TrialFacts {
                    tenant: trial.tenant.clone(),
                    customer: trial.customer.clone(),
                    contact: trial.contact.as_ref().map(|c| c.id),
                    ends: trial.ends.unwrap_or(ends),
                };
                self.trials.push(Known::new(event, facts));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired CreditForfeited
                CreditLotActivated DesktopSetupRun DomainOptionChosen EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
                ImportRecorded KeyEntered KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesUnassigned MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended
                OrderCancelled OrderPlaced OrderRelayed OrderReturned PartyNotified ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed RedemptionStarted
                RedemptionSubmitted ReservationCancelled ReservationPlaced RevalidationFailed
                ScenarioAssessed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
                SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted SignInChosen
                SignUpChosen SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed SupportEscalated TblParametersSet TenantRemapped TenantRetired
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired UserAuthenticated UserDeprovisioned UserNotified
                UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    /// The name that people know a tenant by.
    pub fn tenant_name(&self, tenant: &TenantId) -> String {
        let facts = self.tenants.get(tenant);
        match facts.and_then(|facts| facts.initial_domain.as_ref()) {
            Some(domain) => domain.to_string(),
            None => tenant.to_string(),
        }
    }

    /// The name that people know a customer by.
    pub fn customer_name(&self, customer: &CustomerId) -> String {
        let facts = self.customers.get(customer);
        match facts.and_then(|facts| facts.name.as_ref()) {
            Some(name) => name.to_string(),
            None => customer.to_string(),
        }
    }

    /// Whether two customers are one or belong together, as far as was known.
    pub fn belong_together(
        &self,
        one: &CustomerId,
        other: &CustomerId,
        cutoff: Option<Timestamp>,
    ) -> bool {
        let related = |customer: &CustomerId, other: &CustomerId| {
            let facts = self.customers.get(customer);
            facts.is_some_and(|f| f.related.iter().any(|r| r.value == *other && r.by(cutoff)))
        };
        one == other || related(one, other) || related(other, one)
    }

    /// The customers that a tenant belongs to, as far as was known: those that a source calls its
    /// owner, and those whose verified domain it has verified. With the events that say so.
    pub fn owners_of(
        &self,
        tenant: &TenantId,
        cutoff: Option<Timestamp>,
    ) -> BTreeMap<&CustomerId, Vec<(EventId, String)>> {
        let mut owners: BTreeMap<&CustomerId, Vec<(EventId, String)>> = BTreeMap::new();
        let Some(facts) = self.tenants.get(tenant) else {
            return owners;
        };
        let shown = self.tenant_name(tenant);
        for owner in facts.owners.iter().filter(|owner| owner.by(cutoff)) {
            let why = format!("{shown} belongs to {}", self.customer_name(&owner.value));
            owners
                .entry(&owner.value)
                .or_default()
                .push((owner.event, why));
        }
        for domain in facts.domains.iter().filter(|domain| domain.by(cutoff)) {
            let verified = self.domain_owners.get(&domain.value.1);
            for (customer, since) in verified.into_iter().flatten() {
                if cutoff.is_none_or(|cutoff| *since <= cutoff) {
                    let name = self.customer_name(customer);
                    let why = format!(
                        "{shown} has verified {}, a domain of {name}",
                        domain.value.0
                    );
                    owners
                        .entry(customer)
                        .or_default()
                        .push((domain.event, why));
                }
            }
        }
        owners
    }

    /// The partner whose own tenant this is, as far as was known.
    pub fn partner_of_tenant(
        &self,
        tenant: &TenantId,
        cutoff: Option<Timestamp>,
    ) -> Option<(&PartnerId, &Known<TenantId>)> {
        self.partners.iter().find_map(|(partner, facts)| {
            let own = facts
                .tenants
                .iter()
                .find(|t| t.value == *tenant && t.by(cutoff))?;
            Some((partner, own))
        })
    }

    /// The last start of a session.
    pub fn session_start(&self, session: &SessionId) -> Option<&Known<SessionStart>> {
        self.sessions.get(session)?.started.last()
    }

    /// The root authentication of a session, or the session itself.
    pub fn root_of(&self, session: &SessionId) -> SessionId {
        let start = self.session_start(session);
        let root = start.and_then(|start| start.value.root.clone());
        root.unwrap_or_else(|| session.clone())
    }
}
