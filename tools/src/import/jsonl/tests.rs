//! Event lines are read, and every line that is none is refused with its line and column.

use super::*;
use ledger::secret::PublicKeyring;
use std::io::{Seek, Write};

const LINE: &str = r#"{"kind":"TenantCreated","occurred_at":"2024-03-11","source":{"system":"graph","record":"r1"},"data":{"tenant":"contoso.onmicrosoft.example","created_via":"SignUpChoice"}}"#;

fn read(bytes: &[u8]) -> Vec<Result<Record, Refusal>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let mut input = Input::new("events.jsonl".to_owned(), None, file);
    let mut records = Vec::new();
    let given = Given::default();
    Jsonl
        .read(&mut input, &given, &mut PublicKeyring, &mut |record, _| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    records
}

fn refusal(bytes: &[u8]) -> Refusal {
    let last = read(bytes).pop().unwrap();
    last.unwrap_err()
}

#[test]
fn blank_lines_a_byte_order_mark_and_either_line_end_are_fine() {
    let text = format!("\u{feff}{LINE}\r\n\r\n  \n{LINE}");
    let lines: Vec<u64> = read(text.as_bytes())
        .into_iter()
        .map(|one| one.unwrap().line)
        .collect();
    assert_eq!(lines, [1, 4]);
}

#[test]
fn each_mistake_has_its_line_column_reason_and_hint() {
    let changed = |from: &str, to: &str| format!("{LINE}\n{}\n", LINE.replace(from, to));
    let column = |text: &str| Some(LINE.find(text).unwrap() as u64 + 1);
    for (text, at, reason) in [
        (
            changed("\"graph\"", "7"),
            column("\"graph\""),
            "source.system should be",
        ),
        (
            changed("TenantCreated", "TenantCreate"),
            column("\"TenantCreated"),
            "kind is no event kind",
        ),
        (
            changed("2024-03-11", "2024-03-41"),
            column("\"2024"),
            "occurred_at is no time",
        ),
        (
            changed("created_via", "created_vix"),
            column("\"SignUpChoice\""),
            "data.created_vix is not a field",
        ),
        (
            changed("contoso.on", "jo@contoso.on"),
            column("\"contoso"),
            "looks like an address",
        ),
        (
            changed(",\"created_via", ";\"created_via"),
            column(",\"created_via"),
            "is not JSON",
        ),
        (
            changed("\"data\"", "\"date\""),
            column("{\"tenant"),
            "date is not a field",
        ),
    ] {
        let refusal = refusal(text.as_bytes());
        assert_eq!((refusal.line, refusal.column), (Some(2), at), "{refusal:?}");
        assert!(refusal.reason.contains(reason), "{refusal:?}");
        assert!(!refusal.hint.is_empty());
    }
    let refusal = refusal(format!("\u{feff}{}", LINE.replace("\"graph\"", "7")).as_bytes());
    assert_eq!(
        refusal.column,
        column("\"graph\"").map(|at| at + 3),
        "bytes of the mark count"
    );
}

#[test]
fn a_file_that_is_no_text_says_what_it_is() {
    for (bytes, reason) in [
        (b"".as_slice(), "empty"),
        (b"\n \r\n", "blank lines"),
        (b"\x7fELF\x02\x00\x01", "binary"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"{\"kind\":\"caf\xe9\"}", "UTF-8"),
    ] {
        let refusal = refusal(bytes);
        assert!(refusal.reason.contains(reason), "{refusal:?}");
    }
}

#[test]
fn every_cut_of_the_last_line_says_that_the_file_seems_cut_off() {
    for length in 1..LINE.len() {
        let text = format!("{LINE}\n{}", &LINE[..length]);
        let refusal = refusal(text.as_bytes());
        assert!(
            refusal.reason.contains("seems cut off"),
            "{length}: {refusal:?}"
        );
        assert_eq!(refusal.line, Some(2));
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_is_read() {
    let long = format!("{}\n{LINE}\n", "x".repeat(LINE_LENGTH_MAX_BYTES + 1));
    let records = read(long.as_bytes());
    assert!(
        records[0]
            .as_ref()
            .unwrap_err()
            .reason
            .contains("longer than")
    );
    assert_eq!(records[1].as_ref().unwrap().line, 2);
}

#[test]
fn no_refusal_repeats_a_secret() {
    let key = "QQQQQ-WWWWW-RRRRR-TTTTT-YYYY7";
    for text in [
        LINE.replace("contoso.onmicrosoft.example", key),
        LINE.replace("\"tenant\"", &format!("\"{key}\"")),
        LINE.replace("TenantCreated", key),
        LINE.replace("2024-03-11", key),
        LINE.replace("\"r1\"", &format!("\"{key}\"")),
        format!("{key}{LINE}"),
        LINE.replace("SignUpChoice", "jo.blake@contoso.example"),
    ] {
        let shown = format!("{:?}", refusal(text.as_bytes()));
        assert!(
            !shown.contains("QQQQQ") && !shown.contains("jo.blake"),
            "{shown}"
        );
    }
}
