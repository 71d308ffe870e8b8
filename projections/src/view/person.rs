//! The view of a person: contact roles, authority, mails, what it holds, and the machines that count
//! among its five (R13, R25; DOMAIN section A "Seats", section 5.5 "Concurrency").

use crate::policy::Bump;
use crate::seen::Seen;
use crate::view::seat::{self, Seat};
use crate::view::tenant::administers;
use crate::view::{Fold, kind_ids, shown_each, shown_option};
use ledger::event::part::Contact;
use ledger::event::word::{ContactRole, TenantRole, VlRole};
use ledger::event::{Event, KindId, Payload};
use ledger::id::*;
use ledger::kinds;
use ledger::secret::{MachineId, PersonId, Pseudonym};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The projection.
#[derive(Debug)]
pub struct Person;

/// What a person has in one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InTenant {
    /// SKUs of which it holds a licence.
    pub licences: BTreeSet<String>,
    /// Whether it was deprovisioned and not provisioned again.
    pub deprovisioned: bool,
    /// Machines that are its own here, as pseudonyms.
    pub machines: BTreeSet<String>,
    /// How many of them count at the same time (R25).
    pub counted: usize,
    /// Whether more count than may.
    pub over_limit: bool,
    /// The machine that a further one would take the place of, as pseudonym: only if all places are
    /// taken.
    #[serde(serialize_with = "shown_option")]
    pub next_bumped: Option<MachineId>,
    /// The policy that says which, as `name@version`.
    pub bump_policy: String,
}

/// What a person looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// The pseudonym.
    pub person: String,
    /// Contact roles by agreement.
    pub contact_of: BTreeMap<LicenseId, BTreeSet<ContactRole>>,
    /// Contact roles on orders.
    pub contact_on_orders: BTreeMap<OrderId, BTreeSet<ContactRole>>,
    /// Volume-licensing roles by agreement (P2).
    pub vl_roles: BTreeMap<LicenseId, BTreeSet<VlRole>>,
    /// Tenants that it administers now, as global or billing administrator.
    pub administers: BTreeSet<TenantId>,
    /// Activation mails that it received as recipient of record.
    pub received: BTreeSet<MessageId>,
    /// Activation mails that were forwarded to it.
    pub forwarded_to: BTreeSet<MessageId>,
    /// Sessions in which it was signed in.
    pub sessions: usize,
    /// Redemptions in which it pressed Redeem.
    pub redemptions: BTreeSet<RedemptionId>,
    /// Keys that were shown or handed to it.
    pub keys_received: usize,
    /// Cases that it asked for.
    pub cases: BTreeSet<CaseId>,
    /// Compensations that it authorised, by case.
    pub authorised: BTreeSet<CaseId>,
    /// Pseudonyms of the same person.
    #[serde(serialize_with = "shown_each")]
    pub merged_with: BTreeSet<PersonId>,
    /// When it was erased: nothing that was sealed about it can be opened any more.
    #[serde(serialize_with = "shown_option")]
    pub erased_at: Option<Timestamp>,
    /// How many times somebody looked at what is sealed about it.
    pub revealed: usize,
    /// What it has, by tenant.
    pub tenants: BTreeMap<TenantId, InTenant>,
}

/// What the events of a person add up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    me: Option<PersonId>,
    contact_of: BTreeMap<LicenseId, BTreeSet<ContactRole>>,
    contact_on_orders: BTreeMap<OrderId, BTreeSet<ContactRole>>,
    vl_roles: BTreeMap<LicenseId, BTreeSet<VlRole>>,
    tenant_roles: BTreeMap<(TenantId, TenantRole), Option<Timestamp>>,
    received: BTreeSet<MessageId>,
    forwarded_to: BTreeSet<MessageId>,
    sessions: BTreeSet<SessionId>,
    redemptions: BTreeSet<RedemptionId>,
    keys_received: usize,
    cases: BTreeSet<CaseId>,
    authorised: BTreeSet<CaseId>,
    merged_with: BTreeSet<PersonId>,
    erased_at: Option<Timestamp>,
    revealed: usize,
    tenants: BTreeMap<TenantId, Holding>,
    machines: BTreeSet<MachineId>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Holding {
    licences: BTreeSet<Option<Sku>>,
    deprovisioned: bool,
}

/// The pseudonym that a person's or a machine's subject is named by.
pub(super) fn pseudonym(subject: &Subject) -> Option<Pseudonym> {
    Some(EventId::parse(&subject.id)?.0)
}

impl State {
    fn is_me(&mut self, subject: &Subject, person: PersonId) -> bool {
        if self.me.is_none() {
            self.me = pseudonym(subject).map(PersonId);
        }
        self.me == Some(person)
    }

