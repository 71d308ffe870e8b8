//! The command itself, in a process of its own: its line, its log, its end and its refusals.

use crate::server::{PATIENCE, agent};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use tests::facts::tenant_created;
use tests::stores::{Place, create};

fn start(store: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_actl-under-test"))
        .arg("--store")
        .arg(store)
        .arg("serve")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn a_store(place: &Place) {
    let store = create(&place.store());
    crate::server::append(&store, vec![tenant_created(1, "a.onmicrosoft.example")]);
    store.close().unwrap();
}

/// The lines of a process's standard error, as they come.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[test]
fn it_says_its_port_logs_no_path_and_ends_well_when_told_to() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        a_store(&place);
        let mut child = start(&place.store(), &["--listen", "127.0.0.1:0"]);
        let lines = lines_of(&mut child);
        let mut log = Vec::new();
        let url = loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("{log:?}"));
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.to_owned();
            }
            log.push(line);
        };
        let get = |path: &str| agent().get(format!("{url}{path}")).call().unwrap().status();
        assert_eq!(get("/v1/tenants/a.onmicrosoft.example"), 200);
        assert_eq!(
            get("/v1/tenants/jo.canary@contoso.example?as_of=canary-1"),
            400
        );
        assert_eq!(get("/canary-2"), 404);

        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        log.extend(lines);
        let log = log.join("\n");
        assert!(
            log.contains("/v1/tenants/{id}") && log.contains("status=400"),
            "{log}"
        );
        assert!(!log.contains("canary"), "{log}");
        // The store was closed and can be opened.
        assert_eq!(tests::stores::open(&place.store()).end().0, 1);
    }
}

#[test]
fn it_refuses_what_it_cannot_serve_with_a_hint() {
    let place = Place::new();
    a_store(&place);
    let missing = place.path().join("nothing");
    for (store, arguments, code, says) in [
        (
            place.store(),
            &["--listen", "0.0.0.0:0"][..],
            4,
            "--allow-remote",
        ),
        (place.store(), &["--listen", "nowhere"][..], 2, "--listen"),
        (
            missing,
            &["--listen", "127.0.0.1:0"][..],
            2,
            "does not exist",
        ),
    ] {
        let mut child = start(&store, arguments);
        let mut text = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
        assert!(text.contains(says), "{text}");
    }
    let held = tests::stores::open(&place.store());
    let mut child = start(&place.store(), &["--listen", "127.0.0.1:0"]);
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(text.contains("in use"), "{text}");
    drop(held);
}
