//! The published JSON Schema of events, made from the same definitions as their stored form.

use super::field::{Field, FieldInfo, Shape};
use super::json::MEMBERS;
use super::{Actor, KINDS, Source};
use crate::event::part::PolicyRef;
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of the JSON form of events.
pub fn events() -> Value {
    let mut definitions = Map::new();
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let data = record(&(kind.fields)(), &mut definitions);
            definitions.insert(kind.name.to_owned(), data);
            json!({
                "if": { "properties": { "kind": { "const": kind.name } } },
                "then": { "properties": { "data": { "$ref": format!("#/$defs/{}", kind.name) } } }
            })
        })
        .collect();
    for kind in KINDS {
        if let Some(Value::Object(data)) = definitions.get_mut(kind.name) {
            let text = format!("{} Source: {}.", kind.doc, kind.source);
            data.insert("description".into(), Value::from(text));
        }
    }
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let reference = json!({
        "description": "another event: `event:ID`, or the id of a record of the same system, or {system, record}",
        "oneOf": [{ "type": "string" }, shape(&Source::shape(), &mut definitions)]
    });
    let properties = json!({
        "id": { "type": "string", "pattern": "^[0-9a-f]{32}$", "description": "made from source and body when absent; exports carry it" },
        "kind": { "enum": names },
        "occurred_at": { "type": "string", "description": "when it happened: an instant, minute, day or month; the form says how precisely it is known" },
        "observed_at": described(shape(&Shape::Instant, &mut definitions), "when the source observed it"),
        "actor": shape(&Actor::shape(), &mut definitions),
        "source": shape(&Source::shape(), &mut definitions),
        "correlation": { "type": "string", "description": "what it belongs together with, in its source's words" },
        "causation": reference, "corrects": reference,
        "policies": shape(&Vec::<PolicyRef>::shape(), &mut definitions),
        "data": { "type": "object" },
        "position": { "type": "integer", "description": "of the log that it was exported from; not read" },
        "recorded_at": { "type": "string", "description": "of the log that it was exported from; not read" }
    });
    debug_assert!(MEMBERS.iter().all(|name| properties.get(name).is_some()));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Activation ledger event",
        "description": "One event of the activation ledger, one JSON object a line.",
        "type": "object",
        "required": ["kind", "occurred_at", "source"],
        "additionalProperties": false,
        "properties": properties,
        "allOf": kinds,
        "$defs": definitions,
    })
}

fn described(mut value: Value, doc: &str) -> Value {
    if let Value::Object(map) = &mut value {
        // A reference may have neighbours in this draft, so a description can always be added.
        map.insert("description".into(), Value::from(doc));
    }
    value
}

fn record(fields: &[FieldInfo], definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        if !matches!(field.shape, Shape::Optional(_) | Shape::List(_)) {
            required.push(Value::from(field.name));
        }
        let value = described(shape(&field.shape, definitions), field.doc.trim());
        properties.insert(field.name.to_owned(), value);
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn shape(of: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match of {
        Shape::Text(name) | Shape::Names(_, name) => {
            json!({ "type": "string", "title": name, "minLength": 1 })
        }
        Shape::Integer(unit, min, max) => {
            json!({ "type": "integer", "title": unit, "minimum": min, "maximum": max })
        }
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::Instant => json!({ "type": "string", "format": "date-time" }),
        Shape::Secret(what) => json!({ "title": what, "type": ["string", "object"] }),
        Shape::Optional(inner) => shape(inner, definitions),
        Shape::List(inner) => json!({ "type": "array", "items": shape(inner, definitions) }),
        Shape::Choice(name, words) => {
            if !definitions.contains_key(*name) {
                let words: Vec<Value> = words
                    .iter()
                    .map(|(word, doc)| json!({ "const": word, "description": doc.trim() }))
                    .collect();
                definitions.insert((*name).to_owned(), json!({ "oneOf": words }));
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
        Shape::Record(name, fields) => {
            if !definitions.contains_key(*name) {
                let value = record(fields, definitions);
                definitions.insert((*name).to_owned(), value);
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
    }
}