    /// Whether it was deprovisioned in a tenant and not provisioned again.
    pub(super) fn is_deprovisioned(&self, tenant: &TenantId) -> bool {
        self.tenants
            .get(tenant)
            .is_some_and(|holding| holding.deprovisioned)
    }

    fn holding(&mut self, tenant: &TenantId) -> &mut Holding {
        self.tenants.entry(tenant.clone()).or_default()
    }

    fn gives(&mut self, tenant: &TenantId, sku: Option<&Sku>) {
        let holding = self.holding(tenant);
        holding.deprovisioned = false;
        holding.licences.insert(sku.cloned());
    }

    fn roles_of(&mut self, subject: &Subject, contacts: &[Contact]) -> BTreeSet<ContactRole> {
        let own = contacts
            .iter()
            .filter(|contact| self.is_me(subject, contact.person.id));
        own.map(|contact| contact.role).collect()
    }

    /// Its machines in a tenant, each with its state.
    fn machines_in(
        &self,
        tenant: &TenantId,
        seen: &Seen<'_>,
    ) -> Vec<(MachineId, Arc<seat::State>)> {
        let machines = self.machines.iter().filter_map(|machine| {
            let state = seen.state::<Seat>(&machine.subject())?;
            let (user, of) = state.holder();
            (user == self.me && of == Some(tenant)).then_some((*machine, state))
        });
        machines.collect()
    }

    fn in_tenant(&self, tenant: &TenantId, seen: &Seen<'_>) -> InTenant {
        let policies = seen.policies();
        let machines = self.machines_in(tenant, seen);
        let counted = machines
            .iter()
            .filter(|(_, state)| state.counts(seen.now(), policies));
        let counted: Vec<_> = counted.collect();
        let may = policies.limits.installs_per_user;
        let next = counted.iter().min_by_key(|(machine, state)| {
            let (validated, installed) = state.used();
            match policies.bump {
                Bump::LeastRecentlyValidated => (validated, installed, *machine),
                Bump::FirstInstalled => (installed, None, *machine),
            }
        });
        let holding = self.tenants.get(tenant);
        let licences = holding.iter().flat_map(|holding| &holding.licences);
        let licences = licences.map(|sku| sku.as_ref().map_or("unknown", Sku::as_str).to_owned());
        InTenant {
            licences: licences.collect(),
            deprovisioned: self.is_deprovisioned(tenant),
            machines: machines
                .iter()
                .map(|(machine, _)| machine.to_string())
                .collect(),
            counted: counted.len(),
            over_limit: counted.len() > may,
            next_bumped: next
                .filter(|_| counted.len() >= may)
                .map(|(machine, _)| *machine),
            bump_policy: policies.bump.policy().to_string(),
        }
    }
}

impl Fold for Person {
    type State = State;
    type View = PersonView;

