use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::session::Session;
use replay::audit::rules::{Check, RULES, Rule};
use serde_json::{Value, json};
use std::fmt::Write;

/// Explain a rule of the audit: what it means, what it needs, and what to do.
///
/// Without a code all rules are listed.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The rule's code, for example WTR005.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    /// Explains it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let Some(code) = &self.code else {
            list(session)?;
            return Ok(Outcome::Clean);
        };
        let rule = Rule::of_code(code.trim()).ok_or_else(|| {
            let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
            Failure::new(
                "cannot explain the rule",
                "there is no rule of that code",
                format!("one of: {}", codes.join(", ")),
            )
        })?;
        match session.format {
            Format::Table => session.out.text(&page(rule, crate::output::width()))?,
            Format::Json => session.out.json(&as_json(rule))?,
            Format::Jsonl => session.out.json_line(&as_json(rule))?,
        }
        Ok(Outcome::Clean)
    }
}

fn list(session: &mut Session) -> Result<(), Failure> {
    match session.format {
        Format::Table => {
            let rows = RULES.iter().map(|rule| {
                vec![
                    rule.code.to_owned(),
                    rule.severity.as_str().to_owned(),
                    rule.name.to_owned(),
                ]
            });
            let rows = rows.collect();
            session
                .out
                .text(&table::table(&["code", "severity", "name"], &[], rows))
        }
        Format::Json => {
            let rules: Vec<Value> = RULES.iter().map(as_json).collect();
            session.out.json(&Value::from(rules))
        }
        Format::Jsonl => RULES
            .iter()
            .try_for_each(|rule| session.out.json_line(&as_json(rule))),
    }
}

fn as_json(rule: &Rule) -> Value {
    let parameters: Vec<Value> = rule
        .parameters
        .iter()
        .map(|p| json!({ "name": p.name, "value": p.value, "unit": p.unit, "doc": p.doc }))
        .collect();
    let (about, elsewhere) = match rule.check {
        Check::Landing(_) => (Some("landing"), None),
        Check::Subject(kind, _) => (Some(kind.name()), None),
        Check::Elsewhere(how) => (None, Some(how)),
    };
    json!({
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.as_str(),
        "meaning": rule.meaning,
        "needs": rule.needs,
        "counter_evidence": rule.counter_evidence,
        "false_positives": rule.false_positives,
        "compensation": rule.compensation,
        "parameters": parameters,
        "inputs": rule.inputs,
        "about": about,
        "checked_elsewhere": elsewhere,
    })
}

fn page(rule: &Rule, width: usize) -> String {
    let indented = || {
        textwrap::Options::new(width)
            .initial_indent("  ")
            .subsequent_indent("  ")
    };
    let mut out = format!("{}  {}\n{}", rule.code, rule.severity.as_str(), rule.name);
    for (title, text) in [
        ("What it means", rule.meaning),
        ("What it needs", rule.needs),
        ("What speaks against it", rule.counter_evidence),
        ("When it may be wrong", rule.false_positives),
        ("What to do", rule.compensation),
    ] {
        let _ = write!(out, "\n\n{title}\n{}", textwrap::fill(text, indented()));
    }
    let checked = match rule.check {
        Check::Landing(_) => "on every landing".to_owned(),
        Check::Subject(kind, _) => format!("on every {}", kind.name()),
        Check::Elsewhere(how) => how.to_owned(),
    };
    let _ = write!(
        out,
        "\n\nWhere it is checked\n{}",
        textwrap::fill(&checked, indented())
    );
    if !rule.parameters.is_empty() {
        out.push_str("\n\nThresholds");
        for p in rule.parameters {
            let _ = write!(out, "\n  {} = {} {}: {}", p.name, p.value, p.unit, p.doc);
        }
    }
    if !rule.inputs.is_empty() {
        let _ = write!(
            out,
            "\n\nFields it reads\n{}",
            textwrap::fill(&rule.inputs.join(" "), indented())
        );
    }
    out
}
