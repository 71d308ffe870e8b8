//! The rules that judge no wrong tenant, with noise and without.
//!
//! The generator breaks invariants and loses seats by the way, and labels none of it. What it does
//! in one world is the same under every noise, so the quiet run says which findings the noisy one
//! ought to have.

use super::Tally;
use replay::audit::rules::RULES;
use serde_json::Value;
use std::collections::BTreeMap;

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

/// Counts what the noise brought and what it took, a line for each.
pub fn compare(noisy: &mut Tally, without: &Findings, with: &Findings, seed: u64) {
    for (of, says) in with {
        if !without.contains_key(of) {
            noisy.families.entry(of.0).or_default().by_noise += 1;
            noisy
                .notes
                .push(format!("noise   {}  {says}  (seed {seed})", of.0));
        }
    }
    for (of, says) in without {
        if !with.contains_key(of) {
            noisy.families.entry(of.0).or_default().lost += 1;
            noisy
                .notes
                .push(format!("lost    {}  {says}  (seed {seed})", of.0));
        }
    }
}
