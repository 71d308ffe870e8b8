//! Every story gives the views that it expects, whatever order its lines are imported in, alone and
//! together with all other stories.

use ledger::event::{Event, Fact};
use ledger::id::Position;
use ledger::secret::Pepper;
use ledger::time::Timestamp;
use projections::view::{state_hash, view};
use projections::{Histories, Point};
use tests::corpus::{Story, protected, stories};

fn recorded(facts: impl IntoIterator<Item = Fact>) -> Histories {
    let recorded_at = Timestamp::MAX;
    Histories::gather(facts.into_iter().zip(1..).map(|(fact, position)| Event {
        position: Position(position),
        recorded_at,
        fact,
    }))
}

/// The differences between what a story expects and what the histories give.
fn differences(story: &Story, histories: &Histories) -> Vec<String> {
    let facts = story.facts();
    let latest = facts.iter().map(|fact| fact.occurred_at.last()).max();
    let mut wrong = Vec::new();
    for expected in &story.expected.views {
        let valid_at = expected
            .valid_at
            .as_deref()
            .map(|text| Timestamp::parse(text).unwrap_or_else(|| panic!("{}: {text}", story.name)));
        let valid_at = valid_at.or(latest).expect("a story has events");
        let at = histories.at(Point::valid(valid_at));
        let subject = protected(&expected.subject, &Pepper::public()).expect("a subject");
        let Some(seen) = view(&at, &subject) else {
            wrong.push(format!(
                "{}: no view of {subject} at {valid_at}",
                story.name
            ));
            continue;
        };
        for (field, value) in &expected.fields {
            if seen.get(field) != Some(value) {
                let seen = seen.get(field);
                wrong.push(format!(
                    "{}: {subject} at {valid_at}: {field} should be {value}, is {seen:?}",
                    story.name
                ));
            }
        }
    }
    wrong
}

#[test]
fn every_story_gives_its_views_alone_and_among_all_others() {
    let stories = stories();
    let together = recorded(stories.iter().flat_map(Story::facts));
    let mut wrong = Vec::new();
    for story in &stories {
        wrong.extend(differences(story, &recorded(story.facts())));
        let among = differences(story, &together);
        wrong.extend(among.into_iter().map(|text| format!("(together) {text}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_the_lines_changes_no_view() {
    for story in stories() {
        let facts = story.facts();
        let point = Point::valid(Timestamp::MAX);
        let hash = |facts: Vec<Fact>| state_hash(&recorded(facts).at(point));
        let in_order = hash(facts.clone());
        let mut other: Vec<Fact> = facts.iter().rev().cloned().collect();
        assert_eq!(hash(other.clone()), in_order, "{} backwards", story.name);
        other.sort_by_key(|fact| fact.id);
        assert_eq!(hash(other), in_order, "{} by id", story.name);
    }
}
