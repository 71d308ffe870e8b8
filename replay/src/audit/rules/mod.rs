//! The audit rules: one file and one registry line each.
//!
//! A rule judges one landing, or one subject. It sees the evidence and the other landings, and says
//! whether it fires, how badly, and which events speak for and against; or why it is silent. Rules
//! share nothing but that.

mod cho001;
mod cho002;
mod cho003;
mod cho004;
mod cho005;
mod choice;
mod eml001;
mod eml002;
mod eml003;
mod eml004;
mod eml005;
mod eml006;
mod eml007;
mod eml008;
mod fleet;
mod held;
mod inv001;
mod inv002;
mod inv003;
mod inv004;
mod inv005;
mod inv006;
mod inv007;
mod inv008;
mod inv009;
mod inv010;
mod inv011;
mod inv012;
mod inv013;
mod inv014;
mod inv015;
mod inv016;
mod inv017;
mod machine;
mod mail;
mod rev001;
mod rev002;
mod sea001;
mod sea002;
mod sea003;
mod sea004;
mod sea005;
mod sea006;
mod sea007;
mod wtr001;
mod wtr002;
mod wtr003;
mod wtr004;
mod wtr005;
mod wtr006;
mod wtr007;
mod wtr008;
mod wtr009;
mod wtr010;
mod wtr011;
mod wtr012;
mod wtr013;
mod wtr014;
mod wtr015;
mod wtr016;
mod wtr017;
mod wtr018;
mod wtr019;
mod wtr020;
mod wtr021;
mod wtr022;
mod wtr023;
mod wtr024;
mod wtr025;
mod wtr026;
mod wtr027;

pub use fleet::Digest;
pub(in crate::audit) use sea004::is_of_seat;

use super::evidence::Evidence;
use super::expectation::{Basis, Expectation, Verdict};
use super::finding::{Confidence, Severity};
use super::landing::Landing;
use super::others::Others;
use ledger::event::Event;
use ledger::id::{CustomerId, EventId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Occurred, Timestamp};
use projections::At;
use std::collections::BTreeSet;

/// Every rule, in the order of their codes.
pub const RULES: &[Rule] = &[
    cho001::RULE,
    cho002::RULE,
    cho003::RULE,
    cho004::RULE,
    cho005::RULE,
    eml001::RULE,
    eml002::RULE,
    eml003::RULE,
    eml004::RULE,
    eml005::RULE,
    eml006::RULE,
    eml007::RULE,
    eml008::RULE,
    inv001::RULE,
    inv002::RULE,
    inv003::RULE,
    inv004::RULE,
    inv005::RULE,
    inv006::RULE,
    inv007::RULE,
    inv008::RULE,
    inv009::RULE,
    inv010::RULE,
    inv011::RULE,
    inv012::RULE,
    inv013::RULE,
    inv014::RULE,
    inv015::RULE,
    inv016::RULE,
    inv017::RULE,
    rev001::RULE,
    rev002::RULE,
    sea001::RULE,
    sea002::RULE,
    sea003::RULE,
    sea004::RULE,
    sea005::RULE,
    sea006::RULE,
    sea007::RULE,
    wtr001::RULE,
    wtr002::RULE,
    wtr003::RULE,
    wtr004::RULE,
    wtr005::RULE,
    wtr006::RULE,
    wtr007::RULE,
    wtr008::RULE,
    wtr009::RULE,
    wtr010::RULE,
    wtr011::RULE,
    wtr012::RULE,
    wtr013::RULE,
    wtr014::RULE,
    wtr015::RULE,
    wtr016::RULE,
    wtr017::RULE,
    wtr018::RULE,
    wtr019::RULE,
    wtr020::RULE,
    wtr021::RULE,
    wtr022::RULE,
    wtr023::RULE,
    wtr024::RULE,
    wtr025::RULE,
    wtr026::RULE,
    wtr027::RULE,
];

/// A named threshold of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: i64,
    /// Its unit.
    pub unit: &'static str,
    /// What it decides.
    pub doc: &'static str,
}

/// One rule: its documentation, and its check.
pub struct Rule {
    /// `WTR` and the number of the W list.
    pub code: &'static str,
    /// A few words.
    pub name: &'static str,
    /// How bad it usually is.
    pub severity: Severity,
    /// What it means when it fires.
    pub meaning: &'static str,
    /// What it needs to know.
    pub needs: &'static str,
    /// What speaks against it.
    pub counter_evidence: &'static str,
    /// When it may be wrong.
    pub false_positives: &'static str,
    /// What to do about it.
    pub compensation: &'static str,
    /// Its thresholds.
    pub parameters: &'static [Parameter],
    /// The fields that it reads, as `Kind.field`; a test checks that they exist.
    pub inputs: &'static [&'static str],
    /// The check.
    pub check: Check,
}