    const KIND: SubjectKind = SubjectKind::Person;
    const DOC: &'static str =
        "A person, as pseudonym: roles, authority, mails, licences, and the machines that count.";
    const FOLLOWS: &'static [SubjectKind] = &[];
    const READS: &'static [SubjectKind] = &[SubjectKind::Seat];
    const VERSION: u16 = 1;
    const TAKES: &'static [KindId] = kind_ids![
        ActivationEmailForwarded ActivationEmailResent ActivationEmailSent
        AgreementSigned AuthorizationReceived CaseOpened ContactChanged KeyRevealed
        KeysRedeemed LicensesAssigned LicensesUnassigned MachineRegistered OrderAmended
        OrderPlaced PersonErased PersonalDataRevealed PersonsMerged SeatLicensed
        SeatProvisioned SeatRevalidated SeatsReassigned SessionStarted
        TenantRoleAssigned TenantRoleRemoved UserAuthenticated UserDeprovisioned
        UserReprovisioned VlRoleAssigned VlRoleRemoved
    ];

    fn evolve(state: &mut State, subject: &Subject, event: &Event) {
        match &event.payload {
            Payload::AgreementSigned(signed) => {
                let roles = state.roles_of(subject, &signed.contacts);
                if !roles.is_empty() {
                    let held = state
                        .contact_of
                        .entry(signed.license_id.clone())
                        .or_default();
                    held.extend(roles);
                }
            }
            Payload::ContactChanged(changed) => {
                let new = changed
                    .new
                    .as_ref()
                    .is_some_and(|p| state.is_me(subject, p.id));
                let held = state
                    .contact_of
                    .entry(changed.license_id.clone())
                    .or_default();
                match new {
                    true => held.insert(changed.role),
                    false => held.remove(&changed.role),
                };
            }
            Payload::OrderPlaced(placed) => {
                let roles = state.roles_of(subject, &placed.contacts);
                if !roles.is_empty() {
                    let held = state
                        .contact_on_orders
                        .entry(placed.order.clone())
                        .or_default();
                    held.extend(roles);
                }
            }
            Payload::OrderAmended(amended) => {
                let roles = state.roles_of(subject, &amended.contacts);
                if !roles.is_empty() {
                    let held = state
                        .contact_on_orders
                        .entry(amended.order.clone())
                        .or_default();
                    held.extend(roles);
                }
            }
            Payload::VlRoleAssigned(given) => {
                if state.is_me(subject, given.user.id) {
                    let held = state.vl_roles.entry(given.license_id.clone()).or_default();
                    held.insert(given.role);
                }
            }
            Payload::VlRoleRemoved(taken) => {
                if state.is_me(subject, taken.user.id)
                    && let Some(held) = state.vl_roles.get_mut(&taken.license_id)
                {
                    held.remove(&taken.role);
                }
            }
            Payload::TenantRoleAssigned(given) => {
                if state.is_me(subject, given.user.id) {
                    let role = (given.tenant.clone(), given.role);
                    state.tenant_roles.insert(role, given.until);
                }
            }
            Payload::TenantRoleRemoved(taken) => {
                if state.is_me(subject, taken.user.id) {
                    state
                        .tenant_roles
                        .remove(&(taken.tenant.clone(), taken.role));
                }
            }
            Payload::ActivationEmailSent(sent) => {
                if state.is_me(subject, sent.recipient.id) {
                    state.received.insert(sent.message.clone());
                }
            }
            Payload::ActivationEmailResent(sent) => {
                if state.is_me(subject, sent.recipient.id) {
                    state.received.insert(sent.message.clone());
                }
            }
            Payload::ActivationEmailForwarded(forwarded) => {
                if state.is_me(subject, forwarded.to.id) {
                    state.forwarded_to.insert(forwarded.message.clone());
                }
            }
            Payload::SessionStarted(started) => {
                let principal = started.principal.as_ref();
                if principal.is_some_and(|person| state.is_me(subject, person.id)) {
                    state.sessions.insert(started.session.clone());
                }
            }
            Payload::KeysRedeemed(redeemed) => {
                let redeemer = redeemed.redeemer.as_ref();
                if redeemer.is_some_and(|person| state.is_me(subject, person.id)) {
                    state.redemptions.insert(redeemed.redemption.clone());
                }
            }
            Payload::KeyRevealed(revealed) => {
                if revealed
                    .to
                    .as_ref()
                    .is_some_and(|to| state.is_me(subject, to.id))
                {
                    state.keys_received += 1;
                }
            }
            Payload::CaseOpened(opened) => {
                let asked = opened.requested_by.as_ref();
                if asked.is_some_and(|person| state.is_me(subject, person.id)) {
                    state.cases.insert(opened.case.clone());
                }
            }
            Payload::AuthorizationReceived(given) => {
                if state.is_me(subject, given.from.id) {
                    state.authorised.insert(given.case.clone());
                }
            }
            Payload::LicensesAssigned(given) => {
                if given.users.iter().any(|user| state.is_me(subject, user.id)) {
                    state.gives(&given.tenant, Some(&given.sku));
                }
            }
            Payload::LicensesUnassigned(taken) => {
                if taken.users.iter().any(|user| state.is_me(subject, user.id)) {
                    let sku = Some(taken.sku.clone());
                    state.holding(&taken.tenant).licences.remove(&sku);
                }
            }
            Payload::UserDeprovisioned(gone) => {
                if state.is_me(subject, gone.user.id) {
                    let holding = state.holding(&gone.tenant);
                    match &gone.sku {
                        Some(_) => drop(holding.licences.remove(&gone.sku)),
                        None => holding.licences.clear(),
                    }
                    holding.deprovisioned = holding.licences.is_empty();
                }
            }
            Payload::UserReprovisioned(back) => {
                if state.is_me(subject, back.user.id) {
                    state.gives(&back.tenant, back.sku.as_ref());
                }
            }
            Payload::SeatsReassigned(moved) => {
                if moved.users.iter().any(|user| state.is_me(subject, user.id)) {
                    state.gives(&moved.tenant, moved.sku.as_ref());
                    if let Some(from) = moved.from_tenant.as_ref().filter(|f| **f != moved.tenant) {
                        let holding = state.holding(from);
                        match &moved.sku {
                            Some(_) => drop(holding.licences.remove(&moved.sku)),
                            None => holding.licences.clear(),
                        }
                    }
                }
            }
            Payload::PersonsMerged(merged) => {
                for (one, other) in [(merged.person, merged.with), (merged.with, merged.person)] {
                    if state.is_me(subject, one) && one != other {
                        state.merged_with.insert(other);
                    }
                }
            }
            Payload::PersonErased(erased) => {
                let mut persons = erased.also.iter().chain([&erased.person]);
                if persons.any(|person| state.is_me(subject, *person)) {
                    state.erased_at = state.erased_at.or(Some(event.occurred_at.start));
                }
            }
            Payload::PersonalDataRevealed(revealed) => {
                let mut persons = revealed.persons.iter();
                let shown = persons.any(|person| state.is_me(subject, *person));
                state.revealed += usize::from(shown);
            }
            Payload::UserAuthenticated(who) => {
                state.uses(subject, who.user.id, who.machine.id, who.tenant.as_ref());
            }
            Payload::SeatProvisioned(given) => {
                state.uses(
                    subject,
                    given.user.id,
                    given.machine.id,
                    Some(&given.tenant),
                );
            }
            Payload::MachineRegistered(given) => {
                state.uses(
                    subject,
                    given.user.id,
                    given.machine.id,
                    Some(&given.tenant),
                );
            }
            Payload::SeatLicensed(licensed) => {
                if let Some(user) = &licensed.user {
                    state.uses(
                        subject,
                        user.id,
                        licensed.machine.id,
                        licensed.tenant.as_ref(),
                    );
                }
            }
            Payload::SeatRevalidated(again) => {
                if let Some(user) = &again.user {
                    state.uses(subject, user.id, again.machine.id, again.tenant.as_ref());
                }
            }
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailScheduled ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgentStarted AgreementRenewedAs BypassTransitioned
                CaseClosed ClockSkewObserved ConfirmationGiven CreditConsumed CreditExpired
                CreditForfeited CreditLotActivated CustomerRegistered CustomersRelated
                DelegatedAdminGranted DelegatedAdminRevoked DesktopSetupRun
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed
                IdentityVerified ImportRecorded IncarnationBegun KeyEntered KeyIssued
                KeyReissued KeyRejected LicenseStateObserved MachineBumped MachineKeyIssued
                NotifierStarted OfficeInstalled OnlineServicesIdAdded OrderCancelled
                OrderRelayed OrderReturned PartnerRegistered PartyNotified ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                RevalidationFailed ScenarioAssessed SeatReset SeatResetRequested SeatsAdded
                SeatsReduced SeatsTransferred ServicesAutoAssigned ServicesBoundToTenant
                SessionEnded SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionStarted SubscriptionsReviewed
                SupportEscalated TblParametersSet TenantCreated TenantObserved
                TenantRemapped TenantRetired TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted UserNotified UserPrompted
            ] => {}
        }
    }

    fn view(state: &State, subject: &Subject, seen: &Seen<'_>) -> Option<PersonView> {
        let holds = |until: &Option<Timestamp>| until.is_none_or(|until| seen.now() < until);
        let roles = state.tenant_roles.iter();
        let roles = roles.filter(|((_, role), until)| administers(*role) && holds(until));
        let tenants = state.tenants.keys();
        let in_tenant = |tenant: &TenantId| (tenant.clone(), state.in_tenant(tenant, seen));
        Some(PersonView {
            person: subject.id.clone(),
            contact_of: without_empty(&state.contact_of),
            contact_on_orders: state.contact_on_orders.clone(),
            vl_roles: without_empty(&state.vl_roles),
            administers: roles.map(|((tenant, _), _)| tenant.clone()).collect(),
            received: state.received.clone(),
            forwarded_to: state.forwarded_to.clone(),
            sessions: state.sessions.len(),
            redemptions: state.redemptions.clone(),
            keys_received: state.keys_received,
            cases: state.cases.clone(),
            authorised: state.authorised.clone(),
            merged_with: state.merged_with.clone(),
            erased_at: state.erased_at,
            revealed: state.revealed,
            tenants: tenants.map(in_tenant).collect(),
        })
    }
}

impl State {
    fn uses(
        &mut self,
        subject: &Subject,
        user: PersonId,
        machine: MachineId,
        tenant: Option<&TenantId>,
    ) {
        if self.is_me(subject, user) {
            self.machines.insert(machine);
            if let Some(tenant) = tenant {
                self.holding(tenant);
            }
        }
    }
}

fn without_empty<K: Ord + Clone, V: Ord + Clone>(
    roles: &BTreeMap<K, BTreeSet<V>>,
) -> BTreeMap<K, BTreeSet<V>> {
    let held = roles.iter().filter(|(_, roles)| !roles.is_empty());
    held.map(|(of, roles)| (of.clone(), roles.clone()))
        .collect()
}
