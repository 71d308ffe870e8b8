//! What the events of one machine say: shared by the rules about seats.
//!
//! A machine reports by its own clock, which can be days off without anybody noticing (E15). What the
//! service grants is counted by the clock of the service, so a success is placed where its term says
//! that it was, and nothing runs on a machine before the first install, whatever the clock says.

use ledger::event::{Event, Payload};
use ledger::id::TenantId;
use ledger::secret::PersonId;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use projections::policy::MACHINE_KEY_DAYS;

/// What is known of a machine since its present install.
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
    /// Until when it is licensed at the longest, and the event that says so.
    pub licensed: Option<(Timestamp, &'s Event)>,
    /// How long a success licenses it, in days.
    ttl_days: i64,
    /// How many installs and starts of the agent are on record.
    installs: usize,
    starts: usize,
    /// Failures to revalidate since it last succeeded.
    pub failures: Vec<&'s Event>,
    /// The last sign of life of any kind.
    pub last: Option<&'s Event>,
    /// Why it does not count any more: bumped, reset, deprovisioned or cancelled.
    pub out: Option<&'s Event>,
}

impl<'s> Machine<'s> {
    fn new(ttl_days: i64) -> Self {
        Self {
            user: None,
            tenant: None,
            installed: None,
            agent: None,
            notifier: None,
            component: None,
            missing: None,
            licensed: None,
            ttl_days,
            installs: 0,
            starts: 0,
            failures: Vec::new(),
            last: None,
            out: None,
        }
    }

    /// Whether there was a start of the agent for every install, in whatever order clocks put them.
    pub fn starts_every_time(&self) -> bool {
        self.starts >= self.installs
    }

    /// When the service last licensed it, by the clock of the service.
    pub fn served(&self) -> Option<Timestamp> {
        let (until, event) = self.licensed?;
        Some(self.served_at(event, until))
    }

    /// When the service granted a term: no later than the report says, and no later than the term
    /// allows.
    pub fn served_at(&self, event: &Event, until: Timestamp) -> Timestamp {
        let by_term = until.plus_days(-self.ttl_days);
        by_term.min(event.occurred_at.start)
    }

    /// Reads the events that name a machine, in fold order.
    pub fn of(subject: &Subject, events: impl Iterator<Item = &'s Event>) -> Self {
        let mut machine = Self::new(MACHINE_KEY_DAYS);
        for event in events {
            machine.take(subject, event);
        }
        machine
    }

    fn take(&mut self, subject: &Subject, event: &'s Event) {
        use ledger::event::word::RevalidationFailure as Cause;
        if let Payload::OfficeInstalled(_) = &event.payload {
            if self.installed.is_some() {
                *self = Self {
                    installs: self.installs,
                    starts: self.starts,
                    ..Self::new(self.ttl_days)
                };
            }
            self.installs += 1;
            self.installed = Some(event);
        } else if let Payload::AgentStarted(_) = &event.payload {
            self.agent = Some(event);
            self.starts += 1;
            self.missing = None;
        } else if let Payload::MachineKeyIssued(issued) = &event.payload {
            self.ttl_days = i64::from(issued.ttl_days.0);
        } else if let Payload::TblParametersSet(set) = &event.payload {
            self.ttl_days = i64::from(set.ttl_days.0);
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
                _ if self.was_served_since(event) => {}
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
                installs: self.installs,
                starts: self.starts,
                out: Some(event),
                ..Self::new(self.ttl_days)
            };
        }
        self.last = Some(event);
    }

    fn attach(&mut self, user: Option<PersonId>, tenant: Option<&'s TenantId>) {
        self.user = self.user.or(user);
        self.tenant = self.tenant.or(tenant);
    }

    /// Whether a success that is already known came after an event, by the clock of the service.
    fn was_served_since(&self, event: &Event) -> bool {
        self.served()
            .is_some_and(|served| served >= event.occurred_at.start)
    }

    fn license(&mut self, until: Timestamp, event: &'s Event) {
        if self.licensed.is_none_or(|(before, _)| until >= before) {
            self.licensed = Some((until, event));
        }
        self.failures.clear();
        self.missing = None;
        // Whoever takes a place back does so by the clock of the service.
        let served = self.served_at(event, until);
        self.out = self.out.filter(|out| served < out.occurred_at.start);
    }
}

/// A machine for people: the beginning of its pseudonym.
pub(super) fn shown(subject: &Subject) -> String {
    let short: String = subject.id.chars().take(8).collect();
    format!("Machine {short}…")
}
