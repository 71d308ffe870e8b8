//! Where facts wait for their turn to be written.
//!
//! A line is written when the simulated clock passes its arrival. Arrival is when it happened, or,
//! for a tenth of the facts, hours to weeks later. What waits is bounded by how much happens within
//! the longest delay, not by the length of the run.

use super::cast::Person;
use super::line::{Fields, put};
use super::random::Random;
use ledger::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Share of the facts that arrive late.
const LATE_PER_THOUSAND: u32 = 100;

/// A system that says facts: its name, and how precisely it knows the time.
#[derive(Debug, Clone, Copy)]
pub struct System {
    name: &'static str,
    precision: Precision,
}

#[derive(Debug, Clone, Copy)]
enum Precision {
    Instant,
    Minute,
    Day,
}

macro_rules! systems {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal, $precision:ident;)+) => {
        impl System {
            $($(#[doc = $doc])+ pub const $constant: Self =
                Self { name: $name, precision: Precision::$precision };)+
        }
    };
}

systems! {
    /// The register of customers and partners.
    REGISTER = "customer-register", Day;
    /// The desk for agreements and their contacts.
    AGREEMENTS = "agreement-desk", Day;
    /// The desk for orders and keys.
    ORDERS = "order-desk", Day;
    /// What distributors send.
    DISTRIBUTION = "distributor-feed", Day;
    /// The trace of sent mail.
    MAIL = "mail-trace", Minute;
    /// The log of sign-ins.
    SIGN_IN = "sign-in-log", Instant;
    /// The portal for activations.
    PORTAL = "activation-portal", Instant;
    /// The admin center.
    ADMIN = "admin-center", Instant;
    /// The audit log of the directory.
    DIRECTORY = "directory-audit", Instant;
    /// The service that manages subscriptions, users and computers.
    SUBSCRIPTIONS = "subscription-service", Instant;
    /// The subscription agent on a machine.
    AGENT = "subscription-agent", Instant;
    /// The tool that prints licence states.
    OSPP = "ospp", Minute;
    /// The newer tool that prints licence states with their tenant.
    VNEXTDIAG = "vnextdiag", Minute;
    /// Usage of Azure credit.
    AZURE = "azure-billing", Day;
    /// The desk for support cases.
    SUPPORT = "support-desk", Minute;
    /// The desk that judges findings.
    REVIEW = "review-desk", Minute;
    /// Importers of the ledger.
    IMPORTER = "importer", Instant;
    /// Records kept from before.
    ARCHIVE = "archive", Day;
}

/// Who does something, for the envelope.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The sort of actor, a word of `ActorKind`.
    pub kind: &'static str,
    /// The person.
    pub person: Option<&'a Person>,
    /// The partner that the person works for.
    pub partner: Option<&'a str>,
    /// The person's own tenant.
    pub home_tenant: Option<&'a str>,
    /// The roles held, words of `TenantRole`.
    pub roles: &'static [&'static str],
}

impl<'a> By<'a> {
    /// The vendor's own systems.
    pub const VENDOR: By<'static> = By::kind("Microsoft");
    /// A service.
    pub const SERVICE: By<'static> = By::kind("Service");
    /// The vendor's support.
    pub const SUPPORT: By<'static> = By::kind("Support");

    const fn kind(kind: &'static str) -> Self {
        Self {
            kind,
            person: None,
            partner: None,
            home_tenant: None,
            roles: &[],
        }
    }

    /// Somebody of the customer.
    pub fn customer(person: &'a Person, home_tenant: Option<&'a str>) -> Self {
        Self {
            person: Some(person),
            home_tenant,
            ..Self::kind("Customer")
        }
    }

    /// The agent on a machine, for its user; the reseller manages some customers' machines.
    pub fn agent(user: &'a Person, tenant: &'a str, partner: Option<&'a str>) -> Self {
        Self {
            person: Some(user),
            partner,
            home_tenant: Some(tenant),
            ..Self::kind("Agent")
        }
    }

    /// A partner or distributor.
    pub fn company(kind: &'static str, partner: &'a str, person: Option<&'a Person>) -> Self {
        Self {
            person,
            partner: Some(partner),
            ..Self::kind(kind)
        }
    }
}

