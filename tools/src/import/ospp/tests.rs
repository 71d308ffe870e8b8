//! Reports as consoles, editors and PowerShell leave them become one observation a product, or an
//! error that says where it stands and what to do.

use super::*;
use crate::import::{Given, Importer, Refusal};
use ledger::event::json::write_fact;
use ledger::secret::PublicKeyring;
use std::io::{Seek, Write};
use std::path::PathBuf;

const SAMPLE: &str = include_str!("samples/two_products.txt");
const NAME: &str = "PC-0042_jo.blake@contoso.example_2013-10-01T0942Z.txt";

fn read(bytes: &[u8], name: &str, given: &Given) -> Vec<Result<Record, Refusal>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let mut input = Input::new("report".to_owned(), Some(PathBuf::from(name)), file);
    let mut records = Vec::new();
    Ospp.read(&mut input, given, &mut PublicKeyring, &mut |record, _| {
        records.push(record);
        Ok(())
    })
    .unwrap();
    records
}

fn facts(text: &str) -> Vec<Record> {
    let records = read(text.as_bytes(), NAME, &Given::default());
    records.into_iter().map(Result::unwrap).collect()
}

fn refusal(text: &str) -> Refusal {
    let mut records = read(text.as_bytes(), NAME, &Given::default());
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0).unwrap_err()
}

fn report(product: &str) -> String {
    format!("---Processing-----\n----------------\n{product}\n----------------\n---Exiting-----\n")
}

