//! Canaries: activation keys, persons, machines, IP addresses and notes are sent through every
//! importer and command, in good and in broken input. Nothing that is written afterwards, on disk or
//! on a terminal, holds one of them in clear.

use crate::desk::{Desk, Ran};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::LazyLock;

const KEY: &str = "QZQZQ-WXWXW-RVRVR-TUTUT-YSYS7";
const OTHER_KEY: &str = "JKJKJ LMLML NPNPN GHGHG DFDF3";

/// What must never be seen again, each in one spelling; others are derived from it.
const SECRETS: &[&str] = &[
    KEY,
    OTHER_KEY,
    "Wilhelmina Quarterstaff",
    "wilhelmina.q@contoso.example",
    "Barnaby.Oxtail@fabrikam.example",
    "KANARI-PC-77",
    "203.0.113.177",
    "+49 30 9080-7711",
    "she told me on the phone",
];

fn events() -> String {
    let key = KEY.to_lowercase();
    [
        format!(r#"{{"kind":"KeyIssued","occurred_at":"2024-03-05T08:00:00Z","source":{{"system":"vlsc","record":"k1"}},"data":{{"key":"{key}","license_id":"88213345","order":"PO-77","line":1}}}}"#),
        r#"{"kind":"SessionStarted","occurred_at":"2024-03-11T09:31:00Z","actor":{"kind":"Customer","person":{"address":"wilhelmina.q@contoso.example","name":"Wilhelmina Quarterstaff","phone":"+49 30 9080-7711"}},"source":{"system":"sign-in-log","record":"s1"},"data":{"session":"s-771","principal":"Barnaby.Oxtail@fabrikam.example","auth":"Interactive","network":"203.0.113.177"}}"#.to_owned(),
        format!(r#"{{"kind":"KeysRedeemed","occurred_at":"2024-03-11T09:42:00Z","source":{{"system":"admin-center","record":"rd-1"}},"data":{{"redemption":"rd-1","license_id":"88213345","tenant":"contoso.onmicrosoft.example","session":"s-771","redeemer":"wilhelmina.q@contoso.example","keys":[{{"key":"{KEY}","seats":25}},{{"key":"{OTHER_KEY}"}}],"mode":"NewSubscription"}}}}"#),
        r#"{"kind":"FindingDismissed","occurred_at":"2024-03-12T09:42:00Z","source":{"system":"actl","record":"f1"},"data":{"finding":"F-1","evidence_digest":"0011","by":"wilhelmina.q@contoso.example","reason":"she told me on the phone"}}"#.to_owned(),
    ]
    .join("\n")
}

fn report() -> String {
    format!(
        "{KEY} wilhelmina.q@contoso.example\n---Processing---\n-----------\nLICENSE NAME: Office 15\nLICENSE STATUS: ---LICENSED---\n-----------\n---Exiting---\n"
    )
}

/// Bytes as a text of as many characters: what the standard library searches fast.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The secrets in the spellings in which they could come to light.
static SPELLINGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for secret in SECRETS {
        texts.extend([
            (*secret).to_owned(),
            secret.to_lowercase(),
            secret.to_uppercase(),
        ]);
    }
    for key in [KEY, OTHER_KEY] {
        for key in [key.to_owned(), key.to_lowercase()] {
            texts.push(key.replace(['-', ' '], ""));
            texts.push(key.replace('-', " "));
            texts.push(key.replace(' ', "-"));
        }
    }
    let wide =
        |text: &String| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let digits =
        |text: &String| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let mut all: Vec<String> = texts.iter().map(|text| characters(&wide(text))).collect();
    all.extend(texts.iter().map(digits));
    all.extend(texts);
    all
});

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    let text = characters(bytes);
    for spelling in SPELLINGS.iter() {
        assert!(
            !text.contains(spelling.as_str()),
            "{spelling:?} is in {what}: {text}"
        );
    }
}

