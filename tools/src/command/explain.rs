use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::session::Session;
use replay::audit::rules::{Check, Parameter, RULES, Rule};
use replay::audit::signals;
use serde_json::{Value, json};
use std::fmt::Write;

/// Explain a rule of the audit: what it means, what it needs, its thresholds, and what to do.
///
/// `actl rules` lists all of them.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The rule's code, for example WTR005.
    #[arg(value_name = "CODE")]
    code: String,
}

impl Explain {
    /// Explains it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let rule = Rule::of_code(self.code.trim()).ok_or_else(|| {
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

/// The JSON form of a rule.
pub fn as_json(rule: &Rule) -> Value {
    let parameters: Vec<Value> = parameters(rule)
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

/// The thresholds of a rule, and of what speaks against any finding about a landing.
fn parameters(rule: &Rule) -> impl Iterator<Item = &Parameter> {
    let general = match rule.check {
        Check::Landing(_) => signals::PARAMETERS,
        Check::Subject(..) | Check::Elsewhere(_) => &[],
    };
    rule.parameters.iter().chain(general)
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
    if parameters(rule).next().is_some() {
        out.push_str("\n\nThresholds");
    }
    for p in parameters(rule) {
        let text = format!("{} = {} {}: {}", p.name, p.value, p.unit, p.doc);
        let _ = write!(out, "\n{}", textwrap::fill(&text, indented()));
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
