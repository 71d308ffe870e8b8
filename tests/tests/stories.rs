//! Every story finds exactly what it expects, alone and together with all others, in whatever order
//! its lines arrive.

use ledger::event::Fact;
use ledger::time::Timestamp;
use projections::{Histories, Point, view};
use replay::audit::{Report, audit, expectation::Wanted, finding::Landed};
use serde_json::Value;
use tests::story::{self, ExpectedFinding, Story};

fn report(facts: &[Fact]) -> Report {
    report_at(facts, latest(facts))
}

fn report_at(facts: &[Fact], valid_at: Timestamp) -> Report {
    let histories = Histories::gather(story::record(facts.to_vec()));
    audit(&histories.at(Point::valid(valid_at)))
}

fn latest(facts: &[Fact]) -> Timestamp {
    let latest = facts.iter().map(|fact| fact.occurred_at.last()).max();
    latest.expect("a story has events")
}

fn found(report: &Report) -> Vec<ExpectedFinding> {
    let mut found: Vec<ExpectedFinding> = report
        .findings
        .iter()
        .map(|finding| ExpectedFinding {
            about: finding.subject(),
            codes: finding
                .codes
                .iter()
                .map(|code| (*code).to_owned())
                .collect(),
            severity: finding.severity.as_str().to_owned(),
            state: format!("{:?}", finding.state),
            expected: finding.landed().map_or_else(String::new, wanted),
            actual: finding
                .landed()
                .map_or_else(String::new, |landed| landed.actual.to_string()),
        })
        .collect();
    found.sort();
    found
}

fn wanted(landed: &Landed) -> String {
    match &landed.expected.wanted {
        Wanted::Existing(tenants) => {
            let names: Vec<_> = tenants.iter().map(ToString::to_string).collect();
            names.join(" or ")
        }
        Wanted::BornOfThisChoice => "born of this choice".to_owned(),
        Wanted::Unknown => "unknown".to_owned(),
    }
}

fn expected(story: &Story) -> Vec<ExpectedFinding> {
    let mut expected = story.expected.findings.clone();
    expected.sort();
    expected
}

#[test]
fn every_story_finds_exactly_what_it_expects() {
    let mut wrong = Vec::new();
    for story in story::all() {
        let report = report(&story.facts);
        if found(&report) != expected(&story) {
            wrong.push(format!(
                "{}:\n  found    {:#?}\n  expected {:#?}",
                story.name,
                found(&report),
                expected(&story)
            ));
        }
        let judged = (report.judged, report.not_judged.len());
        if judged != (story.expected.judged, story.expected.not_judged) {
            wrong.push(format!(
                "{}: judged and not {judged:?}, expected {:?}",
                story.name,
                (story.expected.judged, story.expected.not_judged)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_stories_together_find_what_each_finds_alone() {
    let stories = story::all();
    let facts: Vec<Fact> = stories.iter().flat_map(|s| s.facts.clone()).collect();
    // What time alone brings about depends on when one looks, so all are looked at from one instant.
    let latest = latest(&facts);
    let alone = stories.iter().map(|s| found(&report_at(&s.facts, latest)));
    let mut alone: Vec<ExpectedFinding> = alone.flatten().collect();
    alone.sort();
    assert_eq!(found(&report_at(&facts, latest)), alone);
}

#[test]
fn every_story_has_the_views_that_it_expects() {
    let mut wrong = Vec::new();
    for story in story::all() {
        let histories = Histories::gather(story::record(story.facts.clone()));
        let latest = histories.latest_occurred().expect("a story has events");
        for expected in &story.expected.views {
            let valid_at = expected.valid_at.as_ref().map_or(latest, |text| {
                ledger::time::Timestamp::parse(text)
                    .unwrap_or_else(|| panic!("{}: {text}", story.name))
            });
            let at = histories.at(Point::valid(valid_at));
            let view = view::view(&at, &story::subject(&expected.subject)).unwrap_or(Value::Null);
            for (field, value) in &expected.fields {
                let actual = view.get(field).unwrap_or(&Value::Null);
                if actual != value {
                    let subject = if expected.subject.starts_with("key:") {
                        "key"
                    } else {
                        &expected.subject
                    };
                    wrong.push(format!(
                        "{} {subject} at {valid_at}: {field} is {actual}, expected {value}",
                        story.name
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differences",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn the_order_of_arrival_changes_neither_findings_nor_views() {
    let facts: Vec<Fact> = story::all()
        .into_iter()
        .flat_map(|story| story.facts)
        .collect();
    let hash = |facts: &[Fact]| {
        let histories = Histories::gather(story::record(facts.to_vec()));
        let latest = histories.latest_occurred().expect("there are events");
        let at = histories.at(Point::valid(latest));
        (
            format!("{:?}", audit(&at)),
            view::state_hash(&at).expect("memory can be read"),
        )
    };
    let straight = hash(&facts);
    let mut other = facts.clone();
    other.reverse();
    assert!(hash(&other) == straight, "reversed");
    // A fixed shuffle: every 7919th, which is prime to any count that is not its multiple.
    for stride in [7919, 104_729] {
        assert_ne!(facts.len() % stride, 0);
        let shuffled: Vec<Fact> = (0..facts.len())
            .map(|i| facts[i * stride % facts.len()].clone())
            .collect();
        assert!(hash(&shuffled) == straight, "stride {stride}");
    }
    let mut doubled = facts.clone();
    doubled.extend(facts);
    assert!(hash(&doubled) == straight, "imported twice");
}
