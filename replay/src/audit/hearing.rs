//! What every rule says of a landing or a subject, the silent ones too, with their reasons.

use super::evidence::Evidence;
use super::expectation::{Basis, Expectation, Verdict, expect, verdict};
use super::landing::{Landing, landings};
use super::others::{Neighbours, Others};
use super::report::Judge;
use super::rules::{Breach, Case, Check, Hit, RULES, Rule, Scene, Silence};
use ledger::event::Event;
use ledger::subject::Subject;
use projections::At;

/// What the rules say of one landing.
#[derive(Clone)]
pub struct Heard {
    /// The landing.
    pub landing: Landing,
    /// Where it should have gone, by everything that is known now.
    pub expectation: Expectation,
    /// How it compares.
    pub verdict: Verdict,
    /// Every rule about landings, in the order of their codes.
    pub answers: Vec<(&'static Rule, Result<Hit, Silence>)>,
}

/// Hears every rule about landings on those that are wanted. The answers are those that the report
/// is made from. Costs the judging part of an audit.
pub fn hear(at: &At<'_>, wanted: &dyn Fn(&Landing) -> bool) -> Vec<Heard> {
    let evidence = Evidence::gather(at);
    let landings = landings(at, &evidence);
    let neighbours = Neighbours::new(&landings, &evidence);
    let judge = Judge {
        at,
        evidence: &evidence,
        neighbours: &neighbours,
        landings: &landings,
    };
    let accused = judge.accused_then();
    let others = Others::new(&neighbours, &accused);
    let heard = landings.iter().filter(|landing| wanted(landing));
    heard
        .map(|landing| hear_one(at, &evidence, others, landing))
        .collect()
}

/// Hears every rule about landings on one of them, beside others.
pub(super) fn hear_one(
    at: &At<'_>,
    evidence: &Evidence,
    others: Others<'_>,
    landing: &Landing,
) -> Heard {
    let basis = Basis {
        evidence,
        others,
        cutoff: None,
    };
    let expectation = expect(landing, &basis);
    let case = Case {
        landing,
        expectation: &expectation,
        verdict: verdict(landing, &expectation, evidence),
        evidence,
        at,
        others,
        cutoff: None,
    };
    let answers = RULES.iter().filter_map(|rule| match rule.check {
        Check::Landing(check) => Some((rule, check(&case))),
        Check::Subject(..) | Check::Elsewhere(_) => None,
    });
    Heard {
        answers: answers.collect(),
        verdict: case.verdict,
        landing: landing.clone(),
        expectation: expectation.clone(),
    }
}

/// What one rule says of a subject.
pub type Answer = (&'static Rule, Result<Vec<Breach>, Silence>);

/// Hears every rule about subjects of a kind on one of them. Costs the judging part of an audit.
pub fn hear_subject(at: &At<'_>, subject: &Subject) -> Vec<Answer> {
    let evidence = Evidence::gather(at);
    let landings = landings(at, &evidence);
    let neighbours = Neighbours::new(&landings, &evidence);
    let judge = Judge {
        at,
        evidence: &evidence,
        neighbours: &neighbours,
        landings: &landings,
    };
    let accused = judge.accused_then();
    hear_of(at, &evidence, Others::new(&neighbours, &accused), subject)
}

/// Hears every rule about subjects of a kind on one of them, beside landings that were judged.
pub(super) fn hear_of(
    at: &At<'_>,
    evidence: &Evidence,
    others: Others<'_>,
    subject: &Subject,
) -> Vec<Answer> {
    let events: Vec<&Event> = at.of(subject).collect();
    let scene = Scene {
        subject,
        events: &events,
        at,
        evidence,
        others,
        machines: None,
    };
    let answers = RULES.iter().filter_map(|rule| match rule.check {
        Check::Subject(kind, check) if kind == subject.kind => Some((rule, check(&scene))),
        Check::Subject(..) | Check::Landing(_) | Check::Elsewhere(_) => None,
    });
    answers.collect()
}
