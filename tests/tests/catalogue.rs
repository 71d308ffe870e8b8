//! The catalogue of events as a contract: every kind survives storage and JSON, keeps its secrets,
//! names its subjects, fits the published schema, has the bytes that it always had; and every name
//! of the domain reference has its kind and field.

use ledger::event::field::{Field, FieldInfo, Shape};
use ledger::event::json::{MEMBERS, read_fact, write_event, write_fact};
use ledger::event::{Actor, Event, KINDS, KindInfo, schema};
use ledger::secret::{Pepper, PublicKeyring};
use ledger::subject::{Subject, SubjectKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tests::domain;
use tests::sample::{self, Extent};
use tests::story;

/// Every kind in both extents.
fn samples() -> impl Iterator<Item = (&'static KindInfo, Extent)> {
    let both = |kind| Extent::ALL.map(|extent| (kind, extent));
    KINDS.iter().flat_map(both)
}

#[test]
fn every_kind_survives_storage_and_json() {
    for (kind, extent) in samples() {
        let event = sample::event(kind, extent);
        let bytes = event.encode_checked().expect("a sample can be stored");
        assert_eq!(Event::decode(&bytes).as_ref(), Ok(&event), "{}", kind.name);
        assert_eq!(event.fact.kind().id, kind.id, "{}", kind.name);
        let exported = write_event(&event, Pepper::public().id());
        let back = read_fact(&exported, &mut PublicKeyring);
        assert_eq!(back.as_ref(), Ok(&event.fact), "{}", kind.name);
    }
}

#[test]
fn stored_bytes_that_are_cut_or_lengthened_are_refused() {
    for (kind, extent) in samples() {
        let bytes = sample::event(kind, extent).encode().expect("can be stored");
        let cut = bytes.split_last().map_or(&[][..], |(_, rest)| rest);
        assert!(Event::decode(cut).is_err(), "{} cut", kind.name);
        let longer = [&bytes[..], &[0]].concat();
        assert!(Event::decode(&longer).is_err(), "{} longer", kind.name);
    }
}

#[test]
fn no_plaintext_of_a_secret_is_stored_or_exported() {
    // Every secret of a sample begins with one of these, see `tests::sample`.
    let canaries = ["canary", "canry", "person.example", "203.0.113."];
    for (kind, extent) in samples() {
        let event = sample::event(kind, extent);
        let bytes = event.encode().expect("a sample can be stored");
        let stored = String::from_utf8_lossy(&bytes).to_lowercase();
        let exported = write_fact(&event.fact, Pepper::public().id()).to_string();
        for canary in canaries {
            assert!(!stored.contains(canary), "{} stores {canary}", kind.name);
            let exports = exported.to_lowercase().contains(canary);
            assert!(!exports, "{} exports {canary}", kind.name);
        }
    }
}

#[test]
fn every_field_of_an_id_type_names_its_subject_and_nothing_else_does() {
    for (kind, extent) in samples() {
        let json = sample::json(kind, extent);
        let mut clear = BTreeSet::new();
        let mut secret: BTreeMap<SubjectKind, BTreeSet<String>> = BTreeMap::new();
        let mut collect =
            |shape: &Shape, value: &Value| expect(shape, value, &mut clear, &mut secret);
        collect(&Shape::Record(kind.name, (kind.fields)()), &json["data"]);
        collect(&Shape::Optional(Box::new(Actor::shape())), &json["actor"]);
        let named = sample::fact(kind, extent).subjects();
        assert!(named.is_sorted(), "{}", kind.name);
        for subject in &clear {
            assert!(
                named.contains(subject),
                "{} leaves out {subject}",
                kind.name
            );
        }
        for (of, values) in &secret {
            let count = named.iter().filter(|subject| subject.kind == *of).count();
            assert_eq!(count, values.len(), "{}: {of:?}", kind.name);
        }
        let hidden: usize = secret.values().map(BTreeSet::len).sum();
        assert_eq!(
            named.len(),
            clear.len() + hidden,
            "{}: {named:?}",
            kind.name
        );
    }
}

#[test]
fn every_kind_of_subject_is_named_by_some_event() {
    let subjects = samples().flat_map(|(kind, extent)| sample::fact(kind, extent).subjects());
    let named: BTreeSet<SubjectKind> = subjects.map(|subject| subject.kind).collect();
    assert_eq!(named, SubjectKind::ALL.iter().copied().collect());
}

/// Collects the subjects that a value of a shape has to name: ids as they are, secrets by kind.
fn expect(
    shape: &Shape,
    value: &Value,
    clear: &mut BTreeSet<Subject>,
    secret: &mut BTreeMap<SubjectKind, BTreeSet<String>>,
) {
    match shape {
        _ if value.is_null() => {}
        Shape::Names(kind, _) => {
            clear.insert(Subject::new(*kind, value.as_str().expect("an id")));
        }
        Shape::Secret(what) => {
            let kinds = [
                ("an activation key", SubjectKind::Key),
                ("a person", SubjectKind::Person),
                ("a machine", SubjectKind::Seat),
            ];
            if let Some((_, kind)) = kinds.iter().find(|(start, _)| what.starts_with(start)) {
                secret.entry(*kind).or_default().insert(value.to_string());
            }
        }
        Shape::Optional(inner) => expect(inner, value, clear, secret),
        Shape::List(inner) => {
            for value in value.as_array().into_iter().flatten() {
                expect(inner, value, clear, secret);
            }
        }
        Shape::Record(_, fields) => {
            for field in fields {
                expect(&field.shape, &value[field.name], clear, secret);
            }
        }
        Shape::Text(_)
        | Shape::Integer(..)
        | Shape::Boolean
        | Shape::Date
        | Shape::Instant
        | Shape::Choice(..) => {}
    }
}

#[test]
fn numbers_names_and_ranks_are_unique_and_everything_is_explained() {
    let unique = |what: &str, values: BTreeSet<String>| {
        assert_eq!(values.len(), KINDS.len(), "two kinds share a {what}");
    };
    unique(
        "number",
        KINDS.iter().map(|kind| kind.id.0.to_string()).collect(),
    );
    unique(
        "name",
        KINDS.iter().map(|kind| kind.name.to_owned()).collect(),
    );
    unique(
        "rank",
        KINDS.iter().map(|kind| kind.rank.to_string()).collect(),
    );
    assert!(KINDS.is_sorted_by_key(|kind| kind.id));
    for kind in KINDS {
        assert!(kind.doc.ends_with('.'), "{} has no sentence", kind.name);
        assert!(!kind.source.is_empty() && kind.version > 0, "{}", kind.name);
        let fields = (kind.fields)();
        assert!(!fields.is_empty(), "{} carries nothing", kind.name);
        for field in fields {
            let doc = field.doc.trim();
            assert!(doc.ends_with('.'), "{}.{}: {doc}", kind.name, field.name);
        }
    }
}

#[test]
fn the_published_schema_takes_every_story_sample_and_export_and_refuses_what_reading_refuses() {
    let schema = schema::events();
    jsonschema::meta::validate(&schema).expect("the schema is one of its draft");
    let validator = jsonschema::validator_for(&schema).expect("the schema can be used");
    let check = |value: &Value, whose: &str| {
        if let Some(error) = validator.iter_errors(value).next() {
            panic!("{whose}: {error} at {}", error.instance_path());
        }
    };
    for story in story::all() {
        for (line, number) in story.lines().iter().zip(1..) {
            check(line, &format!("{} line {number}", story.name));
        }
    }
    for (kind, extent) in samples() {
        let json = sample::json(kind, extent);
        check(&json, kind.name);
        let event = sample::event(kind, extent);
        check(&write_event(&event, Pepper::public().id()), kind.name);
        let mut misspelt = json.clone();
        misspelt["data"]["no_such_field"] = Value::from(1);
        assert!(
            !validator.is_valid(&misspelt),
            "{} takes any field",
            kind.name
        );
        for field in (kind.fields)() {
            let optional = matches!(field.shape, Shape::Optional(_) | Shape::List(_));
            let mut without = json.clone();
            without["data"]
                .as_object_mut()
                .expect("data")
                .remove(field.name);
            let name = (kind.name, field.name);
            assert_eq!(validator.is_valid(&without), optional, "{name:?}");
            let read = read_fact(&without, &mut PublicKeyring);
            assert_eq!(read.is_ok(), optional, "{name:?}");
        }
    }
}

/// The stored bytes never change: a change is a new version of the kind and an upcaster for the old
/// one. `UPDATE_GOLDEN=1` writes the file anew, for kinds that are added.
#[test]
fn every_kind_has_the_bytes_that_it_always_had() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/events.txt");
    let mut text = String::new();
    for (kind, extent) in samples() {
        let event = sample::event(kind, extent);
        let bytes = event.encode().expect("a sample can be stored");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(
            text,
            "{} {} {} {hex}",
            kind.name,
            kind.version,
            extent.name()
        )
        .expect("a text");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    for (old, new) in golden.lines().zip(text.lines()) {
        let name: Vec<&str> = old.split(' ').take(3).collect();
        assert!(old == new, "{} is not stored as it was", name.join(" "));
    }
    assert_eq!(
        golden.lines().count(),
        text.lines().count(),
        "kinds are missing"
    );
}

/// Stores hold these bytes: they are decoded as they are, whatever the samples have become.
#[test]
fn the_golden_bytes_are_still_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/events.txt");
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    for line in golden.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let [name, version, _, hex] = parts[..] else {
            panic!("no golden line: {line}");
        };
        let digits = hex.as_bytes().chunks_exact(2);
        let bytes: Vec<u8> = digits
            .map(|pair| {
                let pair = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(pair, 16).expect("hexadecimal")
            })
            .collect();
        let event = Event::decode(&bytes).unwrap_or_else(|e| panic!("{name} {version}: {e}"));
        assert_eq!(event.fact.kind().name, name);
    }
}