/// Runs a command and looks at all that it printed.
#[track_caller]
fn run(desk: &Desk, arguments: &[&str], stdin: &str) -> Ran {
    let ran = desk.run_with(arguments, stdin.as_bytes());
    let what = format!("the output of {arguments:?}");
    assert_clean(&what, ran.out.as_bytes());
    assert_clean(&what, ran.err.as_bytes());
    ran
}

/// A folder with a store that has taken in everything.
fn filled() -> Desk {
    let desk = Desk::new();
    run(&desk, &["import", "-"], &events()).ok();
    desk.file(
        "in/KANARI-PC-77_wilhelmina.q@contoso.example_2024-03-11T0942Z.txt",
        report(),
    );
    run(&desk, &["import", "in", "--from", "ospp"], "").ok();
    let single = events().lines().next().unwrap().replace("\"k1\"", "\"k2\"");
    run(&desk, &["append"], &single).ok();
    desk
}

#[test]
fn no_file_that_is_written_holds_a_secret() {
    let desk = filled();
    let inputs = desk.path("in");
    let mut files = 0;
    for (path, bytes) in desk.files() {
        if !path.starts_with(&inputs) {
            files += 1;
            assert_clean(&path.display().to_string(), &bytes);
            assert_clean(
                "a path",
                path.strip_prefix(desk.path(""))
                    .unwrap_or(Path::new(""))
                    .display()
                    .to_string()
                    .as_bytes(),
            );
        }
    }
    assert!(files > 3, "the store and its vault are there");
}

#[test]
fn no_command_prints_a_secret() {
    let desk = filled();
    for format in ["table", "json", "jsonl"] {
        let log = run(&desk, &["log", "--format", format], "").ok();
        assert!(log.contains("KeysRedeemed"));
        for position in 1..=7 {
            run(
                &desk,
                &["show", &position.to_string(), "--format", format],
                "",
            );
        }
        for text in SECRETS {
            run(&desk, &["find", text, "--format", format], "");
            for kind in ["key", "person", "seat", "tenant"] {
                let subject = format!("{kind}:{text}");
                run(
                    &desk,
                    &["log", "--subject", &subject, "--format", format],
                    "",
                );
            }
        }
    }
    for kind in ["tenant", "subscription", "seat", "agreement", "key"] {
        for format in ["table", "jsonl"] {
            run(&desk, &[kind, "--format", format], "");
        }
    }
    for who in [
        "wilhelmina.q@contoso.example",
        "Barnaby.Oxtail@fabrikam.example",
    ] {
        for format in ["table", "json"] {
            run(&desk, &["person", "find", who, "--format", format], "").ok();
        }
    }
    for command in ["status", "rotate"] {
        run(&desk, &["vault", command], "").ok();
    }
    for format in ["table", "json"] {
        run(&desk, &["audit", "replay", "--format", format], "");
        run(
            &desk,
            &["audit", "replay", "-", "--format", format],
            &events(),
        );
    }
    run(&desk, &["checkpoint"], "").ok();
    for position in 1..=7 {
        let proof = run(&desk, &["prove", "inclusion", &position.to_string()], "").ok();
        run(&desk, &["verify", "--proof", "-"], &proof);
    }
    run(&desk, &["verify"], "").ok();
    let count = |text: &str| {
        run(&desk, &["log", "--format", "jsonl", "--subject", text], "")
            .ok()
            .lines()
            .count()
    };
    assert_eq!(count(&format!("key:{KEY}")), 3);
    assert_eq!(count("person:wilhelmina.q@contoso.example"), 4);
    assert_eq!(count("seat:kanari-pc-77"), 1);
}