/// How a rule is checked.
#[derive(Clone, Copy)]
pub enum Check {
    /// On every landing. All rules that fire on one landing make one finding.
    Landing(fn(&Case<'_>) -> Result<Hit, Silence>),
    /// On every subject of a kind, with the events that name it. Breaches of one subject with the same
    /// key, by rules of one family, make one finding.
    Subject(SubjectKind, fn(&Scene<'_>) -> Result<Vec<Breach>, Silence>),
    /// Not by a rule of its own: what reports a breach instead, or what keeps it from happening.
    Elsewhere(&'static str),
}

/// Why a rule is silent about what it was shown: half a sentence, for `audit replay --step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence(pub &'static str);

impl From<&'static str> for Silence {
    fn from(why: &'static str) -> Self {
        Self(why)
    }
}

impl Rule {
    /// The rule of a code, in either case.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        RULES
            .iter()
            .find(|rule| rule.code.eq_ignore_ascii_case(code))
    }

    /// Its family: the letters of its code.
    pub fn family(&self) -> &'static str {
        let digits = self.code.find(|letter: char| letter.is_ascii_digit());
        digits.map_or(self.code, |at| self.code.split_at(at).0)
    }
}

const AS_EXPECTED: &str = "it is in the tenant that was expected";

/// One landing before the rules.
pub struct Case<'c> {
    /// The landing.
    pub landing: &'c Landing,
    /// Where it should have gone.
    pub expectation: &'c Expectation,
    /// How it compares.
    pub verdict: Verdict,
    /// The evidence.
    pub evidence: &'c Evidence,
    /// The histories, for the views of what a landing touched; a rule folds one only if the evidence
    /// leaves little else.
    pub at: &'c At<'c>,
    /// The other landings.
    pub others: Others<'c>,
    /// What counts as known.
    pub cutoff: Option<Timestamp>,
}

impl Case<'_> {
    /// What an expectation was made from, to ask more of it.
    pub fn basis(&self) -> Basis<'_> {
        Basis {
            evidence: self.evidence,
            others: self.others,
            cutoff: self.cutoff,
        }
    }

    /// Whether an instant is reached: by the landing for what was known then, else by the audit.
    pub fn has_reached(&self, instant: Timestamp) -> bool {
        match self.cutoff {
            Some(cutoff) => cutoff >= instant,
            None => self.evidence.has_reached(instant),
        }
    }

    /// The histories just before the landing.
    pub fn before(&self) -> At<'_> {
        let before = self.landing.at.start.as_micros().saturating_sub(1);
        self.at.valid_at(Timestamp::from_micros(before))
    }

    /// The name of the tenant that it reached.
    pub fn tenant_name(&self) -> String {
        self.evidence.tenant_name(&self.landing.tenant)
    }

    /// Whose it is, or silence.
    pub fn customer(&self) -> Result<&CustomerId, Silence> {
        let customer = self.landing.customer.as_ref();
        customer.ok_or(Silence("no source names the customer"))
    }

    /// The event that says whose it is.
    pub fn customer_says(&self) -> Option<EventId> {
        let order = self.landing.order_facts(self.evidence);
        let order = order.and_then(|order| order.end_customer.as_ref());
        let agreement = self.landing.agreement(self.evidence);
        let agreement = agreement.and_then(|agreement| agreement.customer.as_ref());
        order.or(agreement).map(|known| known.event)
    }

    /// Silence if it is known to be in another tenant: then rules about how it was done there have
    /// nothing to add.
    pub fn must_not_be_elsewhere(&self) -> Result<(), Silence> {
        match self.verdict {
            Verdict::AsExpected | Verdict::NotJudged => Ok(()),
            Verdict::Elsewhere => Err(Silence("it is in another tenant than expected")),
        }
    }

    /// Silence if nothing says which tenant was meant: then the landing is reported as not judged.
    pub fn must_be_judged(&self) -> Result<(), Silence> {
        match self.verdict {
            Verdict::AsExpected | Verdict::Elsewhere => Ok(()),
            Verdict::NotJudged => Err(Silence("nothing says which tenant was meant")),
        }
    }

    /// Whether the landing is known to be somewhere else than expected.
    pub fn is_elsewhere(&self) -> bool {
        self.verdict == Verdict::Elsewhere
    }

    /// Silence unless the landing is known to be somewhere else than expected.
    pub fn must_be_elsewhere(&self) -> Result<(), Silence> {
        match self.verdict {
            Verdict::Elsewhere => Ok(()),
            Verdict::AsExpected => Err(Silence(AS_EXPECTED)),
            Verdict::NotJudged => Err(Silence("nothing says which tenant was meant")),
        }
    }

    /// Silence if the landing is where it was expected: then no rule accuses it.
    pub fn must_not_be_as_expected(&self) -> Result<(), Silence> {
        match self.verdict {
            Verdict::Elsewhere | Verdict::NotJudged => Ok(()),
            Verdict::AsExpected => Err(Silence(AS_EXPECTED)),
        }
    }
}