#[test]
fn every_name_of_the_domain_reference_has_its_kind_and_field() {
    for entry in domain::entries() {
        let whose = format!("section {}, {}", entry.section, entry.name);
        assert!(!entry.inputs.is_empty(), "{whose} has no entry");
        for input in entry.inputs {
            if let Err(missing) = resolve(input) {
                panic!("{whose}: {input}: {missing}");
            }
        }
    }
}

#[test]
fn every_rule_about_wrong_tenants_and_every_section_has_its_inputs() {
    let entries = domain::entries();
    let of = |section| entries.iter().filter(move |entry| entry.section == section);
    let rules = of("9").map(|entry| entry.name);
    let rules: Vec<&str> = rules.filter(|name| name.starts_with('W')).collect();
    let all: Vec<String> = (1..=27).map(|number| format!("W{number}")).collect();
    assert_eq!(rules, all);
    let counts = ["1.1", "1.2", "5"].map(|section| of(section).count());
    assert_eq!(counts, [11, 14, 6]);
}

#[test]
fn a_missing_kind_field_or_word_is_noticed() {
    for wrong in [
        "KeysRedeamed",
        "KeysRedeemed.sesion",
        "KeysRedeemed.effects.seats",
        "KeysRedeemed.mode=Renewed",
        "KeysRedeemed.session=Cached",
        "envelope.actors",
        "envelope.actor.kind=Nobody",
    ] {
        assert!(resolve(wrong).is_err(), "{wrong}");
    }
}