#[test]
fn no_argument_that_is_refused_is_repeated() {
    let desk = filled();
    // The name of a machine or a person alone cannot be told from any other word.
    for text in SECRETS
        .iter()
        .copied()
        .filter(|text| text.contains(['@', '+']) || text.len() == KEY.len())
    {
        for arguments in [
            vec![text],
            vec!["log", text],
            vec!["log", "--after", text],
            vec!["log", "--kind", text],
            vec!["log", "--as-of", text],
            vec!["log", "--subject", text],
            vec!["log", "--format", text],
            vec!["log", "--store", text],
            vec!["log", "--vault", text],
            vec!["show", text],
            vec!["prove", "inclusion", text],
            vec!["prove", "consistency", text],
            vec!["verify", "--key", text],
            vec!["verify", "--checkpoint", text],
            vec!["verify", "--proof", text],
            vec!["init", "--engine", text],
            vec!["import", text],
            vec!["import", "in", "--from", text],
            vec!["import", "in", "--from", "ospp", "--observed-at", text],
            vec!["append", text],
            vec!["append", "{}", "--expect", text],
            vec!["append", "{}", "--expect-absent", text],
            vec!["schema", text],
            vec!["schema", "events", text],
            vec!["help", text],
            vec!["tenant", text],
            vec!["seat", text],
            vec!["key", text],
            vec!["agreement", text],
            vec!["tenant", "--valid-at", text],
            vec!["audit", "replay", text],
            vec!["audit", text],
            vec!["explain", text],
            vec!["person", "find", text],
            vec!["person", "export", text],
            vec![
                "person",
                "erase",
                "nobody@contoso.example",
                "--reason",
                text,
            ],
            vec!["person", "merge", text, text, "--reason", text],
            vec!["vault", text],
            vec!["vault", "backup", text],
            vec!["show", "1", "--reveal", "--by", text],
            vec!["simulate", "--start", text],
            vec!["simulate", "--seed", text],
        ] {
            run(&desk, &arguments, "");
        }
    }
}

#[test]
fn no_input_that_is_refused_is_repeated() {
    let desk = filled();
    let events = events();
    // One of each sort is enough: a key, an address, a name, a machine.
    for secret in [SECRETS[0], SECRETS[2], SECRETS[3], SECRETS[5]] {
        for line in events.lines() {
            for broken in [
                line.replace("\"kind\"", &format!("\"{secret}\"")),
                line.replace("\"data\":{", &format!("\"data\":{{\"{secret}\":1,")),
                line.replace("\"data\"", secret),
                line.replace("2024-03", secret),
                line.replace("KeyIssued", secret)
                    .replace("KeysRedeemed", secret),
                line.replace("Interactive", secret)
                    .replace("NewSubscription", secret),
                line.replace("\"line\":1", &format!("\"line\":\"{secret}\"")),
                line.get(..line.len() / 2).unwrap_or(line).to_owned(),
            ] {
                run(&desk, &["append"], &broken);
                run(&desk, &["audit", "replay", "-"], &broken);
            }
            let broken = line.replace("2024-03", secret);
            run(
                &desk,
                &["import", "-", "--keep-going", "--format", "json"],
                &broken,
            );
        }
        let broken = report().replace("---LICENSED---", secret);
        desk.file(
            "bad/KANARI-PC-77_wilhelmina.q@contoso.example_2024-03-11T0943Z.txt",
            broken,
        );
        let import = ["import", "bad", "--from", "ospp"];
        assert_eq!(run(&desk, &import, "").code, 2);
        let user = ["import", "bad", "--from", "ospp", "--user", secret];
        run(&desk, &user, "");
    }
    let inputs = [desk.path("in"), desk.path("bad")];
    for (path, bytes) in desk.files() {
        if !inputs.iter().any(|folder| path.starts_with(folder)) {
            assert_clean(&path.display().to_string(), &bytes);
        }
    }
}

