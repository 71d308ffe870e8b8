//! Gathering the evidence: one pass over the events, every kind decided about.

use super::*;

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
        let roots = evidence
            .sessions
            .keys()
            .map(|session| (evidence.root_of(session), session));
        let mut sessions_of_root: BTreeMap<SessionId, BTreeSet<SessionId>> = BTreeMap::new();
        for (root, session) in roots {
            sessions_of_root
                .entry(root)
                .or_default()
                .insert(session.clone());
        }
        evidence.sessions_of_root = sessions_of_root;
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
                ExistingSubscriptionsShown IdentityVerified ImportRecorded IncarnationBegun
                KeyEntered KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed
                OrderReturned PartnerRegistered PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered ProvisioningConfirmed
                RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed SeatLicensed
                SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
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
                let undone = Known::new(event, ());
                self.reversed_redemptions
                    .entry(reversed.redemption.clone())
                    .or_insert_with(|| undone.clone());
                for key in &reversed.keys {
                    let entry = self.reversed_keys.entry(*key);
                    entry.or_insert_with(|| undone.clone());
                }
            }
            Payload::TenantRemapped(remapped) => {
                for moved in &remapped.moves {
                    let remap = RemapFacts {
                        from: moved.from.clone(),
                        to: moved.to.clone(),
                    };
                    let of = self.remaps.entry(moved.license_id.clone()).or_default();
                    of.push(Known::new(event, remap));
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
                ImportRecorded IncarnationBegun KeyEntered KeyRevealed KeysRedeemed
                LicenseStateObserved LicensesAssigned LicensesUnassigned MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderCancelled OrderRelayed OrderReturned PartnerRegistered
                PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged
                ProfileEntered ProvisioningConfirmed RedemptionAbandoned
                RedemptionModeChosen RedemptionOutcomeDiverged RedemptionReviewed
                RedemptionSubmitted ReservationCancelled ReservationPlaced RevalidationFailed
                ScenarioAssessed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
                SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred
                ServicesAutoAssigned ServicesBoundToTenant SessionEnded SessionStarted SignInChosen
                SignUpChosen SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
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
                for tenant in &registered.tenants {
                    let of = self.partners_of_tenant.entry(tenant.clone()).or_default();
                    of.insert(registered.partner.clone());
                }
            }
            Payload::TenantObserved(observed) => {
                for domain in &observed.domains {
                    self.verify(event, &observed.tenant, domain);
                }
                if let Some(owner) = &observed.owner {
                    let of = self.tenants_of_owner.entry(owner.clone()).or_default();
                    of.insert(observed.tenant.clone());
                }
                let tenant = self.tenant(&observed.tenant);
                tenant.initial_domain = observed
                    .initial_domain
                    .clone()
                    .or(tenant.initial_domain.take());
                tenant
                    .owners
                    .extend(observed.owner.clone().map(|o| Known::new(event, o)));

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
                self.verify(event, &verified.tenant, &verified.domain);
            }
            Payload::DomainRemoved(removed) => {
                let until = Some(event.occurred_at.start);
                let domains = &mut self.tenant(&removed.tenant).domains;
                let held = domains
                    .iter_mut()
                    .filter(|d| d.value.id == removed.domain.id);
                held.for_each(|domain| domain.value.until = domain.value.until.or(until));
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
                let ends = started.plus_days(projections::policy::Limits::default().trial_days);
                let facts = TrialFacts {
                    tenant: trial.tenant.clone(),
                    customer: trial.customer.clone(),
                    contact: trial.contact.as_ref().map(|c| c.id),
                    ends: trial.ends.unwrap_or(ends),
                };
                let index = self.trials.len();
                if let Some(customer) = &facts.customer {
                    let of = self.trials_of.0.entry(customer.clone()).or_default();
                    of.push(index);
                }
                if let Some(contact) = facts.contact {
                    self.trials_of.1.entry(contact).or_default().push(index);
                }
                self.trials.push(Known::new(event, facts));
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced ActivationEmailDelivered
                ActivationEmailForwarded ActivationEmailResent ActivationEmailScheduled ActivationEmailSent
                ActivationEmailSuppressed ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned AuthorizationReceived BypassTransitioned
                CaseClosed CaseOpened ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CreditLotActivated DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen
                EndDateCorrected ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified ImportRecorded
                IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected KeyRevealed KeysRedeemed LicenseStateObserved
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                OnlineServicesIdAdded OrderAmended OrderCancelled OrderPlaced OrderRelayed OrderReturned PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged
                ProfileEntered ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet TenantRemapped TenantRetired
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired
                UserAuthenticated UserDeprovisioned UserNotified UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn verify(&mut self, event: &Event, tenant: &TenantId, domain: &Domain) {
        let held = HeldDomain {
            name: domain.name.clone(),
            id: domain.id,
            until: None,
        };
        self.tenant(tenant).domains.push(Known::new(event, held));
        let of = self.tenants_of_domain.entry(domain.id).or_default();
        of.insert(tenant.clone());
    }
}