/// Looks an entry of the domain tables up in the catalogue; an error says what is missing.
fn resolve(entry: &str) -> Result<(), String> {
    let (path, word) = match entry.split_once('=') {
        Some((path, word)) => (path, Some(word)),
        None => (entry, None),
    };
    let mut parts = path.split('.');
    let root = parts.next().unwrap_or_default();
    let mut shape = if root == "envelope" {
        let envelope = ledger_envelope();
        Shape::Record("envelope", envelope)
    } else {
        let kind = KindInfo::named(root).ok_or("no such kind")?;
        Shape::Record(kind.name, (kind.fields)())
    };
    for part in parts {
        let Shape::Record(_, fields) = bare(shape) else {
            return Err(format!("what holds {part} has no fields"));
        };
        let field = fields.into_iter().find(|field| field.name == part);
        shape = field.ok_or(format!("no field {part}"))?.shape;
    }
    match (word, bare(shape)) {
        (None, _) => Ok(()),
        (Some(word), Shape::Choice(_, words)) if words.iter().any(|(w, _)| *w == word) => Ok(()),
        (Some(word), _) => Err(format!("no word {word}")),
    }
}

/// What every event carries besides its payload, as far as the domain tables speak of it.
fn ledger_envelope() -> Vec<FieldInfo> {
    let fields = [
        ("actor", Actor::shape()),
        ("policies", Vec::<ledger::event::part::PolicyRef>::shape()),
    ];
    let fields = fields.map(|(name, shape)| FieldInfo {
        name,
        doc: "",
        shape,
    });
    assert!(fields.iter().all(|field| MEMBERS.contains(&field.name)));
    fields.into()
}

/// The shape of one value, without lists and options around it.
fn bare(shape: Shape) -> Shape {
    match shape {
        Shape::Optional(inner) | Shape::List(inner) => bare(*inner),
        other => other,
    }
}
