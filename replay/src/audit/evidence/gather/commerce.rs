//! Gathering: agreements, orders, keys, subscriptions and what became of them.

use super::*;

impl Evidence {
    /// Agreements, orders, keys and what became of them.
    pub(super) fn commerce(&mut self, event: &Event) {
        match &event.payload {
            Payload::AgreementSigned(signed) => {
                let agreement = self.agreement(&signed.license_id);
                agreement.customer = Some(Known::new(event, signed.customer.clone()));
                agreement.program = Some(signed.program);
                agreement.pcn = Some(signed.pcn.clone());
                agreement.cloud = signed.cloud.map(|cloud| Known::new(event, cloud));
                agreement.partners.extend(signed.partner.clone());
                agreement.partners.extend(signed.distributor.clone());
                let contacts = signed.contacts.iter();
                agreement
                    .contacts
                    .extend(contacts.map(|c| Known::new(event, c.clone())));
                self.meet_all(&signed.contacts);
            }
            Payload::AgreementRenewedAs(renewed) => {
                let agreement = self.agreement(&renewed.new_license_id);
                agreement.pcn = agreement
                    .pcn
                    .take()
                    .or_else(|| Some(renewed.pcn_new.clone()));
                agreement.renews = Some(Known::new(event, renewed.old_license_id.clone()));
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
                order.skus = placed.lines.iter().map(|line| line.sku.clone()).collect();
                let words = order.skus.iter().cloned().map(Word::Ordered);
                words.for_each(|word| self.words.insert(word));
                let customer = self.customers.entry(placed.end_customer.clone());
                let first = &mut customer.or_default().first_order;
                if first
                    .as_ref()
                    .is_none_or(|first| event.occurred_at.start < first.from)
                {
                    *first = Some(Known::new(event, placed.order.clone()));
                }
                self.meet_all(&placed.contacts);
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
                if !amended.lines.is_empty() {
                    order.skus = amended.lines.iter().map(|line| line.sku.clone()).collect();
                    let words = order.skus.iter().cloned().map(Word::Ordered);
                    words.for_each(|word| self.words.insert(word));
                }
                self.meet_all(&amended.contacts);
            }
            Payload::KeyIssued(issued) => {
                let key = self.keys.entry(issued.key).or_default();
                key.order = Some(Known::new(event, issued.order.clone()));
                key.license_id = Some(issued.license_id.clone());
                key.line = Some(issued.line.0);
            }
            Payload::KeyReissued(reissued) => {
                let old = self.keys.entry(reissued.old_key).or_default();
                old.replaced_by = Some(Known::new(event, reissued.new_key));
                let (order, license) = (old.order.clone(), old.license_id.clone());
                let line = old.line;
                let new = self.keys.entry(reissued.new_key).or_default();
                let named = reissued.order.clone().map(|o| Known::new(event, o));
                new.order = named.or(new.order.take()).or(order);
                new.license_id = reissued
                    .license_id
                    .clone()
                    .or(new.license_id.take())
                    .or(license);
                new.line = new.line.or(line);
            }
            Payload::KeyRevealed(shown) => {
                self.meet_any(&shown.to);
                let reveal = RevealFacts {
                    to: shown.to.as_ref().map(|to| to.id),
                    partner: shown.partner.clone(),
                    channel: shown.channel,
                };
                let key = self.keys.entry(shown.key).or_default();
                key.revealed.push(Known::new(event, reveal));
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
                redemption.entry = Some(started.entry);
            }
            Payload::KeysRedeemed(redeemed) => self.redeemed(event, redeemed),
            Payload::ServicesAutoAssigned(assigned) => {
                let to = (assigned.tenant.clone(), assigned.criterion);
                let to = Known::new(event, to);
                self.agreement(&assigned.license_id).assigned.push(to);
            }
            Payload::CreditLotActivated(lot) => {
                let license = self
                    .keys
                    .so_far(&lot.key)
                    .and_then(|key| key.license_id.clone());
                let license = license.or_else(|| lot.license_id.clone());
                let lots = Known::new(event, (lot.lot.clone(), license));
                let of = self.subscription(&lot.azure_subscription, lot.tenant.as_ref(), None);
                of.lots.push(lots);
            }
            Payload::SubscriptionStarted(started) => {
                let tenant = Some(&started.tenant);
                let of = self.subscription(&started.subscription, tenant, Some(&started.sku));
                of.agreements.extend(started.license_id.clone());
            }
            Payload::SubscriptionObserved(observed) => {
                if let Some(subscription) = &observed.subscription {
                    self.subscription(subscription, Some(&observed.tenant), Some(&observed.sku));
                }
            }
            Payload::SubscriptionRenewed(renewed) => {
                let by = Known::new(event, renewed.redemption.clone());
                let of = self.subscription(&renewed.subscription, None, None);
                of.renewed.push(by);
            }
            Payload::EndDateCorrected(corrected) => {
                let of = self.subscription(&corrected.subscription, None, None);
                of.corrected.push(Known::new(event, ()));
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
                        case: remapped.case.clone(),
                        asked_for: remapped.requested.is_empty()
                            || remapped.requested.contains(&moved.license_id),
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
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                AgentStarted AuthorizationReceived BypassTransitioned CaseClosed CaseOpened
                ClockSkewObserved ConfirmationGiven ContactChanged CreditConsumed CreditExpired
                CreditForfeited CustomerRegistered CustomersRelated DelegatedAdminGranted
                DelegatedAdminRevoked DesktopSetupRun DomainOptionChosen DomainRemoved
                DomainVerified ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyEntered LicenseStateObserved
                LicensesAssigned LicensesUnassigned MachineBumped MachineKeyIssued
                MachineRegistered NotifierStarted OfficeInstalled OnlineServicesIdAdded
                OrderCancelled OrderRelayed OrderReturned PartnerRegistered PartyNotified
                PersonErased PersonalDataRevealed PersonsMerged ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReviewed RedemptionSubmitted
                ReservationCancelled ReservationPlaced RevalidationFailed ScenarioAssessed
                SeatLicensed SeatProvisioned SeatReset SeatResetRequested SeatRevalidated
                SeatsAdded SeatsReassigned SeatsReduced SeatsTransferred ServicesBoundToTenant
                SessionEnded SessionStarted SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionReactivated SubscriptionsReviewed
                SupportEscalated TblParametersSet TenantCreated TenantObserved TenantRetired
                TenantRoleAssigned TenantRoleRemoved TrialAbandoned TrialConverted
                TrialDataDeleted TrialDeletionAdvised TrialExpired TrialStarted
                UserAuthenticated UserDeprovisioned UserNotified UserPrompted UserReprovisioned
                VlRoleAssigned VlRoleRemoved
            ] => {}
        }
    }

