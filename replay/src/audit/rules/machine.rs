//! What the events of one machine say: shared by the rules about seats.

use ledger::event::{Event, Payload};
use ledger::id::TenantId;
use ledger::secret::PersonId;
use ledger::subject::Subject;
use ledger::time::Timestamp;

/// What is known of a machine since its present install.
#[derive(Default)]
pub(super) struct Machine<'s> {
    /// Who uses it: the first sign-in since the install decides (R26).
    pub user: Option<PersonId>,
    /// Under which tenant.
    pub tenant: Option<&'s TenantId>,
    /// The install itself.
    pub installed: Option<&'s Event>,
    /// The agent's core service started.
    pub agent: Option<&'s Event>,
    /// The notifier started.
    pub notifier: Option<&'s Event>,
    /// The first other sign of life of the components on the machine.
    pub component: Option<&'s Event>,
    /// The last failure because a component was missing, with none started since.
    pub missing: Option<&'s Event>,
    /// Until when it is licensed, and the event that says so.
    pub licensed: Option<(Timestamp, &'s Event)>,
    /// Failures to revalidate since it last succeeded.
    pub failures: Vec<&'s Event>,
    /// The last sign of life of any kind.
    pub last: Option<&'s Event>,
    /// Why it does not count any more: bumped, reset, deprovisioned or cancelled.
    pub out: Option<&'s Event>,
}

impl<'s> Machine<'s> {
    /// Reads the events that name a machine, in fold order.
    pub fn of(subject: &Subject, events: impl Iterator<Item = &'s Event>) -> Self {
        let mut machine = Self::default();
        for event in events {
            machine.take(subject, event);
        }
        machine
    }

    fn take(&mut self, subject: &Subject, event: &'s Event) {
        use ledger::event::word::RevalidationFailure as Cause;
        if let Payload::OfficeInstalled(_) = &event.payload {
            *self = Self {
                installed: Some(event),
                ..Self::default()
            };
        } else if let Payload::AgentStarted(_) = &event.payload {
            self.agent = Some(event);
            self.missing = None;
        } else if let Payload::NotifierStarted(_) = &event.payload {
            self.notifier = Some(event);
            self.missing = None;
        } else if let Payload::DesktopSetupRun(_)
        | Payload::UserPrompted(_)
        | Payload::UserNotified(_) = &event.payload
        {
            self.component = self.component.or(Some(event));
        } else if let Payload::UserAuthenticated(who) = &event.payload {
            self.attach(Some(who.user.id), who.tenant.as_ref());
        } else if let Payload::SeatProvisioned(given) = &event.payload {
            self.attach(Some(given.user.id), Some(&given.tenant));
            self.out = None;
        } else if let Payload::MachineRegistered(registered) = &event.payload {
            self.attach(Some(registered.user.id), Some(&registered.tenant));
            self.out = None;
        } else if let Payload::SeatLicensed(licensed) = &event.payload {
            let user = licensed.user.as_ref().map(|user| user.id);
            self.attach(user, licensed.tenant.as_ref());
            self.license(licensed.valid_until, event);
        } else if let Payload::SeatRevalidated(again) = &event.payload {
            let user = again.user.as_ref().map(|user| user.id);
            self.attach(user, again.tenant.as_ref());
            self.license(again.valid_until, event);
        } else if let Payload::RevalidationFailed(failed) = &event.payload {
            match failed.cause {
                Cause::Bumped | Cause::Deprovisioned | Cause::Cancelled => self.out = Some(event),
                Cause::ComponentMissing => {
                    self.missing = Some(event);
                    self.failures.push(event);
                }
                Cause::Offline | Cause::Clock | Cause::Service | Cause::Authentication => {
                    self.failures.push(event);
                }
            }
        } else if let Payload::MachineBumped(bumped) = &event.payload {
            if ledger::event::subject_of(&bumped.machine.id) != *subject {
                return;
            }
            self.out = Some(event);
        } else if let Payload::SeatReset(_) = &event.payload {
            *self = Self {
                installed: self.installed,
                agent: self.agent,
                notifier: self.notifier,
                out: Some(event),
                ..Self::default()
            };
        }
        self.last = Some(event);
    }

    fn attach(&mut self, user: Option<PersonId>, tenant: Option<&'s TenantId>) {
        self.user = self.user.or(user);
        self.tenant = self.tenant.or(tenant);
    }

    fn license(&mut self, until: Timestamp, event: &'s Event) {
        self.licensed = Some((until, event));
        self.failures.clear();
        self.missing = None;
        self.out = None;
    }
}

/// A machine for people: the beginning of its pseudonym.
pub(super) fn shown(subject: &Subject) -> String {
    let short: String = subject.id.chars().take(8).collect();
    format!("Machine {short}…")
}