/// A fact that is being put together; [`Draft::data`] says it.
#[must_use = "a draft is said by `data`"]
pub struct Draft<'a> {
    out: &'a mut Outbox,
    kind: &'static str,
    at: Timestamp,
    system: System,
    by: Option<By<'a>>,
    correlation: Option<&'a str>,
    causation: Option<u64>,
    corrects: Option<u64>,
    policies: &'a [&'static str],
    arrival: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    /// Who did it.
    pub fn by(mut self, by: By<'a>) -> Self {
        self.by = Some(by);
        self
    }

    /// What it belongs together with.
    pub fn with(mut self, correlation: &'a str) -> Self {
        self.correlation = Some(correlation);
        self
    }

    /// The record of the same system that caused it.
    pub fn because_of(mut self, record: u64) -> Self {
        self.causation = Some(record);
        self
    }

    /// The record of the same system that it replaces.
    pub fn corrects(mut self, record: u64) -> Self {
        self.corrects = Some(record);
        self
    }

    /// The policies that decided it, each at version 1.
    pub fn policies(mut self, policies: &'a [&'static str]) -> Self {
        self.policies = policies;
        self
    }

    /// When an old record came to be known.
    pub fn known_at(mut self, arrival: Timestamp) -> Self {
        self.arrival = Some(arrival);
        self
    }

    /// Says the fact with its fields, and returns the number of its record.
    pub fn data(self, fields: impl FnOnce(&mut Fields<'_>)) -> u64 {
        let record = self.out.serial();
        if self.at >= self.out.horizon {
            return record;
        }
        let observed = self
            .arrival
            .or_else(|| self.out.delay(self.at, self.system.precision));
        let mut text = String::with_capacity(480);
        Fields::object(&mut text, |f| {
            f.text("kind", self.kind);
            self.envelope(f, record, observed);
            f.record("data", fields);
        });
        self.out.wait(observed.unwrap_or(self.at), text);
        record
    }

    fn envelope(&self, f: &mut Fields<'_>, record: u64, observed: Option<Timestamp>) {
        match self.system.precision {
            Precision::Instant => f.instant("occurred_at", self.at),
            Precision::Day => f.date("occurred_at", self.at.date()),
            Precision::Minute => {
                let text = self.at.to_string();
                let minute = text.get(..16).unwrap_or(&text);
                f.text("occurred_at", &format!("{minute}Z"))
            }
        };
        if let Some(observed) = observed {
            f.instant("observed_at", observed);
        }
        if let Some(by) = &self.by {
            f.record("actor", |f| actor(f, by));
        }
        f.record("source", |f| {
            f.text("system", self.system.name);
            f.text("record", &record_name(record));
        });
        f.maybe("correlation", self.correlation);
        for (name, reference) in [("causation", self.causation), ("corrects", self.corrects)] {
            if let Some(reference) = reference {
                f.text(name, &record_name(reference));
            }
        }
        if !self.policies.is_empty() {
            f.records("policies", self.policies, |f, name| {
                f.text("name", name).number("version", 1);
            });
        }
    }
}

fn actor(f: &mut Fields<'_>, by: &By<'_>) {
    f.text("kind", by.kind);
    if let Some(person) = by.person {
        f.person("person", person);
    }
    f.maybe("partner", by.partner);
    f.maybe("home_tenant", by.home_tenant);
    if !by.roles.is_empty() {
        f.texts("roles", by.roles.iter().copied());
    }
}

fn record_name(record: u64) -> String {
    let mut text = String::with_capacity(12);
    put(&mut text, format_args!("r-{record}"));
    text
}

/// The facts that were said and not written yet.
pub struct Outbox {
    waiting: BinaryHeap<Reverse<(Timestamp, u64, String)>>,
    random: Random,
    serial: u64,
    horizon: Timestamp,
}

impl Outbox {
    /// An empty one; what happens at the horizon or later is never written.
    pub fn new(seed: u64, horizon: Timestamp) -> Self {
        Self {
            waiting: BinaryHeap::new(),
            random: Random::new(seed, u64::MAX),
            serial: 0,
            horizon,
        }
    }

    /// Begins a fact.
    pub fn fact<'a>(&'a mut self, kind: &'static str, at: Timestamp, system: System) -> Draft<'a> {
        Draft {
            out: self,
            kind,
            at,
            system,
            by: None,
            correlation: None,
            causation: None,
            corrects: None,
            policies: &[],
            arrival: None,
        }
    }

    /// A number that no other record or identifier has.
    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new identifier with a prefix.
    pub fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}-{:06}", self.serial())
    }

    /// The next line that arrives before `limit`; any line if there is no limit.
    pub fn next_before(&mut self, limit: Option<Timestamp>) -> Option<String> {
        let Reverse((arrival, _, _)) = self.waiting.peek()?;
        if limit.is_some_and(|limit| *arrival >= limit) {
            return None;
        }
        self.waiting.pop().map(|Reverse((_, _, text))| text)
    }

    /// When a fact arrives, if it is late.
    fn delay(&mut self, at: Timestamp, precision: Precision) -> Option<Timestamp> {
        let random = &mut self.random;
        if !random.chance(LATE_PER_THOUSAND) {
            return None;
        }
        const HOUR: u32 = 3600;
        // What is known to the day is late only when the day is over.
        let least = match precision {
            Precision::Instant | Precision::Minute => 2 * HOUR,
            Precision::Day => 25 * HOUR,
        };
        let seconds = match random.below(10) {
            0..=4 => random.between(least, 48 * HOUR),
            5..=7 => random.between(48 * HOUR, 7 * 24 * HOUR),
            _ => random.between(7 * 24 * HOUR, 35 * 24 * HOUR),
        };
        Some(plus_seconds(at, seconds))
    }

    fn wait(&mut self, arrival: Timestamp, text: String) {
        let number = self.serial();
        self.waiting.push(Reverse((arrival, number, text)));
    }
}

/// An instant moved by whole seconds.
pub fn plus_seconds(at: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + i64::from(seconds) * 1_000_000)
}