#[test]
fn each_product_is_one_observation() {
    let records = facts(SAMPLE);
    let lines: Vec<String> = records
        .iter()
        .map(|record| {
            let mut event = write_fact(&record.fact, PublicKeyring.pepper().id());
            event["data"]["machine"]["sealed"] = "...".into();
            event["data"]["user"]["sealed"] = "...".into();
            format!("line {}: {event:#}", record.line)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn utf16_and_foreign_line_ends_and_code_pages_make_the_same_observations() {
    let expected = facts(SAMPLE);
    let crlf = SAMPLE.replace('\n', "\r\n");
    let le: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let old_console = [b"caf\x82 \x81\r\n".as_slice(), crlf.as_bytes()].concat();
    for bytes in [
        crlf.clone().into_bytes(),
        le.clone(),
        [b"\xff\xfe".as_slice(), &le].concat(),
        [b"\xfe\xff".as_slice(), &be].concat(),
        [b"\xef\xbb\xbf".as_slice(), crlf.as_bytes()].concat(),
        old_console,
    ] {
        let records = read(&bytes, NAME, &Given::default());
        let facts: Vec<_> = records.into_iter().map(|one| one.unwrap().fact).collect();
        assert_eq!(
            facts,
            expected
                .iter()
                .map(|one| one.fact.clone())
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn all_eight_states_are_read_in_either_spelling() {
    for (printed, state) in [
        ("---LICENSED---", "Licensed"),
        ("---OOB_GRACE---", "OobGrace"),
        ("---OOT_GRACE--- ", "OotGrace"),
        ("---NON_GENUINE_GRACE---", "NonGenuineGrace"),
        ("\n---NOTIFICATIONS---", "Notifications"),
        ("---EXTENDED GRACE---", "ExtendedGrace"),
        ("---EXTENDED_GRACE---", "ExtendedGrace"),
        ("---UNLICENSED---", "Unlicensed"),
        ("---unknown---", "Unknown"),
    ] {
        let records = facts(&report(&format!(
            "LICENSE NAME: X\nLICENSE STATUS: {printed}"
        )));
        let data = records[0]
            .fact
            .payload
            .write_json(PublicKeyring.pepper().id());
        assert_eq!(data["state"], state, "{printed}");
    }
}

#[test]
fn minutes_count_and_days_only_where_no_minutes_are_printed() {
    for (printed, minutes) in [
        ("25 days  (36000 minute(s) before expiring)", 36000),
        ("30 days  (36000 minute(s) before expiring)", 36000),
        ("0 days\n (59 minute(s) before expiring)", 59),
        ("5 days", 7200),
    ] {
        let product = format!("LICENSE STATUS: ---OOB_GRACE---\nREMAINING GRACE: {printed}");
        let data = facts(&report(&product))[0]
            .fact
            .payload
            .write_json(PublicKeyring.pepper().id());
        assert_eq!(data["remaining_minutes"], minutes, "{printed}");
    }
}

#[test]
fn a_label_that_comes_again_begins_the_next_product() {
    let text = report(
        "LICENSE NAME: A\nLICENSE STATUS: ---LICENSED---\nLICENSE NAME: B\nLICENSE STATUS: ---UNLICENSED---",
    );
    assert_eq!(facts(&text).len(), 2);
}

#[test]
fn what_is_no_whole_report_is_refused_with_its_place() {
    let cut = SAMPLE.split("---Exiting").next().unwrap();
    let late = SAMPLE.split_once("---Processing").unwrap().1;
    for (text, line, reason) in [
        (cut, Some(4), "cut off"),
        (&late.replacen("--", "", 1), None, "beginning"),
        ("hello\n", None, "no ---Processing---"),
        ("", None, "empty"),
        ("MZ\0\0\u{1}", None, "binary"),
        (
            &report("<No installed product keys detected>"),
            None,
            "no product",
        ),
        (&report("LICENSE NAME: X"), Some(3), "no LICENSE STATUS"),
        (
            &report("LICENSE NAME: X\nLICENSE STATUS: ---BROKEN---"),
            Some(4),
            "no state",
        ),
        (
            &report("LICENSE STATUS: ---LICENSED---\nREMAINING GRACE: soon"),
            Some(4),
            "no number",
        ),
        (
            &report("LICENSE STATUS: ---LICENSED---\nLICENSE NAME: for jo@contoso.example"),
            Some(4),
            "address",
        ),
        (
            &report(
                "LICENSE STATUS: ---LICENSED---\nLast 5 characters of installed product key: AB3",
            ),
            Some(4),
            "five",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.reason.contains(reason), "{refusal:?}");
        assert!(line.is_none() || refusal.line == line, "{refusal:?}");
        assert!(!refusal.hint.is_empty());
        assert!(!format!("{refusal:?}").contains("jo@"), "{refusal:?}");
    }
}

#[test]
fn who_and_when_come_from_the_caller_or_the_name_and_are_never_guessed() {
    let given = |machine: Option<&str>, user: Option<&str>, at: Option<&str>| Given {
        translator: None,
        machine: machine.map(ToOwned::to_owned),
        user: user.map(ToOwned::to_owned),
        observed_at: at.and_then(Occurred::parse),
    };
    let user = "jo.blake@contoso.example";
    let all = given(Some("pc-0042"), Some(user), Some("2013-10-01T09:42Z"));
    let by_caller = read(SAMPLE.as_bytes(), "report.txt", &all);
    let by_name = read(SAMPLE.as_bytes(), NAME, &Given::default());
    let subjects = |records: &[Result<Record, Refusal>]| -> Vec<_> {
        records
            .iter()
            .map(|one| one.as_ref().unwrap().fact.subjects())
            .collect()
    };
    assert_eq!(subjects(&by_caller), subjects(&by_name));
    for (given, missing) in [
        (given(None, Some(user), Some("2013-10-01")), "the machine:"),
        (given(Some("pc"), None, Some("2013-10-01")), "the user:"),
        (
            given(Some("pc"), Some(user), None),
            "the time of observation:",
        ),
        (
            Given::default(),
            "the machine nor the user nor the time of observation:",
        ),
    ] {
        let records = read(SAMPLE.as_bytes(), "report.txt", &given);
        let refusal = records[0].as_ref().unwrap_err();
        assert!(refusal.reason.contains(missing), "{refusal:?}");
        assert!(refusal.hint.contains("--observed-at"), "{refusal:?}");
    }
    let wrong = given(Some("pc"), Some("Jo Blake"), Some("2013-10-01"));
    let records = read(SAMPLE.as_bytes(), "report.txt", &wrong);
    let refusal = records[0].as_ref().unwrap_err();
    assert!(refusal.reason.contains("user") && !format!("{refusal:?}").contains("Blake"));
}

#[test]
fn the_same_observation_is_the_same_event_and_a_later_one_is_another() {
    assert_eq!(facts(SAMPLE), facts(SAMPLE));
    let later = NAME.replace("0942Z", "0943Z");
    let other = read(SAMPLE.as_bytes(), &later, &Given::default());
    assert_ne!(other[0].as_ref().unwrap().fact.id, facts(SAMPLE)[0].fact.id);
}
