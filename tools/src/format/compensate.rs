//! The plan of a compensation: for a licensing clerk, and as JSON.

use ledger::time::{Occurred, Precision};
use replay::compensate::{Difference, Plan, Step, StepState};
use serde_json::{Value, json};
use std::fmt::Write;

/// The name and version of the JSON form.
pub const SCHEMA: &str = "activation-ledger/compensation-plan/1";

const INDENT: &str = "       ";

/// The JSON form of a plan: the same bytes for the same events on every machine.
pub fn json(plan: &Plan) -> Value {
    let touched = plan.radius.subscriptions.iter().map(|touched| {
        json!({
            "subscription": touched.subscription.as_str(),
            "seats": touched.seats.0,
            "seats_after": touched.seats_after.0,
            "end": touched.end.map(|end| end.to_string()),
            "end_after": touched.end_after.map(|end| end.to_string()),
        })
    });
    let later = plan.radius.later.iter();
    let later = later.map(|one| json!({ "event": one.event.to_string(), "what": one.what }));
    let names = |ids: &[ledger::id::LicenseId]| {
        ids.iter()
            .map(|id| id.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    let authorisers = plan.authorisers.iter();
    let unknowns = plan.unknowns.iter();
    json!({
        "schema": SCHEMA,
        "finding": plan.finding.as_str(),
        "summary": plan.summary,
        "method": plan.method.as_str(),
        "wrong_tenant": plan.wrong.as_str(),
        "right_tenant": plan.right.as_str(),
        "license_id": plan.license_id.as_ref().map(|id| id.as_str()),
        "case": plan.case.as_ref().map(|case| case.as_str()),
        "complete": plan.is_complete(),
        "next": plan.next().map(|step| step.number),
        "authorisers": authorisers.map(|a| json!({ "role": a.role.as_str(), "who": a.who })).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "unknowns": unknowns.map(|(name, assumed)| json!({ "name": name, "assumed": assumed })).collect::<Vec<_>>(),
        "request": plan.request,
        "blast_radius": {
            "subscriptions": touched.collect::<Vec<_>>(),
            "users_since": plan.radius.users_since,
            "users_to_free": plan.users_to_free,
            "later": later.collect::<Vec<_>>(),
            "agreements": names(&plan.radius.agreements),
            "beyond_request": names(&plan.radius.beyond_request),
        },
        "proof": {
            "exact": plan.proof.is_exact(),
            "compared": plan.proof.compared,
            "traces": plan.proof.traces.iter().map(difference).collect::<Vec<_>>(),
            "residue": plan.proof.residue.iter().map(difference).collect::<Vec<_>>(),
        },
        "valid_at": plan.valid_at.to_string(),
        "as_of": plan.as_of.0,
    })
}

fn step(step: &Step) -> Value {
    let (event, at, waits_for) = match &step.state {
        StepState::Done { event, at } => (Some(event.to_string()), Some(at.to_string()), None),
        StepState::Waits { first } => (None, None, Some(*first)),
        StepState::NotNeeded | StepState::Ready => (None, None, None),
    };
    json!({
        "step": step.number,
        "title": step.title,
        "state": step.state.word(),
        "optional": step.action.is_optional(),
        "event": event,
        "at": at,
        "waits_for": waits_for,
        "recorded_as": step.action.kind(),
        "needs": step.action.needs(),
    })
}

fn difference(one: &Difference) -> Value {
    json!({
        "subject": one.subject,
        "field": one.field,
        "completed": one.completed,
        "without": one.without,
        "by_design": one.by_design,
    })
}

/// The plan for people: short, numbered, and good enough to hand to a licensing clerk.
pub fn text(plan: &Plan, width: usize) -> String {
    let mut out = String::new();
    let next = plan.next().map(|step| step.number);
    line(
        &mut out,
        &format!("Compensation of {} · {}", plan.finding, progress(plan)),
        "",
        width,
    );
    line(&mut out, &plan.summary, "", width);
    if let Some(case) = &plan.case {
        line(&mut out, &format!("Support case: {case}"), "", width);
    }
    heading(&mut out, "Who has to agree");
    for authoriser in &plan.authorisers {
        line(&mut out, &format!("  - {}", authoriser.who), "    ", width);
    }
    heading(&mut out, "Steps");
    for one in &plan.steps {
        step_text(&mut out, plan, one, next == Some(one.number), width);
    }
    if !plan.unknowns.is_empty() {
        heading(&mut out, "Not known yet");
        for (name, assumed) in &plan.unknowns {
            line(&mut out, &format!("  - {name}: {assumed}"), "    ", width);
        }
    }
    heading(&mut out, "What hangs on it");
    for text in radius(plan) {
        line(&mut out, &format!("  - {text}"), "    ", width);
    }
    heading(&mut out, "What to write to support");
    for text in plan.request.lines() {
        line(&mut out, &format!("  | {text}"), "  | ", width);
    }
    heading(&mut out, "How it will end");
    proof(&mut out, plan, width);
    out.trim_end().to_owned()
}

fn progress(plan: &Plan) -> String {
    let done = plan
        .steps
        .iter()
        .filter(|step| step.state.is_over())
        .count();
    match plan.is_complete() {
        true => "complete".to_owned(),
        false => format!("{done} of {} steps done", plan.steps.len()),
    }
}

fn step_text(out: &mut String, plan: &Plan, step: &Step, is_next: bool, width: usize) {
    let optional = match step.action.is_optional() && !step.state.is_over() {
        true => " (only if needed)",
        false => "",
    };
    line(
        out,
        &format!("  {:>2}.  {}{optional}", step.number, step.title),
        INDENT,
        width,
    );
    let state = match &step.state {
        StepState::Done { event, at } => format!("done {}: event {event}", when(*at)),
        StepState::NotNeeded => "nothing to do: nobody has to lose a licence".to_owned(),
        StepState::Waits { first } => format!("waits for step {first}"),
        StepState::Ready if is_next => format!(
            "NEXT: when it is done, actl compensate apply {} --step {} --occurred-at TIME --source SYSTEM:RECORD",
            plan.finding, step.number
        ),
        StepState::Ready => "can be done now".to_owned(),
    };
    line(out, &format!("{INDENT}{state}"), INDENT, width);
    let shows_needs = step.state == StepState::Ready && !step.action.needs().is_empty();
    if shows_needs {
        let needs = step.action.needs().join("; ");
        line(out, &format!("{INDENT}needs: {needs}"), INDENT, width);
    }
}

fn radius(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for touched in &plan.radius.subscriptions {
        let day = |end: Option<ledger::time::Date>| {
            end.map_or("no end".to_owned(), |end| end.to_string())
        };
        let change = match (
            touched.seats == touched.seats_after,
            touched.end == touched.end_after,
        ) {
            (true, true) => format!("{} seats until {}", touched.seats, day(touched.end)),
            (_, true) => format!(
                "{} seats become {}, until {} as before",
                touched.seats,
                touched.seats_after,
                day(touched.end)
            ),
            (_, false) if touched.end_after.is_none() => format!(
                "{} seats become {}, with no end date any more instead of {}",
                touched.seats,
                touched.seats_after,
                day(touched.end)
            ),
            (true, false) => format!(
                "{} seats, until {} instead of {}",
                touched.seats,
                day(touched.end_after),
                day(touched.end)
            ),
            (false, false) => format!(
                "{} seats become {}, until {} instead of {}",
                touched.seats,
                touched.seats_after,
                day(touched.end_after),
                day(touched.end)
            ),
        };
        lines.push(format!("{}: {change}", touched.subscription));
    }
    let users = plan.radius.users_since;
    lines.push(match (users, plan.users_to_free) {
        (0, 0) => format!("nobody in {} was given a licence since", plan.wrong),
        (users, 0) => format!(
            "{users} users of {} were given licences since; there are seats enough for them",
            plan.wrong
        ),
        (users, free) => format!(
            "{users} users of {} were given licences since; {free} have to give theirs up first",
            plan.wrong
        ),
    });
    if !plan.radius.agreements.is_empty() {
        let all: Vec<&str> = plan
            .radius
            .agreements
            .iter()
            .map(|id| id.as_str())
            .collect();
        lines.push(format!(
            "a remap moves every agreement of the customer number: {}",
            all.join(", ")
        ));
    }
    if !plan.radius.beyond_request.is_empty() {
        let all: Vec<&str> = plan
            .radius
            .beyond_request
            .iter()
            .map(|id| id.as_str())
            .collect();
        lines.push(format!("WARNING: nobody asked to move {}", all.join(", ")));
    }
    let later = plan.radius.later.iter();
    lines.extend(later.map(|one| format!("later: {} (event {})", one.what, one.event)));
    lines
}

fn proof(out: &mut String, plan: &Plan, width: usize) {
    let compared = plan.proof.compared.len();
    let verdict = match plan.proof.is_exact() {
        true => format!("Exact: {compared} views are as they would be without the mistake."),
        false => format!(
            "Not exact: of {compared} views these fields will differ from what they would be without the mistake."
        ),
    };
    line(out, &format!("  {verdict}"), "  ", width);
    for one in &plan.proof.residue {
        let text = format!(
            "  - {} {}: {} instead of {}",
            one.subject, one.field, one.completed, one.without
        );
        line(out, &text, "    ", width);
    }
    let mut reasons: Vec<(&str, &str)> = Vec::new();
    for one in &plan.proof.traces {
        let reason = (one.subject.as_str(), one.by_design.unwrap_or_default());
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    for (subject, reason) in reasons {
        line(out, &format!("  - {subject}: {reason}"), "    ", width);
    }
}

fn when(at: Occurred) -> String {
    let text = at.to_string();
    match at.precision {
        Precision::Instant | Precision::Minute => text.get(..16).unwrap_or(&text).replace('T', " "),
        Precision::Day | Precision::Month => text,
    }
}

fn heading(out: &mut String, text: &str) {
    let _ = write!(out, "\n{text}\n");
}

fn line(out: &mut String, text: &str, indent: &str, width: usize) {
    let options = textwrap::Options::new(width)
        .subsequent_indent(indent)
        .break_words(false);
    let _ = writeln!(out, "{}", textwrap::fill(text, options));
}
