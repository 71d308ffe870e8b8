//! Gathering: mails, sessions, choices, roles and decisions.

use super::*;

impl Evidence {
    /// Mails, sessions and choices.
    pub(super) fn people(&mut self, event: &Event) {
        match &event.payload {
            Payload::ActivationEmailSent(sent) => {
                self.meet(&sent.recipient);
                let to = Known::new(event, sent.recipient.id);
                self.agreement(&sent.license_id).recipients.push(to);
            }
            Payload::ActivationEmailResent(sent) => {
                self.meet(&sent.recipient);
                if let Some(license) = self.messages.get(&sent.message).cloned() {
                    let to = Known::new(event, sent.recipient.id);
                    self.agreement(&license).recipients.push(to);
                }
            }
            Payload::ActivationEmailForwarded(forwarded) => {
                self.meet(&forwarded.to);
                if let Some(license) = self.messages.get(&forwarded.message).cloned() {
                    let to = Known::new(event, forwarded.to.id);
                    let agreement = self.agreement(&license);
                    agreement.recipients.push(to.clone());
                    agreement.forwarded.push(to);
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
                self.meet_any(&started.principal);
                let start = SessionStart {
                    root: started.root_session.clone(),
                    principal: started.principal.as_ref().map(|p| p.id),
                    home_tenant: started.home_tenant.clone(),
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
            Payload::ProfileEntered(entered) => {
                let profile = ProfileFacts {
                    company: entered.company.clone(),
                    country: entered.country.clone(),
                };
                let session = self.sessions.entry(entered.session.clone()).or_default();
                session.profiles.push(Known::new(event, profile));
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
                self.meet_any(&chosen.principal);
                let choice = ChoiceFacts {
                    sign_up: false,
                    activation: chosen.activation.clone(),
                    session: chosen.session.clone(),
                    principal: chosen.principal.as_ref().map(|p| p.id),
                };
                self.choose(event, &chosen.license_id, choice);
            }
            Payload::SignUpChosen(chosen) => {
                self.meet_any(&chosen.principal);
                let choice = ChoiceFacts {
                    sign_up: true,
                    activation: chosen.activation.clone(),
                    session: chosen.session.clone(),
                    principal: chosen.principal.as_ref().map(|p| p.id),
                };
                self.choose(event, &chosen.license_id, choice);
            }
            Payload::ContactChanged(changed) => {
                self.meet_any(&changed.new);
                self.meet_any(&changed.old);
                let agreement = self.agreement(&changed.license_id);
                if let Some(person) = &changed.new {
                    let contact = Contact {
                        role: changed.role,
                        person: person.clone(),
                    };
                    agreement.contacts.push(Known::new(event, contact));
                }
                if let Some(old) = &changed.old {
                    let replaced = ReplacedContact {
                        role: changed.role,
                        old: old.id,
                    };
                    let replaced = Known::new(event, replaced);
                    agreement.replaced_contacts.push(replaced);
                }
            }
            Payload::VlRoleAssigned(given) => {
                self.meet(&given.user);
                let role = AgreementRole {
                    user: given.user.id,
                    role: given.role,
                    until: None,
                };
                let role = Known::new(event, role);
                self.agreement(&given.license_id).roles.push(role);
            }
            Payload::VlRoleRemoved(taken) => {
                let until = Some(event.occurred_at.last());
                let roles = &mut self.agreement(&taken.license_id).roles;
                let same = |held: &&mut Known<AgreementRole>| {
                    held.value.user == taken.user.id && held.value.role == taken.role
                };
                for held in roles.iter_mut().filter(same) {
                    held.value.until = held.value.until.or(until);
                }
            }
            Payload::CaseOpened(opened) => {
                for license in &opened.license_ids {
                    let case = CaseFacts {
                        purpose: opened.purpose,
                        wrong_tenant: opened.wrong_tenant.clone(),
                    };
                    self.agreement(license).cases.push(Known::new(event, case));
                }
            }
            Payload::AuthorizationReceived(received) => {
                let of = self.authorisations.entry(received.case.clone());
                of.or_default().push(Known::new(event, received.role));
            }
            Payload::PersonsMerged(merged) => {
                for (one, other) in [(merged.person, merged.with), (merged.with, merged.person)] {
                    self.aliases.entry(one).or_default().insert(other);
                }
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
                AgentStarted AgreementRenewedAs AgreementSigned BypassTransitioned CaseClosed
                ClockSkewObserved CreditConsumed CreditExpired CreditForfeited
                CreditLotActivated CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified EndDateCorrected ExistingSubscriptionsShown IdentityVerified
                ImportRecorded IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected
                KeyRevealed KeysRedeemed LicenseStateObserved LicensesAssigned
                LicensesUnassigned MachineBumped MachineKeyIssued MachineRegistered
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderAmended
                OrderCancelled OrderPlaced OrderRelayed OrderReturned PartnerRegistered
                PartyNotified PersonErased PersonalDataRevealed ProvisioningConfirmed
                RedemptionAbandoned RedemptionModeChosen RedemptionOutcomeDiverged
                RedemptionReversed RedemptionReviewed RedemptionStarted RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed SeatLicensed
                SeatProvisioned SeatReset SeatResetRequested SeatRevalidated SeatsAdded
                SeatsReassigned SeatsReduced SeatsTransferred ServicesAutoAssigned
                ServicesBoundToTenant SourceRecordKept SubscriptionCancelled SubscriptionDeleted
                SubscriptionDisabled SubscriptionExpired SubscriptionObserved
                SubscriptionReactivated SubscriptionRenewed SubscriptionStarted
                SubscriptionsReviewed SupportEscalated TblParametersSet TenantCreated
                TenantObserved TenantRemapped TenantRetired TenantRoleAssigned TenantRoleRemoved
                TrialAbandoned TrialConverted TrialDataDeleted TrialDeletionAdvised TrialExpired
                TrialStarted UserAuthenticated UserDeprovisioned UserNotified UserPrompted
                UserReprovisioned
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
}
