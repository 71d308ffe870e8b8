//! What a history is known to hold, for whoever measures the audit: its mistakes, the innocent scenes
//! that look like them, and the evidence that the noise left.

use super::line::Fields;
use super::outbox::Lost;
use ledger::time::Timestamp;

/// What a labelled scene is to the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Something went wrong: to be found.
    Mistake,
    /// Nothing went wrong, though it looks like it: not to be found.
    LookAlike,
    /// A landing that has a part in a mistake, or a mistake of an ordinary story that is compensated
    /// later: to name it is neither right nor wrong.
    Beside,
}

impl Role {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mistake => "mistake",
            Self::LookAlike => "look-alike",
            Self::Beside => "beside",
        }
    }
}

/// What a label is about, by the names that findings are joined on. All are as the sources say them;
/// keys and machines, which the ledger keeps protected, are invented.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Whose entitlement it is.
    pub customer: String,
    /// The agreement.
    pub license_id: String,
    /// The order.
    pub order: Option<String>,
    /// Its activation.
    pub activation: Option<String>,
    /// The redemption.
    pub redemption: Option<String>,
    /// The last five characters of its keys.
    pub keys_last5: Vec<String>,
    /// The session.
    pub session: Option<String>,
    /// The tenant that it reached.
    pub tenant: String,
    /// The tenant that it should have reached; absent where none existed, or nobody says.
    pub expected: Option<String>,
    /// The lots of credit.
    pub azure: Option<String>,
    /// The machine, where it is about a seat.
    pub machine: Option<String>,
    /// The case, where it is about a correction.
    pub case: Option<String>,
}

/// A piece of evidence, and whether the written lines hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// What it is, in a few words.
    pub what: &'static str,
    /// Whether it is there.
    pub met: bool,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What it is to the audit.
    pub role: Role,
    /// The kind of mistake, by its number in the W list: for a look-alike the one that it looks like.
    pub kind: u8,
    /// Kinds that may be named for the same landing besides.
    pub also: &'static [u8],
    /// Which scene of its kind it is.
    pub scene: &'static str,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// The evidence: for a mistake what shows it, for a look-alike what clears it.
    pub needs: Vec<Need>,
}

impl Label {
    /// The label of a mistake in an ordinary story, and the kinds that hold for it.
    pub fn of_a_story(kind: u8, also: &'static [u8], at: Timestamp, subject: Subject) -> Self {
        Self {
            role: Role::Beside,
            kind,
            also,
            scene: "an ordinary story, compensated later",
            at,
            subject,
            needs: Vec::new(),
        }
    }

    /// Whether all of the evidence survived the noise.
    pub fn is_decidable(&self) -> bool {
        self.needs.iter().all(|need| need.met)
    }

    /// The label as one line of JSON, without a line end.
    pub fn line(&self) -> String {
        let mut text = String::with_capacity(480);
        let pieces = |met: bool| {
            let pieces = self.needs.iter().filter(move |need| need.met == met);
            pieces.map(|need| need.what)
        };
        let also: Vec<String> = self.also.iter().map(|kind| format!("W{kind}")).collect();
        let about = &self.subject;
        Fields::object(&mut text, |f| {
            f.text("role", self.role.as_str());
            f.text("kind", &format!("W{}", self.kind));
            f.texts("also", also.iter().map(String::as_str));
            f.text("scene", self.scene).instant("at", self.at);
            f.text("customer", &about.customer);
            f.text("license_id", &about.license_id);
            f.maybe("order", about.order.as_deref());
            f.maybe("activation", about.activation.as_deref());
            f.maybe("redemption", about.redemption.as_deref());
            f.texts("keys_last5", about.keys_last5.iter().map(String::as_str));
            f.maybe("session", about.session.as_deref());
            f.text("tenant", &about.tenant);
            f.maybe("expected", about.expected.as_deref());
            f.maybe("azure_subscription", about.azure.as_deref());
            f.maybe("machine", about.machine.as_deref());
            f.maybe("case", about.case.as_deref());
            f.flag("decidable", self.is_decidable());
            f.texts("survived", pieces(true))
                .texts("missing", pieces(false));
        });
        text
    }
}

/// A record that was lost, as one line of JSON: what looks like a false alarm may come from it.
pub fn lost_line(lost: &Lost) -> String {
    let mut text = String::with_capacity(120);
    Fields::object(&mut text, |f| {
        f.text("role", "lost").text("kind", lost.kind);
        f.text("record", &format!("r-{}", lost.record));
        f.maybe("correlation", lost.correlation.as_deref());
    });
    text
}