/// What the server logs, whatever it is asked for and in whatever way.
#[test]
fn no_log_of_the_server_holds_a_secret_at_its_most_talkative() {
    let desk = filled();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "trace"];
    let mut server = desk.command(&arguments).spawn().expect("it starts");
    let mut log = BufReader::new(server.stderr.take().expect("standard error"));
    let mut text = String::new();
    let address = loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).expect("text") > 0, "{text}");
        text += &line;
        if let Some((_, address)) = line.trim().split_once("listening on http://") {
            break address.to_owned();
        }
    };
    for secret in SECRETS {
        let plus = secret.replace(' ', "+");
        let percent = secret.replace(' ', "%20").replace('@', "%40");
        for target in [
            format!("/v1/tenants/{percent}"),
            format!("/v1/subjects/person/{percent}/history"),
            format!("/v1/keys/{plus}?valid_at={percent}"),
            format!("/{secret}"),
        ] {
            let mut stream = TcpStream::connect(&address).expect("it listens");
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {secret}\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).expect("it is sent");
            let mut answer = Vec::new();
            // What is refused may be cut off.
            let _ = stream.read_to_end(&mut answer);
            let body = answer.windows(4).position(|end| end == b"\r\n\r\n");
            assert_clean(&target, answer.get(body.unwrap_or(0)..).unwrap_or(&[]));
        }
    }
    server.kill().expect("it is stopped");
    log.read_to_string(&mut text).expect("text");
    server.wait().expect("it ends");
    assert!(text.contains("TRACE") || text.contains("DEBUG"), "{text}");
    assert_clean("the server's log", text.as_bytes());
}

/// After an erasure not even who may see everything sees anything, in the store or in a backup of it.
#[test]
fn nothing_that_was_erased_is_ever_revealed_again() {
    let desk = filled();
    run(&desk, &["backup", "before"], "").ok();
    let shown = desk.run(&["log", "--reveal", "--reason", "case 1", "--format", "jsonl"]);
    let shown = shown.ok();
    for secret in SECRETS.iter().filter(|secret| secret.len() != KEY.len()) {
        assert!(
            shown.to_lowercase().contains(&secret.to_lowercase()),
            "{secret} is there"
        );
    }
    for who in [
        "wilhelmina.q@contoso.example",
        "Barnaby.Oxtail@fabrikam.example",
    ] {
        let erase = ["person", "erase", who, "--reason", "request 17"];
        run(&desk, &erase, "").ok();
    }
    run(&desk, &["backup", "after"], "").ok();
    for backup in ["before", "after"] {
        let store = format!("of-{backup}");
        run(&desk, &["restore", backup, "--store", &store], "").ok();
    }
    let vault = "activation-ledger.vault";
    for store in ["activation-ledger", "of-before", "of-after"] {
        let everywhere = ["--store", store, "--vault", vault];
        let reveal = ["--reveal", "--reason", "case 2"];
        for format in ["table", "json"] {
            let run = |command: &[&str]| {
                let arguments = [&everywhere, command, &["--format", format]].concat();
                run(&desk, &arguments, "")
            };
            run(&[&["log"], &reveal[..]].concat()).ok();
            for position in 1..=9 {
                run(&[&["show", &position.to_string()], &reveal[..]].concat()).ok();
            }
            for kind in ["tenant", "subscription", "seat", "agreement", "key"] {
                run(&[&[kind], &reveal[..]].concat()).ok();
            }
            run(&[&["audit", "replay"], &reveal[..]].concat());
            for text in SECRETS {
                run(&[&["find", text], &reveal[..]].concat());
            }
            let export = ["person", "export", "wilhelmina.q@contoso.example"];
            run(&[&export, &reveal[1..]].concat()).ok();
        }
    }
    // What is taken in again, as it was and otherwise, brings nothing back.
    run(&desk, &["import", "-"], &events()).ok();
    let revised = events().replace("09:42:00Z", "09:43:00Z");
    run(&desk, &["import", "-"], &revised).ok();
    run(&desk, &["log", "--reveal", "--reason", "case 3"], "").ok();
    let inputs = desk.path("in");
    for (path, bytes) in desk.files() {
        if !path.starts_with(&inputs) {
            assert_clean(&path.display().to_string(), &bytes);
        }
    }
}
