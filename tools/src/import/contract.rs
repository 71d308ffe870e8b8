//! What holds for every importer, whatever it reads.

use super::input::Input;
use super::{Given, IMPORTERS, Importer, Record, Refusal};
use ledger::secret::PublicKeyring;
use ledger::time::Occurred;
use std::io::{Seek, Write};

const KEY: &str = "QQQQQ-WWWWW-RRRRR-TTTTT-YYYY7";

fn read(importer: &dyn Importer, bytes: &[u8]) -> Vec<Result<Record, Refusal>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let mut input = Input::new("source".to_owned(), None, file);
    let given = match importer.info().takes_given {
        false => Given::default(),
        true => Given {
            translator: None,
            machine: Some("PC-0042".to_owned()),
            user: Some("jo.blake@contoso.example".to_owned()),
            observed_at: Occurred::parse("2024-03-11T09:42Z"),
        },
    };
    let mut records = Vec::new();
    importer
        .read(&mut input, &given, &mut PublicKeyring, &mut |record, _| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    assert_eq!(
        input.consumed_bytes(),
        bytes.len() as u64,
        "everything is read and digested"
    );
    assert_eq!(input.digest(), blake3::hash(bytes));
    records
}

/// Bytes that no importer can make sense of, but must survive.
fn nonsense() -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    };
    let mut all: Vec<Vec<u8>> = (0..200).map(&mut noise).collect();
    all.extend([
        b"{}".to_vec(),
        b"[1,2]".to_vec(),
        b"---Processing---".to_vec(),
        b"---Processing---\n:\n---Exiting---".to_vec(),
        b"\xff\xfe".to_vec(),
        b"\xff".to_vec(),
        vec![b'\n'; 1000],
        vec![b'['; 100_000],
        KEY.as_bytes().to_vec(),
        format!("{{\"{KEY}\":1}}").into_bytes(),
        format!("---Processing---\nLICENSE STATUS: {KEY}\n---Exiting---").into_bytes(),
        format!(
            "---Processing---\nLICENSE NAME: {KEY}\nLICENSE STATUS: ---LICENSED---\n---Exiting---"
        )
        .into_bytes(),
    ]);
    all
}

#[test]
fn nonsense_is_refused_with_a_reason_and_a_hint_and_without_repeating_it() {
    for importer in IMPORTERS {
        for bytes in nonsense() {
            // An importer that finds the source unreadable may stop there.
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            file.rewind().unwrap();
            let mut input = Input::new("source".to_owned(), None, file);
            let mut refusals = 0;
            importer
                .read(
                    &mut input,
                    &Given::default(),
                    &mut PublicKeyring,
                    &mut |record, _| {
                        let refusal = record.unwrap_err();
                        assert!(!refusal.reason.is_empty() && !refusal.hint.is_empty());
                        assert!(!format!("{refusal:?}").contains("QQQQQ"), "{refusal:?}");
                        refusals += 1;
                        Ok(())
                    },
                )
                .unwrap();
            let name = importer.info().name;
            assert!(
                refusals > 0,
                "{name} passes over {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

#[test]
fn an_empty_source_is_refused() {
    for importer in IMPORTERS {
        let records = read(*importer, b"");
        assert_eq!(records.len(), 1);
        assert!(records[0].as_ref().unwrap_err().reason.contains("empty"));
    }
}

#[test]
fn the_same_bytes_make_the_same_records() {
    let event = br#"{"kind":"TenantCreated","occurred_at":"2024-03-11","source":{"system":"graph","record":"r1"},"data":{"tenant":"contoso.onmicrosoft.example","created_via":"SignUpChoice"}}
"#;
    let report = include_bytes!("ospp/samples/two_products.txt");
    for importer in IMPORTERS {
        for bytes in [event.as_slice(), report.as_slice()] {
            assert_eq!(read(*importer, bytes), read(*importer, bytes));
        }
    }
}
