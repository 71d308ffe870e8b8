//! Which agreement, and which customer, the names in a history belong to: findings are joined to
//! labels by these.

use ledger::secret::{KeyFingerprint, Pepper};
use ledger::subject::Names;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use tools::simulate::outbox::Lost;

/// Subjects, as `KIND:ID`, to agreements and customers.
#[derive(Default)]
pub struct Index {
    licenses: HashMap<String, String>,
    customers: HashMap<String, String>,
    sessions: HashSet<String>,
    activations: HashMap<String, String>,
    forwards_lost: HashSet<String>,
}

/// Fields that name a subject, and its kind.
const NAMES: &[(&str, &str)] = &[
    ("order", "order"),
    ("redemption", "redemption"),
    ("activation", "activation"),
    ("session", "session"),
    ("subscription", "subscription"),
    ("bpos_subscription", "subscription"),
    ("azure_subscription", "subscription"),
    ("lot", "credit"),
    ("case", "case"),
    ("link", "link"),
    ("message", "email"),
];

impl Index {
    /// Takes in one line.
    pub fn take(&mut self, event: &Value) {
        let data = &event["data"];
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        if event["kind"] == "SessionStarted"
            && let Some(session) = text("session")
        {
            self.sessions.insert(session);
        }
        if let (Some(order), Some(activation)) = (text("order"), text("activation")) {
            self.activations.insert(order, activation);
        }
        if let (Some(customer), Some(license)) = (text("customer"), text("license_id")) {
            let agreement = format!("agreement:{license}");
            self.customers.insert(agreement, customer.clone());
            if let Some(pcn) = text("pcn") {
                self.customers
                    .entry(format!("pcn:{pcn}"))
                    .or_insert(customer);
            }
        }
        let license = text("license_id").or_else(|| {
            let licenses = data["license_ids"].as_array()?;
            licenses.first()?.as_str().map(str::to_owned)
        });
        let Some(license) = license else { return };
        let mut belongs = |subject: String| {
            self.licenses
                .entry(subject)
                .or_insert_with(|| license.clone());
        };
        for (field, kind) in NAMES {
            if let Some(id) = text(field) {
                belongs(format!("{kind}:{id}"));
            }
        }
        for effect in data["effects"].as_array().into_iter().flatten() {
            if let Some(id) = effect["subscription"].as_str() {
                belongs(format!("subscription:{id}"));
            }
        }
        for field in ["key", "new_key"] {
            let fingerprint = data[field].as_str();
            let fingerprint =
                fingerprint.and_then(|key| KeyFingerprint::of_key(&Pepper::public(), key));
            if let Some(fingerprint) = fingerprint {
                belongs(fingerprint.subject().to_string());
            }
        }
        belongs(format!("agreement:{license}"));
    }

    /// Takes in what the noise lost.
    pub fn lost(&mut self, lost: &[Lost]) {
        let forwards = lost
            .iter()
            .filter(|lost| lost.kind == "ActivationEmailForwarded");
        let activations = forwards.filter_map(|lost| lost.correlation.clone());
        self.forwards_lost.extend(activations);
    }

    /// Whether a session has a record of its sign-in.
    pub fn signed_in(&self, session: &str) -> bool {
        self.sessions.contains(session)
    }

    /// Whether a forward of an order's mail was lost.
    pub fn forward_was_lost(&self, order: &str) -> bool {
        let activation = self.activations.get(order);
        activation.is_some_and(|activation| self.forwards_lost.contains(activation))
    }

    /// The agreements of some subjects.
    pub fn licenses<'a>(&'a self, subjects: &[&'a str]) -> HashSet<&'a str> {
        let known = subjects
            .iter()
            .filter_map(|subject| self.licenses.get(*subject).map(String::as_str));
        known.collect()
    }

    /// The customers of some subjects.
    pub fn customers<'a>(&'a self, subjects: &[&'a str]) -> HashSet<&'a str> {
        let named = subjects
            .iter()
            .filter_map(|subject| subject.strip_prefix("customer:"));
        let known = subjects
            .iter()
            .filter_map(|subject| self.customers.get(*subject).map(String::as_str));
        named.chain(known).collect()
    }
}
