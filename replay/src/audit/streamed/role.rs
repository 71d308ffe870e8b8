//! What the audit of a log needs an event for, and what an event about machines is about.

use ledger::event::protected::{Machine, Person};
use ledger::event::{Event, KindId, Payload};
use ledger::id::TenantId;
use ledger::kinds;
use ledger::secret::{MachineId, PersonId};
use ledger::subject::{Names, Subject};
use std::collections::BTreeMap;

/// What the audit needs events of a kind for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// For the rules about machines and their users alone: nothing of it is evidence about landings.
    Machines,
    /// For those rules and for everything else.
    Both,
    /// For everything else: evidence, and the rules about other subjects.
    Rest,
    /// As evidence, or to be counted: no rule reads the event itself once the evidence is gathered.
    Told,
}

impl Role {
    /// The role of events of a kind.
    pub fn of(payload: &Payload) -> Self {
        match payload {
            kinds![
                AgentStarted ClockSkewObserved DesktopSetupRun LicenseStateObserved MachineBumped
                MachineKeyIssued MachineRegistered NotifierStarted OfficeInstalled
                RevalidationFailed SeatLicensed SeatProvisioned SeatReset SeatResetRequested
                SeatRevalidated TblParametersSet UserAuthenticated UserNotified UserPrompted
            ] => Self::Machines,
            kinds![
                LicensesAssigned LicensesUnassigned PersonsMerged SeatsReassigned UserDeprovisioned
                UserReprovisioned
            ] => Self::Both,
            kinds![SessionEnded SessionStarted SubscriptionsReviewed] => Self::Told,
            kinds![
                AccountProfileCreated AcknowledgementShown ActivationEmailBounced
                ActivationEmailDelivered ActivationEmailForwarded ActivationEmailResent
                ActivationEmailScheduled ActivationEmailSent ActivationEmailSuppressed
                ActivationLinkExpired ActivationLinkOpened ActivationLinkReactivated
                ActivationStatusObserved AgreementRenewedAs AgreementSigned
                AuthorizationReceived BypassTransitioned CaseClosed CaseOpened ConfirmationGiven
                ContactChanged CreditConsumed CreditExpired CreditForfeited CreditLotActivated
                CustomerRegistered CustomersRelated DelegatedAdminGranted DelegatedAdminRevoked
                DomainOptionChosen DomainRemoved DomainVerified EndDateCorrected
                ExistingSubscriptionsShown FindingConfirmed FindingDismissed IdentityVerified
                ImportRecorded IncarnationBegun KeyEntered KeyIssued KeyReissued KeyRejected
                KeyRevealed KeysRedeemed OnlineServicesIdAdded OrderAmended OrderCancelled
                OrderPlaced OrderRelayed OrderReturned PartnerRegistered PartyNotified
                PersonErased PersonalDataRevealed ProfileEntered
                ProvisioningConfirmed RedemptionAbandoned RedemptionModeChosen
                RedemptionOutcomeDiverged RedemptionReversed RedemptionReviewed
                RedemptionStarted RedemptionSubmitted ReservationCancelled ReservationPlaced
                ScenarioAssessed SeatsAdded SeatsReduced SeatsTransferred ServicesAutoAssigned
                ServicesBoundToTenant SignInChosen SignUpChosen SourceRecordKept
                SubscriptionCancelled SubscriptionDeleted SubscriptionDisabled
                SubscriptionExpired SubscriptionObserved SubscriptionReactivated
                SubscriptionRenewed SubscriptionStarted SupportEscalated TenantCreated
                TenantObserved TenantRemapped TenantRetired TenantRoleAssigned
                TenantRoleRemoved TrialAbandoned TrialConverted TrialDataDeleted
                TrialDeletionAdvised TrialExpired TrialStarted VlRoleAssigned VlRoleRemoved
            ] => Self::Rest,
        }
    }

    /// Whether the rules about machines read events of the role.
    pub fn is_of_machines(self) -> bool {
        match self {
            Self::Machines | Self::Both => true,
            Self::Rest | Self::Told => false,
        }
    }
}

/// The roles of kinds, each found by the first event of its kind.
#[derive(Debug, Default)]
pub struct Roles(BTreeMap<KindId, Role>);

impl Roles {
    /// The role of a kind, of which a stored event is given. Decodes the first one of each kind, which can fail.
    pub fn of(&mut self, kind: KindId, stored: &[u8]) -> Result<Role, String> {
        if let Some(role) = self.0.get(&kind) {
            return Ok(*role);
        }
        let event = Event::decode(stored).map_err(|error| error.to_string())?;
        let role = Role::of(&event.payload);
        self.0.insert(kind, role);
        Ok(role)
    }
}

