use super::explain::as_json;
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::session::Session;
use replay::audit::rules::RULES;
use serde_json::Value;

/// List the rules of the audit: code, severity and name.
///
/// `actl explain CODE` says more of one. In JSON everything is said of all.
#[derive(Debug, clap::Args)]
pub struct Rules {}

impl Rules {
    /// Lists them.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match session.format {
            Format::Table => {
                let words = |rule: &replay::audit::rules::Rule| {
                    [rule.code, rule.severity.as_str(), rule.name].map(str::to_owned)
                };
                let rows = RULES.iter().map(|rule| words(rule).to_vec()).collect();
                let head = ["code", "severity", "name"];
                session.out.text(&table::table(&head, &[], rows))?;
            }
            Format::Json => {
                let rules: Vec<Value> = RULES.iter().map(as_json).collect();
                session.out.json(&Value::from(rules))?;
            }
            Format::Jsonl => RULES
                .iter()
                .try_for_each(|rule| session.out.json_line(&as_json(rule)))?,
        }
        Ok(Outcome::Clean)
    }
}
