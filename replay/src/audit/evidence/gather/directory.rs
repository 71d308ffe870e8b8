//! Gathering: customers, partners, tenants and trials.

use super::*;

impl Evidence {
    /// Customers, partners, tenants and trials.
    pub(super) fn directory(&mut self, event: &Event) {
        match &event.payload {
            Payload::CustomerRegistered(registered) => {
                let customer = self
                    .customers
                    .entry(registered.customer.clone())
                    .or_default();
                customer.name = registered.names.first().cloned().or(customer.name.take());
                customer.names.extend(registered.names.iter().cloned());
                let country = registered.country.clone();
                customer.country = country
                    .map(|country| Known::new(event, country))
                    .or(customer.country.take());
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
                    let related = RelatedFacts {
                        customer: other.clone(),
                        until: related.until,
                    };
                    customer.related.push(Known::new(event, related));
                }
            }
            Payload::PartnerRegistered(registered) => {
                let partner = self.partners.entry(registered.partner.clone()).or_default();
                partner.customer = registered.customer.clone().or(partner.customer.take());
                let tenants = registered.tenants.iter();
                partner
                    .tenants
                    .extend(tenants.map(|t| Known::new(event, t.clone())));
                let domains = registered.domains.iter().map(|domain| domain.id);
                partner.domains.extend(domains);
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
                let cloud = observed.cloud.map(|cloud| Known::new(event, cloud));
                tenant.cloud = cloud.or(tenant.cloud.take());
                tenant.describe(event, observed.name.as_ref(), observed.country.as_ref());
                if observed.created_via == Some(CreatedVia::SelfService) {
                    tenant
                        .self_service
                        .get_or_insert_with(|| Known::new(event, ()));
                }
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
                tenant.describe(event, created.company.as_ref(), created.country.as_ref());
                if created.created_via == CreatedVia::SelfService {
                    tenant
                        .self_service
                        .get_or_insert_with(|| Known::new(event, ()));
                }
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
                let role = TenantRoleFacts {
                    user: given.user.id,
                    role: given.role,
                    until: given.until,
                };
                self.give_role(event, &given.tenant, &given.user, role);
            }
            // The id that is added when a tenant is signed up for is its first administrator (S2).
            Payload::OnlineServicesIdAdded(added) => {
                let role = TenantRoleFacts {
                    user: added.user.id,
                    role: TenantRole::GlobalAdministrator,
                    until: None,
                };
                self.give_role(event, &added.tenant, &added.user, role);
            }
            Payload::TenantRoleRemoved(taken) => {
                let until = event.occurred_at.last();
                let roles = &mut self.tenant(&taken.tenant).roles;
                let same = |held: &&mut Known<TenantRoleFacts>| {
                    held.value.user == taken.user.id && held.value.role == taken.role
                };
                for held in roles.iter_mut().filter(same) {
                    let before = held.value.until.filter(|before| *before < until);
                    held.value.until = before.or(Some(until));
                }
            }
            Payload::DelegatedAdminGranted(granted) => {
                let may_redeem = granted.roles.iter().any(|role| match role {
                    TenantRole::GlobalAdministrator | TenantRole::BillingAdministrator => true,
                    TenantRole::UserAdministrator | TenantRole::Other => false,
                });
                let delegation = DelegationFacts {
                    partner: granted.partner.clone(),
                    partner_tenant: granted.partner_tenant.clone(),
                    may_redeem,
                    until: granted.until.map(|until| until.plus_days(1).start()),
                };
                let delegation = Known::new(event, delegation);
                self.tenant(&granted.tenant).delegations.push(delegation);
            }
            Payload::DelegatedAdminRevoked(revoked) => {
                let until = event.occurred_at.last();
                let delegations = &mut self.tenant(&revoked.tenant).delegations;
                let same = |held: &&mut Known<DelegationFacts>| {
                    held.value.partner_tenant == revoked.partner_tenant
                };
                for held in delegations.iter_mut().filter(same) {
                    let before = held.value.until.filter(|before| *before < until);
                    held.value.until = before.or(Some(until));
                }
            }
            Payload::LicensesAssigned(assigned) => {
                let users = Known::new(event, assigned.users.len());
                self.tenants.mention(&assigned.tenant);
                let of = self.assigned.entry(assigned.tenant.clone());
                of.or_default().push(users);
                self.licensed(event, &assigned.tenant, &assigned.users, true);
            }
            Payload::LicensesUnassigned(taken) => {
                self.licensed(event, &taken.tenant, &taken.users, false);
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
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ClockSkewObserved
                ConfirmationGiven ContactChanged CreditConsumed CreditExpired CreditForfeited
                CreditLotActivated DesktopSetupRun DomainOptionChosen EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
                ImportRecorded IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected
                KeyRevealed KeysRedeemed LicenseStateObserved MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled
                OrderAmended OrderCancelled OrderPlaced OrderRelayed OrderReturned PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatLicensed SeatProvisioned SeatReset
                SeatResetRequested SeatRevalidated SeatsAdded SeatsReassigned SeatsReduced
                SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant SessionEnded
                SessionStarted SignInChosen SignUpChosen SourceRecordKept SubscriptionCancelled
                SubscriptionDeleted SubscriptionDisabled SubscriptionExpired
                SubscriptionObserved SubscriptionReactivated SubscriptionRenewed
                SubscriptionStarted SubscriptionsReviewed SupportEscalated TblParametersSet
                TenantRemapped TenantRetired TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired UserAuthenticated UserDeprovisioned
                UserNotified UserPrompted UserReprovisioned VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn licensed(&mut self, event: &Event, tenant: &TenantId, users: &[Person], given: bool) {
        for user in users {
            let of = self.licences.entry(user.id).or_default();
            let of = of.entry(tenant.clone()).or_default();
            of.push(Known::new(event, given));
        }
    }

    fn give_role(
        &mut self,
        event: &Event,
        tenant: &TenantId,
        user: &Person,
        role: TenantRoleFacts,
    ) {
        self.meet(user);
        let of = self.tenants_of_person.entry(user.id).or_default();
        of.insert(tenant.clone());
        self.tenant(tenant).roles.push(Known::new(event, role));
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

impl TenantFacts {
    fn describe(&mut self, event: &Event, name: Option<&Name>, country: Option<&Name>) {
        self.names.extend(name.cloned());
        let country = country.map(|country| Known::new(event, country.clone()));
        self.country = country.or(self.country.take());
    }
}
