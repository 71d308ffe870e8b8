//! `ospp`: the output of `cscript ospp.vbs /dstatus`, the licence states of one machine's products.
//!
//! The report does not say which machine it is about, who was signed in, and when it was made. That
//! comes from `--machine`, `--user` and `--observed-at`, or from the file's name (see [`name`]);
//! never from the file's date, which copying changes. The expiration is local time of an unknown
//! zone, so it is kept as printed (DOMAIN E13, E14).

pub mod name;
pub mod report;
pub mod text;

use super::input::Input;
use super::{Given, Importer, Info, Record, Refusal, Sink};
use crate::error::Failure;
use crate::hex;
use ledger::event::field::FieldError;
use ledger::event::json::read_fact;
use ledger::secret::{Keyring, Pepper, Purpose};
use ledger::time::Occurred;
use report::{Label, Product};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The longest report that is read, in bytes.
pub const REPORT_LENGTH_MAX_BYTES: u64 = 8 << 20;

const HOW_TO_NAME: &str = "name the file MACHINE_USER_2024-03-11T0942Z.txt, the user being an address and the time UTC, or give --machine, --user and --observed-at";

/// Reads reports of `ospp.vbs /dstatus`: one observation for each product.
pub struct Ospp;

/// Whose report it is and when it was made.
struct Context {
    machine: String,
    user: String,
    observed_at: Occurred,
}

impl Importer for Ospp {
    fn info(&self) -> Info {
        Info {
            name: "ospp",
            about: "the output of `cscript ospp.vbs /dstatus`",
            extensions: &["txt", "log"],
            takes_given: true,
        }
    }

    fn shown(&self, path: &Path) -> String {
        name::shown(path)
    }

    fn names_are_clear(&self) -> bool {
        false
    }

    fn read(
        &self,
        input: &mut Input,
        given: &Given,
        keyring: &mut dyn Keyring,
        sink: &mut Sink<'_>,
    ) -> Result<(), Failure> {
        let Some(bytes) = input.rest(REPORT_LENGTH_MAX_BYTES)? else {
            let reason = format!("the file is longer than {REPORT_LENGTH_MAX_BYTES} bytes");
            let hint = "check that this is the right file; reports are a few thousand bytes long";
            return sink(Err(Refusal::whole(reason, hint)), input);
        };
        let products = text::decode(&bytes).and_then(|text| report::read(&text));
        let context = context(input.path.as_deref(), given);
        match products.and_then(|products| context.map(|context| (products, context))) {
            Err(refusal) => sink(Err(refusal), input),
            Ok((products, context)) => products
                .iter()
                .try_for_each(|product| sink(record(product, &context, keyring), input)),
        }
    }
}

/// What is given has precedence over what the file's name says.
fn context(path: Option<&Path>, given: &Given) -> Result<Context, Refusal> {
    let named = path.and_then(name::read).unwrap_or_default();
    let machine = given.machine.clone().or(named.machine);
    let user = given.user.clone().or(named.user);
    let observed_at = given.observed_at.or(named.observed_at);
    match (machine, user, observed_at) {
        (Some(machine), Some(user), Some(observed_at)) => Ok(Context {
            machine,
            user,
            observed_at,
        }),
        (machine, user, observed_at) => {
            let missing: Vec<&str> = [
                ("the machine", machine.is_none()),
                ("the user", user.is_none()),
                ("the time of observation", observed_at.is_none()),
            ]
            .iter()
            .filter_map(|(what, missing)| missing.then_some(*what))
            .collect();
            let reason = format!(
                "nothing says {}: the report does not, and neither does the file's name",
                missing.join(" nor ")
            );
            Err(Refusal::whole(reason, HOW_TO_NAME))
        }
    }
}

fn record(
    product: &Product,
    context: &Context,
    keyring: &mut dyn Keyring,
) -> Result<Record, Refusal> {
    let state = product.state()?;
    let minutes = product.remaining_minutes()?;
    let texts = [
        ("product", Label::Name),
        ("description", Label::Description),
        ("sku_id", Label::SkuId),
        ("error_code", Label::ErrorCode),
        ("expires", Label::Expiration),
        ("machine_key_last5", Label::LastFive),
    ];
    let mut data = Map::new();
    data.insert("machine".to_owned(), Value::from(context.machine.as_str()));
    data.insert("user".to_owned(), Value::from(context.user.as_str()));
    data.insert("state".to_owned(), Value::from(state.as_str()));
    data.insert("tool".to_owned(), Value::from("ospp.vbs"));
    for (field, label) in texts {
        if let Some(found) = product.get(label) {
            data.insert(field.to_owned(), Value::from(found.value.as_str()));
        }
    }
    if let Some(minutes) = minutes {
        data.insert("remaining_minutes".to_owned(), Value::from(minutes));
    }
    let record = record_id(&keyring.pepper(), product, context);
    let event = json!({
        "kind": "LicenseStateObserved",
        "occurred_at": context.observed_at.to_string(),
        "source": { "system": "ospp", "record": record },
        "data": data,
    });
    let line = product.line;
    let place = |error: FieldError| {
        let field = error.path.last().map(String::as_str);
        let label = texts.iter().find(|(name, _)| Some(*name) == field);
        match label.and_then(|(_, label)| product.get(*label)) {
            Some(found) => Refusal::field(found.line, found.column, &error),
            None => Refusal::field(line, 1, &error),
        }
    };
    let fact = read_fact(&event, keyring).map_err(place)?;
    Ok(Record { line, fact })
}

/// The report has no number of its own, so that of a record is a keyed digest of what it says, of
/// whom and when: the same observation imported twice is known.
fn record_id(pepper: &Pepper, product: &Product, context: &Context) -> String {
    let machine = context.machine.trim().to_lowercase();
    let time = context.observed_at.to_string();
    let content = product.content();
    let parts = [machine.as_bytes(), time.as_bytes(), content.as_bytes()];
    hex::write(&pepper.pseudonym(Purpose::Event, &parts))
}

#[cfg(test)]
mod tests;
