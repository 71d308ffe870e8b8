//! `jsonl`: the ledger's own JSON form, one event a line, as `actl schema events` describes it.

use super::input::{Input, LINE_LENGTH_MAX_BYTES, LineEnd};
use super::locate::value_at;
use super::{Given, Importer, Info, Record, Refusal, Sink};
use crate::error::Failure;
use ledger::event::json::read_fact;
use ledger::secret::Keyring;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

const BOM: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";
const GET_AGAIN: &str = "get the file once more from where it was made";

/// Reads one event a line. Blank lines, a byte order mark and either line end are fine.
pub struct Jsonl;

impl Importer for Jsonl {
    fn info(&self) -> Info {
        Info {
            name: "jsonl",
            about: "events in their JSON form, one a line",
            extensions: &["jsonl", "ndjson"],
            takes_given: false,
        }
    }

    fn read(
        &self,
        input: &mut Input,
        given: &Given,
        keyring: &mut dyn Keyring,
        sink: &mut Sink<'_>,
    ) -> Result<(), Failure> {
        let mut line = Zeroizing::new(Vec::new());
        let mut records = 0_u64;
        while let Some(end) = input.next_line(&mut line)? {
            let bytes = match input.line() {
                1 => line.strip_prefix(BOM).unwrap_or(&line),
                _ => &line,
            };
            if let Some(refusal) = no_text(bytes, input.line()) {
                return sink(Err(refusal), input);
            }
            if end != LineEnd::TooLong && bytes.trim_ascii().is_empty() {
                continue;
            }
            records += 1;
            let skipped_bytes = line.len() - bytes.len();
            let place = (skipped_bytes, end, input.line());
            let record = read_line(bytes, place, given, keyring);
            sink(record, input)?;
        }
        if records == 0 {
            let reason = match input.consumed_bytes() {
                0 => "the file is empty",
                _ => "the file holds nothing but blank lines",
            };
            sink(Err(Refusal::whole(reason, GET_AGAIN)), input)?;
        }
        Ok(())
    }
}

/// Why a file is no text at all, if it is none.
fn no_text(bytes: &[u8], line: u64) -> Option<Refusal> {
    let first = line == 1;
    if first && (bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
        let hint = "write it again as UTF-8, in PowerShell with `-Encoding utf8`";
        return Some(Refusal::whole("the file is UTF-16 text, not UTF-8", hint));
    }
    if first && bytes.starts_with(GZIP) {
        let hint = "unpack it first, for example with `gunzip`";
        return Some(Refusal::whole("the file is compressed with gzip", hint));
    }
    let zero = bytes.iter().position(|byte| *byte == 0)?;
    let reason = "the file holds a NUL byte, so it is binary and no text";
    let hint = "check that this is the right file; one event a line is expected";
    Some(Refusal::at(line, zero as u64 + 1, reason, hint))
}

fn read_line(
    bytes: &[u8],
    (skipped_bytes, end, line): (usize, LineEnd, u64),
    given: &Given,
    keyring: &mut dyn Keyring,
) -> Result<Record, Refusal> {
    let at = |offset: usize, reason: String, hint: &str| {
        Refusal::at(line, (skipped_bytes + offset) as u64 + 1, reason, hint)
    };
    if end == LineEnd::TooLong {
        let reason = format!("the line is longer than {LINE_LENGTH_MAX_BYTES} bytes");
        return Err(at(LINE_LENGTH_MAX_BYTES, reason, "write one event a line"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let hint = "write the file as UTF-8";
        at(error.valid_up_to(), "is not UTF-8 text".to_owned(), hint)
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let offset = error.column().saturating_sub(1);
        if end == LineEnd::Source && error.is_eof() {
            let reason = "the file seems cut off: its last line ends within an event";
            return at(offset, reason.to_owned(), GET_AGAIN);
        }
        let reason = format!("is not JSON: {}", without_place(&error));
        at(offset, reason, "each line has to be one whole JSON object")
    })?;
    let said = match &given.translator {
        None => Ok(value),
        Some(translator) => translator.translate(value),
    };
    said.and_then(|mut value| {
        let fact = read_fact(&value, keyring);
        wipe(&mut value);
        fact
    })
    .map(|fact| Record { line, fact })
    .map_err(|error| {
        let column = skipped_bytes + value_at(text, &error.path) + 1;
        Refusal::field(line, column as u64, &error)
    })
}

/// Overwrites the texts of a value: keys and names exist no longer than they have to.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The parser's message without its own line and column, which are those of the one line it saw.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