/// A machine, user or tenant that an event names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Thing<'e> {
    /// A machine.
    Machine(MachineId),
    /// A person.
    Person(PersonId),
    /// A tenant.
    Tenant(&'e TenantId),
}

impl Thing<'_> {
    /// It as a subject.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Machine(machine) => machine.subject(),
            Self::Person(person) => person.subject(),
            Self::Tenant(tenant) => tenant.subject(),
        }
    }
}

/// The machines, persons and tenants that an event names which the rules about machines read: the same as
/// its subjects of these kinds but the actor's own tenant, each once, without making a text of any.
pub fn named<'e>(event: &'e Event, things: &mut Vec<Thing<'e>>) {
    things.clear();
    let mut named = Named(things);
    named.payload(&event.payload);
    if let Some(actor) = &event.actor {
        named.person(actor.person.as_ref());
    }
}

struct Named<'t, 'e>(&'t mut Vec<Thing<'e>>);

impl<'e> Named<'_, 'e> {
    fn add(&mut self, thing: Thing<'e>) {
        // An event names a handful of things; the users of a large assignment are looked through once.
        if self.0.len() > 16 || !self.0.contains(&thing) {
            self.0.push(thing);
        }
    }

    fn machine(&mut self, machine: &Machine) {
        self.add(Thing::Machine(machine.id));
    }

    fn person(&mut self, person: Option<&Person>) {
        if let Some(person) = person {
            self.add(Thing::Person(person.id));
        }
    }

    fn tenant(&mut self, tenant: Option<&'e TenantId>) {
        if let Some(tenant) = tenant {
            self.add(Thing::Tenant(tenant));
        }
    }

    fn users(&mut self, tenant: &'e TenantId, users: &[Person]) {
        self.tenant(Some(tenant));
        users.iter().for_each(|user| self.person(Some(user)));
        if self.0.len() > 16 {
            let mut seen = std::collections::HashSet::new();
            self.0.retain(|thing| seen.insert(thing.clone()));
        }
    }

    fn payload(&mut self, payload: &'e Payload) {
        if let Payload::SeatRevalidated(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
            self.tenant(of.tenant.as_ref());
        } else if let Payload::LicenseStateObserved(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
            self.tenant(of.tenant.as_ref());
        } else if let Payload::SeatLicensed(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
            self.tenant(of.tenant.as_ref());
        } else if let Payload::UserAuthenticated(of) = payload {
            self.machine(&of.machine);
            self.person(Some(&of.user));
            self.tenant(of.tenant.as_ref());
        } else if let Payload::SeatProvisioned(of) = payload {
            self.machine(&of.machine);
            self.person(Some(&of.user));
            self.tenant(Some(&of.tenant));
        } else if let Payload::MachineRegistered(of) = payload {
            self.machine(&of.machine);
            self.person(Some(&of.user));
            self.tenant(Some(&of.tenant));
        } else if let Payload::MachineBumped(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
            self.tenant(of.tenant.as_ref());
            self.machine(&of.beneficiary);
        } else if let Payload::UserPrompted(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
        } else if let Payload::UserNotified(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
        } else if let Payload::NotifierStarted(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
        } else if let Payload::SeatResetRequested(of) = payload {
            self.machine(&of.machine);
            self.person(of.user.as_ref());
        } else if let Payload::OfficeInstalled(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::AgentStarted(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::DesktopSetupRun(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::MachineKeyIssued(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::TblParametersSet(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::RevalidationFailed(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::SeatReset(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::ClockSkewObserved(of) = payload {
            self.machine(&of.machine);
        } else if let Payload::LicensesAssigned(of) = payload {
            self.users(&of.tenant, &of.users);
        } else if let Payload::LicensesUnassigned(of) = payload {
            self.users(&of.tenant, &of.users);
        } else if let Payload::UserDeprovisioned(of) = payload {
            self.tenant(Some(&of.tenant));
            self.person(Some(&of.user));
        } else if let Payload::UserReprovisioned(of) = payload {
            self.tenant(Some(&of.tenant));
            self.person(Some(&of.user));
        } else if let Payload::PersonsMerged(of) = payload {
            self.add(Thing::Person(of.person));
            self.add(Thing::Person(of.with));
            self.person(of.by.as_ref());
        } else if let Payload::SeatsReassigned(of) = payload {
            self.tenant(Some(&of.tenant));
            self.tenant(of.from_tenant.as_ref());
            self.users(&of.tenant, &of.users);
        }
    }
}
