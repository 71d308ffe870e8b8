//! What a preflight says: for people, and as JSON.

use super::audit::{Origins, expectation, expected, finding, wrapped};
use replay::audit::expectation::Verdict;
use replay::audit::preflight::{Plan, Preflight, way};
use serde_json::{Value, json};

/// The name and version of the JSON form.
pub const SCHEMA: &str = "activation-ledger/preflight/1";

/// The JSON form.
pub fn json(plan: &Plan, judged: &Preflight) -> Value {
    let findings = judged
        .findings
        .iter()
        .map(|one| finding(one, &Origins::new()));
    let silent: Vec<Value> = judged
        .heard
        .answers
        .iter()
        .filter_map(|(rule, answer)| Some((rule.code, answer.as_ref().err()?)))
        .map(|(code, silence)| json!({ "code": code, "why": silence.0 }))
        .collect();
    let against: Vec<Value> = judged
        .session
        .iter()
        .map(|(event, why)| json!({ "event": event.to_string(), "why": why }))
        .collect();
    json!({
        "schema": SCHEMA,
        "agreement": plan.agreement.as_str(),
        "tenant": plan.tenant.as_str(),
        "judged_as": way(judged.heard.landing.kind),
        "verdict": verdict(judged.heard.verdict),
        "expected": expectation(&judged.heard.expectation),
        "session": {
            "id": plan.session.as_ref().map(|session| session.as_str()),
            "known": judged.session_known,
            "against": against,
        },
        "clean": judged.is_clean(),
        "would_find": findings.collect::<Vec<Value>>(),
        "silent": silent,
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::AsExpected => "as_expected",
        Verdict::Elsewhere => "elsewhere",
        Verdict::NotJudged => "not_judged",
    }
}

/// The form for people, at a width in characters.
pub fn text(plan: &Plan, judged: &Preflight, width: usize) -> String {
    let mut lines = Vec::new();
    let mut say = |label: &str, text: &str| {
        lines.extend(wrapped(
            text,
            &format!("{label:10}"),
            &" ".repeat(10),
            width,
        ));
    };
    let head = match judged.is_clean() {
        true => "clean",
        false => "WAIT",
    };
    say(
        head,
        &format!(
            "{} of agreement {} in {}",
            way(judged.heard.landing.kind),
            plan.agreement,
            plan.tenant
        ),
    );
    say("expected", &expected(&judged.heard.expectation));
    say(
        "tenant",
        match judged.heard.verdict {
            Verdict::AsExpected => "is the expected one",
            Verdict::Elsewhere => "is NOT the expected one",
            Verdict::NotJudged => {
                "cannot be judged: name the tenant on the order, or record a verified domain of the customer"
            }
        },
    );
    match (
        &plan.session,
        judged.session_known,
        judged.session.is_empty(),
    ) {
        (None, _, _) => say("session", "none was named, so none was judged"),
        (Some(session), false, _) => say("session", &format!("{session} is not in the record")),
        (Some(session), true, true) => say("session", &format!("{session} is clean")),
        (Some(_), true, false) => {
            for (_, why) in &judged.session {
                say("session", why);
            }
        }
    }
    for finding in &judged.findings {
        let codes: Vec<&str> = finding.codes.iter().copied().collect();
        let text = format!(
            "{} {}  {}",
            codes.join(" "),
            finding.severity.as_str(),
            finding.summary
        );
        say("findings", &text);
    }
    if !judged.is_clean() {
        say(
            "next",
            "sign out, and sign in to the expected tenant in a private window",
        );
    }
    lines.join("\n")
}