    fn redeemed(&mut self, event: &Event, redeemed: &KeysRedeemed) {
        self.meet_any(&redeemed.redeemer);
        let license = redeemed.keys.iter().find_map(|key| {
            let issued = self.keys.so_far(&key.key)?;
            issued.license_id.clone()
        });
        let license = license.or_else(|| redeemed.license_id.clone());
        let renews = redeemed.mode == RedemptionMode::RenewPlus12;
        for effect in &redeemed.effects {
            let tenant = Some(&redeemed.tenant);
            let of = self.subscription(&effect.subscription, tenant, effect.sku.as_ref());
            of.agreements.extend(license.clone());
            if renews {
                let by = Some(redeemed.redemption.clone());
                of.renewed.push(Known::new(event, by));
            }
        }
        let of = self.redemptions.entry(redeemed.redemption.clone());
        let of = of.or_default();
        of.mode
            .get_or_insert_with(|| Known::new(event, redeemed.mode));
        let effects = redeemed.effects.iter().cloned();
        of.effects
            .extend(effects.map(|effect| Known::new(event, effect)));
    }

    /// A subscription; the last tenant and word that are told count.
    fn subscription(
        &mut self,
        id: &SubscriptionId,
        tenant: Option<&TenantId>,
        sku: Option<&Sku>,
    ) -> &mut SubscriptionFacts {
        if let Some(tenant) = tenant {
            let of = self.subscriptions_of_tenant.entry(tenant.clone());
            of.or_default().insert(id.clone());
        }
        if let Some(sku) = sku {
            self.words.insert(Word::Shown(sku.clone()));
        }
        let subscription = self.subscriptions.entry(id.clone()).or_default();
        subscription.tenant = tenant.cloned().or(subscription.tenant.take());
        subscription.sku = sku.cloned().or(subscription.sku.take());
        subscription
    }
}