/// What is wrong with a landing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The tenant that it reached, or who brought it there.
    Tenant,
    /// How it was done there: the tenant is not accused, and the binding counts.
    Manner,
}

/// A rule that fired.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What is wrong.
    pub wrong: Wrong,
    /// How bad it is here.
    pub severity: Severity,
    /// How sure the rule is of its own evidence.
    pub confidence: Confidence,
    /// The events that speak for it, and why.
    pub evidence: Vec<(EventId, String)>,
    /// The events that speak against it, and why.
    pub counter_evidence: Vec<(EventId, String)>,
    /// The event that put right how it was done.
    pub settled: Option<EventId>,
}

impl Hit {
    fn new(severity: Severity, thousandths: u16) -> Self {
        Self {
            wrong: Wrong::Tenant,
            severity,
            confidence: Confidence::thousandths(thousandths),
            evidence: Vec::new(),
            counter_evidence: Vec::new(),
            settled: None,
        }
    }

    /// A rule that fired on how something was done, whichever tenant was meant.
    fn of_manner(severity: Severity, thousandths: u16) -> Self {
        Self {
            wrong: Wrong::Manner,
            ..Self::new(severity, thousandths)
        }
    }

    /// Adds that every report of the landing shows something.
    fn landed(&mut self, case: &Case<'_>, why: &str) {
        let events = case.landing.events.iter();
        self.evidence
            .extend(events.map(|event| (*event, why.to_owned())));
    }
}

/// One subject before the rules.
pub struct Scene<'s> {
    /// The subject.
    pub subject: &'s Subject,
    /// The events that name it, in fold order.
    pub events: &'s [&'s Event],
    /// The histories, for the views.
    pub at: &'s At<'s>,
    /// The evidence.
    pub evidence: &'s Evidence,
    /// All landings; accused are those that have a finding. What a landing's finding says already is
    /// not said again.
    pub others: Others<'s>,
    /// The machines of the tenant that the subject is, where they are known without looking at the
    /// histories of all of them.
    pub machines: Option<&'s [(Subject, Digest)]>,
}

impl Scene<'_> {
    /// Up to when things that happened count, for a view as it is now. Rules that compare with an instant
    /// ask [`Evidence::has_reached`].
    pub fn today(&self) -> Timestamp {
        self.evidence.looks_at_today();
        self.evidence.valid_at()
    }

    /// Whether at least so many hours have passed since.
    fn hours_since(&self, at: Timestamp, hours: i64) -> bool {
        self.evidence.has_reached(at.plus_minutes(hours * 60))
    }
}

/// Something that went wrong with a subject.
#[derive(Debug, Clone)]
pub struct Breach {
    /// What it is about; mostly the scene's own subject.
    pub about: Subject,
    /// What tells it from other breaches of the family by the same subject: a natural key such as a
    /// link or a machine, never a time or an event. Empty if there can be only one.
    pub key: String,
    /// When it went wrong.
    pub at: Occurred,
    /// How bad, how sure, and on what evidence.
    pub hit: Hit,
    /// What it is about besides its subject.
    pub subjects: BTreeSet<Subject>,
    /// One sentence.
    pub summary: String,
    /// What to do now.
    pub next_step: String,
    /// The event that put it right, and how; the finding is compensated then.
    pub settled: Option<(EventId, String)>,
}

impl Breach {
    fn new(about: &Subject, at: Occurred, severity: Severity, thousandths: u16) -> Self {
        Self {
            about: about.clone(),
            key: String::new(),
            at,
            hit: Hit::new(severity, thousandths),
            subjects: BTreeSet::new(),
            summary: String::new(),
            next_step: String::new(),
            settled: None,
        }
    }

    #[must_use]
    fn says(mut self, summary: String, next_step: &str) -> Self {
        self.summary = summary;
        next_step.clone_into(&mut self.next_step);
        self
    }

    #[must_use]
    fn key(mut self, key: impl ToString) -> Self {
        self.key = key.to_string();
        self
    }

    #[must_use]
    fn shows(mut self, event: &Event, why: impl Into<String>) -> Self {
        self.hit.evidence.push((event.id, why.into()));
        self
    }

    #[must_use]
    fn shows_id(mut self, event: EventId, why: impl Into<String>) -> Self {
        self.hit.evidence.push((event, why.into()));
        self
    }

    #[must_use]
    fn against(mut self, event: &Event, why: impl Into<String>) -> Self {
        self.hit.counter_evidence.push((event.id, why.into()));
        self
    }

    #[must_use]
    fn names<'n, T: Names + 'n>(mut self, ids: impl IntoIterator<Item = &'n T>) -> Self {
        self.subjects.extend(ids.into_iter().map(Names::subject));
        self
    }
}
