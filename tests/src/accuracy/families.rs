//! The rules that judge no wrong tenant, with noise and without.
//!
//! The generator breaks invariants and loses seats by the way, and labels none of it. What it does
//! in one world is the same under every noise, so the quiet run says which findings the noisy one
//! ought to have.

use super::Tally;
use super::judge::seat;
use replay::audit::rules::RULES;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The findings of a run: code and identity, and what each says.
pub type Findings = BTreeMap<(&'static str, String), String>;

/// The findings of the rules that judge no wrong tenant.
pub fn findings(report: &Value) -> Findings {
    let all = report["findings"].as_array().into_iter().flatten();
    let of = all.flat_map(|finding| {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let (id, summary) = (text("id"), text("summary"));
        let about = finding["subject"].as_str().or(finding["about"].as_str());
        let says = format!("[{}] {summary}", about.unwrap_or_default());
        let codes = finding["codes"].as_array().into_iter().flatten();
        let codes = codes
            .filter_map(Value::as_str)
            .filter(|code| !code.starts_with("WTR"));
        let known = codes.filter_map(|code| RULES.iter().find(|rule| rule.code == code));
        known
            .map(|rule| ((rule.code, id.clone()), says.clone()))
            .collect::<Vec<_>>()
    });
    of.collect()
}

/// What a run says of the rules that judge no wrong tenant.
#[derive(Default)]
pub struct Families {
    /// The findings.
    pub findings: Findings,
    /// What machines reported: by record, the date and the machine.
    reports: HashMap<String, (String, String)>,
}

impl Families {
    /// Takes in one line.
    pub fn take(&mut self, event: &Value) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let report = text(&event["occurred_at"]).zip(text(&event["data"]["machine"]));
        if let Some((record, report)) = text(&event["source"]["record"]).zip(report) {
            self.reports.insert(record, report);
        }
    }

    /// The machines of which some report has another date than it has without noise.
    fn misdated(&self, without: &Self) -> HashSet<String> {
        let reports = self.reports.iter();
        let moved = reports.filter(|(record, (date, _))| {
            let before = without.reports.get(*record);
            before.is_some_and(|(other, _)| other != date)
        });
        moved.map(|(_, (_, machine))| seat(machine)).collect()
    }

    /// Counts what the noise brought and what it took, a line with its cause for each.
    pub fn compare(&self, without: &Self, noisy: &mut Tally, seed: u64) {
        let misdated = self.misdated(without);
        let cause = |says: &str| {
            let about = says.split(['[', ']']).nth(1).unwrap_or_default();
            match misdated.contains(about) {
                true => "a report of the machine carries a wrong clock",
                false => "nothing that it is about is dated wrongly",
            }
        };
        for (of, says) in &self.findings {
            if !without.findings.contains_key(of) {
                noisy.families.entry(of.0).or_default().by_noise += 1;
                let cause = cause(says);
                let line = format!("noise   {}  {says}  {cause}  (seed {seed})", of.0);
                noisy.notes.push(line);
            }
        }
        for (of, says) in &without.findings {
            if !self.findings.contains_key(of) {
                noisy.families.entry(of.0).or_default().lost += 1;
                let cause = cause(says);
                let line = format!("lost    {}  {says}  {cause}  (seed {seed})", of.0);
                noisy.notes.push(line);
            }
        }
    }
}
