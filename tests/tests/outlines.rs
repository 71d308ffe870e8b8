//! What a walk over a stored event finds is what decoding it finds: the subjects, the record, whether it
//! corrects another event, and the event without what is sealed. And decoding by declared fields finds what
//! serde finds.

use ledger::event::walk::{Outline, kind_of};
use ledger::event::{Event, KINDS};
use ledger::id::Position;
use ledger::secret::Sealed;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use tests::arbitrary::{self, Dice};
use tests::sample::{self, Extent};

fn assert_walked(outline: &mut Outline, event: &Event) {
    let kind = event.kind().name;
    let stored = event.encode_checked().expect("it can be stored");
    assert_decoded(event, &stored);
    outline.read(&stored).expect("it can be walked over");
    assert_eq!(outline.position(), event.position, "{kind}");
    assert_eq!(outline.id(), event.id, "{kind}");
    assert_eq!(outline.kind(), event.kind().id, "{kind}");
    assert_eq!(outline.corrects(), event.corrects.is_some(), "{kind}");
    let record = event.source.record.as_ref();
    let record = record.map(|record| (event.source.system.as_str(), record.as_str()));
    let walked = outline.record(&stored);
    let walked = walked.map(|(system, record)| (text(system), text(record)));
    assert_eq!(walked, record, "{kind}");
    let walked = outline.subjects();
    let walked: Vec<Subject> = walked.map(|(k, id)| Subject::new(k, text(id))).collect();
    assert_eq!(walked, event.subjects(), "{kind}");
    let mut named = Vec::new();
    event.payload.subjects(&mut named);
    let walked = outline.named().map(|(k, id)| Subject::new(k, text(id)));
    assert_eq!(walked.collect::<Vec<_>>(), named, "{kind}");
    let about = outline.about().map(|(k, id)| Subject::new(k, text(id)));
    assert_eq!(about, named.first().cloned(), "{kind}");
    let outside = outline
        .named_outside()
        .map(|(k, id)| Subject::new(k, text(id)));
    named.extend(outside);
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, event.subjects(), "{kind}");
    assert_eq!(outline.occurred(), event.occurred_at.start, "{kind}");
    assert_eq!(outline.observed(), event.observed(), "{kind}");
    assert_eq!(kind_of(&stored), Some(event.kind().id), "{kind}");
    let mut stripped = event.clone();
    stripped
        .fact
        .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty(sealed.owner));
    let mut written = vec![7];
    outline.write_without_ciphertext(&stored, &mut written);
    assert_eq!(written.split_off(1), stripped.encode().unwrap(), "{kind}");
    stripped
        .fact
        .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty([0; 16]));
    outline.write_without_sealed(&stored, &mut written);
    assert_eq!(written.split_off(1), stripped.encode().unwrap(), "{kind}");
    for length in (0..stored.len()).step_by(1 + stored.len() / 40) {
        assert!(outline.read(&stored[..length]).is_err(), "{kind} {length}");
    }
    assert!(outline.read(&[&stored[..], &[0]].concat()).is_err());
}

/// Decoding as the fields are declared is decoding by what serde derives, of what was stored and of what
/// was changed since.
fn assert_decoded(event: &Event, stored: &[u8]) {
    let kind = event.kind().name;
    assert_eq!(Event::decode(stored).as_ref(), Ok(event), "{kind}");
    assert_eq!(Event::decode_by_serde(stored).as_ref(), Ok(event), "{kind}");
    let mut changed = stored.to_vec();
    for at in (0..stored.len()).step_by(1 + stored.len() / 30) {
        for byte in [0, 1, 0xff] {
            changed[at] = byte;
            let decoded = Event::decode(&changed);
            assert_eq!(decoded, Event::decode_by_serde(&changed), "{kind} {at}");
        }
        changed[at] = stored[at];
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("ids are texts")
}

#[test]
fn a_walk_finds_what_decoding_finds_of_every_kind() {
    let mut outline = Outline::default();
    for kind in KINDS {
        for extent in [Extent::Full, Extent::Required] {
            assert_walked(&mut outline, &sample::event(kind, extent));
        }
    }
}

#[test]
fn a_walk_finds_what_decoding_finds_of_the_stories_and_of_anything() {
    let mut outline = Outline::default();
    let stories = tests::story::all()
        .into_iter()
        .flat_map(|story| story.facts);
    let mut facts: Vec<_> = stories.collect();
    let mut dice = Dice::new(7);
    for (number, kind) in (0..20).flat_map(|_| KINDS).enumerate() {
        let earlier = facts.len().min(50);
        let fact = arbitrary::fact_of(kind, &mut dice, number, &facts[..earlier]);
        facts.push(fact);
    }
    for (position, fact) in (1..).zip(facts) {
        let event = Event {
            position: Position(position),
            recorded_at: Timestamp::from_micros(-1),
            fact,
        };
        assert_walked(&mut outline, &event);
    }
}
