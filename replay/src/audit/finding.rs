//! Findings: what went wrong, on what evidence, and what to do next.

use ledger::id::{CustomerId, EventId, FindingId, LicenseId, OrderId, TenantId};
use ledger::subject::Subject;
use ledger::time::Occurred;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

use super::expectation::Expectation;
use super::landing::LandingKind;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be looked at.
    Medium,
    /// Something is wrong, or irreversible.
    High,
    /// One customer's entitlement is in another's hands.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 3] = [Self::Medium, Self::High, Self::Critical];

    /// The word, as people and JSON read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// From here on people see *certain*, in thousandths.
const CERTAIN: u16 = 950;
/// From here on people see *strong*, in thousandths.
const STRONG: u16 = 750;

/// How sure something is, in thousandths: whole numbers, so that it is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u16);

impl Confidence {
    /// From thousandths; more than 1000 is 1000.
    pub const fn thousandths(value: u16) -> Self {
        Self(if value > 1000 { 1000 } else { value })
    }

    /// The next lower step: what one piece of counter-evidence costs.
    #[must_use]
    pub fn lowered(self) -> Self {
        const STEPS: [u16; 9] = [980, 950, 900, 800, 600, 500, 400, 200, 100];
        let lower = STEPS.iter().copied().find(|step| *step < self.0);
        Self(lower.unwrap_or(100))
    }

    /// Reads a word that people see, or a number from 0 to 1; `None` if it is neither. A word stands
    /// for the least confidence that it is used for.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "certain" => Some(Self(CERTAIN)),
            "strong" => Some(Self(STRONG)),
            "weak" => Some(Self(0)),
            number => {
                let number: f64 = number.parse().ok()?;
                let thousandths = (0..=1000_u16).find(|t| f64::from(*t) >= number * 1000.0 - 0.5);
                thousandths.filter(|_| number >= 0.0).map(Self)
            }
        }
    }

    /// What people see.
    pub fn word(self) -> &'static str {
        match self.0 {
            CERTAIN.. => "certain",
            STRONG.. => "strong",
            _ => "weak",
        }
    }
}

impl Serialize for Confidence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(from)?;
        let thousandths = (0..=1000_u16).find(|t| f64::from(*t) / 1000.0 >= number);
        Ok(Self(thousandths.unwrap_or(1000)))
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FindingState {
    /// Derived, and nobody decided yet.
    Open,
    /// Somebody decided, and the evidence has changed since.
    Reopened,
    /// Somebody confirmed it.
    Confirmed,
    /// Somebody dismissed it.
    Dismissed,
    /// What landed was reversed or moved.
    Compensated,
}

/// An event that speaks for or against a finding, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exhibit {
    /// When it happened.
    #[serde(serialize_with = "text")]
    pub at: Occurred,
    /// Which event.
    #[serde(serialize_with = "text")]
    pub event: EventId,
    /// What it shows.
    pub why: String,
}

fn text<T: ToString, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_string())
}

/// One step on the path of an entitlement, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathStep {
    /// When.
    #[serde(serialize_with = "text")]
    pub at: Occurred,
    /// What happened, in a few words.
    pub what: String,
    /// The tenant that it reached; absent before it reached any.
    pub tenant: Option<TenantId>,
}

/// A landing that a finding is about, and where it should have gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// What landed, as `KIND:ID`.
    pub landing: String,
    /// How it landed.
    pub kind: LandingKind,
    /// Where it should have gone, by everything that is known now.
    pub expected: Expectation,
    /// Where it should have gone by what was known then, if that is another answer.
    pub expected_then: Option<Expectation>,
    /// The tenant that it landed in.
    pub actual: TenantId,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An entitlement that reached a tenant.
    Landing(Box<Landed>),
    /// Anything else that an event can be about.
    Subject(Subject),
}

/// Something that went wrong with one landing, or with one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its identity: what went wrong, and with what.
    pub id: FindingId,
    /// The rules that fired, sorted.
    pub codes: BTreeSet<&'static str>,
    /// The worst of theirs.
    pub severity: Severity,
    /// The best of theirs, lowered by counter-evidence.
    pub confidence: Confidence,
    /// Where it stands.
    pub state: FindingState,
    /// What it is about.
    pub about: About,
    /// When it went wrong.
    pub at: Occurred,
    /// Whose entitlement it is.
    pub customer: Option<CustomerId>,
    /// Its agreement.
    pub license_id: Option<LicenseId>,
    /// Its order.
    pub order: Option<OrderId>,
    /// Everything that it is about, as `KIND:ID`, sorted.
    pub subjects: BTreeSet<String>,
    /// What speaks for it.
    pub evidence: Vec<Exhibit>,
    /// What speaks against it.
    pub counter_evidence: Vec<Exhibit>,
    /// How it came to that.
    pub path: Vec<PathStep>,
    /// What it changed, in sentences.
    pub effects: Vec<String>,
    /// What the portal showed last.
    pub portal: Option<String>,
    /// One sentence.
    pub summary: String,
    /// What to do now.
    pub next_step: String,
}

impl Finding {
    /// What it is about, as `KIND:ID`.
    pub fn subject(&self) -> String {
        match &self.about {
            About::Landing(landed) => landed.landing.clone(),
            About::Subject(subject) => subject.to_string(),
        }
    }

    /// The landing that it is about, if it is about one.
    pub fn landed(&self) -> Option<&Landed> {
        match &self.about {
            About::Landing(landed) => Some(landed),
            About::Subject(_) => None,
        }
    }

    /// Whether there is something left to do about it.
    pub fn is_open(&self) -> bool {
        match self.state {
            FindingState::Open | FindingState::Reopened | FindingState::Confirmed => true,
            FindingState::Dismissed | FindingState::Compensated => false,
        }
    }

    /// Digest of the evidence for and against: what a decision was made on.
    pub fn evidence_digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for exhibit in self.evidence.iter().chain(&self.counter_evidence) {
            hasher.update(&exhibit.event.0);
        }
        for code in &self.codes {
            hasher.update(code.as_bytes());
        }
        let hex = hasher.finalize().to_hex();
        hex.as_str().chars().take(32).collect()
    }
}

/// The identity of what went wrong: the hash of what it was and what it happened to, never of
/// evidence, time or position. `F-` and eight letters or digits of a 32-character alphabet (40 bits).
pub(super) fn identity(parts: &[&str]) -> Option<FindingId> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut text = String::from("F-");
    for byte in hasher.finalize().as_bytes().iter().take(8) {
        let letter = ALPHABET
            .get(usize::from(byte % 32))
            .copied()
            .unwrap_or(b'0');
        text.push(char::from(letter));
    }
    FindingId::new(&text).ok()
}
