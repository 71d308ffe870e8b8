//! Where facts wait for their turn to be written.
//!
//! A line is written when the simulated clock passes its arrival. Arrival is when it happened, or,
//! for a tenth of the facts, hours to weeks later. What waits is bounded by how much happens within
//! the longest delay, not by the length of the run. What noise does to a record it does here, before
//! the record waits. The lines of a staged scene are held back until the scene is over, so that it is
//! told as a whole or not at all.

use super::cast::Person;
use super::label::Label;
use super::line::{Fields, put};
use super::noise::{Fate, Noise};
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

impl System {
    /// Whether its clock is that of some machine in an office.
    pub fn is_a_machines(self) -> bool {
        [Self::AGENT, Self::OSPP, Self::VNEXTDIAG]
            .iter()
            .any(|machine| machine.name == self.name)
    }

    /// Whether it says who signed in, or which mail went where.
    pub fn is_of_sign_ins(self) -> bool {
        [Self::SIGN_IN, Self::MAIL]
            .iter()
            .any(|log| log.name == self.name)
    }
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
            self.out.cut = true;
            return record;
        }
        let arrival = self.arrival.or(self.out.told_at.filter(|at| self.at < *at));
        let observed = arrival.or_else(|| self.out.delay(self.at, self.system.precision));
        let Some(fate) = self.out.fate(self.kind, self.system, self.at) else {
            self.out.lost(self.kind, record, self.correlation);
            return record;
        };
        let mut text = String::with_capacity(480);
        Fields::object(&mut text, |f| {
            f.text("kind", self.kind);
            self.envelope(f, record, fate.says, observed);
            f.record("data", fields);
        });
        let arrival = fate.arrives(observed.unwrap_or(self.at));
        if let Some((after, by_another)) = fate.again {
            let again = match by_another {
                true => self.as_another_system_says(&text, record),
                false => text.clone(),
            };
            self.out.wait(plus_seconds(arrival, after), again);
        }
        self.out.wait(arrival, text);
        record
    }

    /// The same fact as the record of a system that copies this one.
    fn as_another_system_says(&self, text: &str, record: u64) -> String {
        let source = |system: &str| {
            let record = record_name(record);
            format!("\"source\":{{\"system\":\"{system}\",\"record\":\"{record}\"}}")
        };
        let copying = format!("{}-warehouse", self.system.name);
        text.replacen(&source(self.system.name), &source(&copying), 1)
    }

    fn envelope(
        &self,
        f: &mut Fields<'_>,
        record: u64,
        says: Timestamp,
        observed: Option<Timestamp>,
    ) {
        match self.system.precision {
            Precision::Instant => f.instant("occurred_at", says),
            Precision::Day => f.date("occurred_at", says.date()),
            Precision::Minute => {
                let text = says.to_string();
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
    /// How many lines have waited: it is no number of the world, which is the same whatever the noise
    /// says again.
    waited: u64,
    random: Random,
    serial: u64,
    horizon: Timestamp,
    noise: Noise,
    noise_random: Random,
    lost: Vec<Lost>,
    staged: Option<Staged>,
    cut: bool,
    told_at: Option<Timestamp>,
    landings: u32,
    labels: Vec<Label>,
}

/// The lines of a scene that is being staged: arrival, number, text.
pub type Staged = Vec<(Timestamp, u64, String)>;

/// A record that the noise lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Of which kind.
    pub kind: &'static str,
    /// Its number.
    pub record: u64,
    /// What it belonged together with.
    pub correlation: Option<String>,
}

impl Outbox {
    /// An empty one; what happens at the horizon or later is never written.
    pub fn new(seed: u64, horizon: Timestamp, noise: Noise) -> Self {
        Self {
            waiting: BinaryHeap::new(),
            waited: 0,
            random: Random::new(seed, u64::MAX),
            serial: 0,
            horizon,
            noise,
            noise_random: Random::new(seed, u64::MAX - 2),
            lost: Vec::new(),
            staged: None,
            cut: false,
            told_at: None,
            landings: 0,
            labels: Vec::new(),
        }
    }

    /// Begins a scene: its lines are held back until [`Outbox::played`].
    pub fn stage(&mut self) {
        self.staged = Some(Staged::new());
        self.cut = false;
    }

    /// Ends a scene and returns its lines; `None` if the run ends before the scene does.
    pub fn played(&mut self) -> Option<Staged> {
        self.told_at = None;
        self.staged.take().filter(|_| !self.cut)
    }

    /// Lets the lines of a scene out.
    pub fn release(&mut self, staged: Staged) {
        self.waiting.extend(staged.into_iter().map(Reverse));
    }

    /// What happened before `at` comes to be known only then: old records that a source brings.
    pub fn tell_at(&mut self, at: Timestamp) {
        self.told_at = Some(at);
    }

    /// Labels a mistake of an ordinary story, which is compensated later: the kinds that hold for it.
    pub fn label(&mut self, label: Label) {
        self.labels.push(label);
    }

    /// The labels of ordinary stories since the last call.
    pub fn take_labels(&mut self) -> Vec<Label> {
        std::mem::take(&mut self.labels)
    }

    /// Counts a landing.
    pub fn landed(&mut self) {
        self.landings += 1;
    }

    /// The landings since the last call.
    pub fn take_landings(&mut self) -> u32 {
        std::mem::take(&mut self.landings)
    }

    /// The records that were lost since the last call.
    pub fn take_lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    /// How noisy the sources are.
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    fn fate(&mut self, kind: &str, system: System, at: Timestamp) -> Option<Fate> {
        if self.noise == Noise::NONE {
            return Some(Fate::undisturbed(at));
        }
        self.noise.fate(&mut self.noise_random, kind, system, at)
    }

    fn lost(&mut self, kind: &'static str, record: u64, correlation: Option<&str>) {
        self.lost.push(Lost {
            kind,
            record,
            correlation: correlation.map(str::to_owned),
        });
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
        self.waited += 1;
        let number = self.waited;
        match &mut self.staged {
            Some(staged) => staged.push((arrival, number, text)),
            None => self.waiting.push(Reverse((arrival, number, text))),
        }
    }
}

/// An instant moved by whole seconds.
pub fn plus_seconds(at: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + i64::from(seconds) * 1_000_000)
}
