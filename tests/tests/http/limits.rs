//! What a careless or hostile caller cannot do.

use crate::server::{PATIENCE, agent, serve, settings, store_of};
use std::io::{Read, Write};
use std::net::TcpStream;
use tools::serve::{Server, Settings};

fn raw(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_head_that_is_too_large_is_refused_and_the_server_goes_on() {
    let served = serve(store_of(Vec::new()), settings());
    let host = served.address;
    let filler = "x".repeat(64 * 1024);
    let large = format!("GET /v1/health HTTP/1.1\r\nhost: {host}\r\nx-filler: {filler}\r\n\r\n");
    let answer = raw(served.address, large.as_bytes());
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let answer = raw(served.address, b"\x00\x01\x02 this is no HTTP\r\n\r\n");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(served.get("/v1/health").status, 200);
}

#[test]
fn a_body_that_is_too_large_is_a_problem() {
    let served = serve(store_of(Vec::new()), settings());
    let url = format!("http://{}/v1/health", served.address);
    let mut response = agent().post(url).send("x".repeat(7 << 20)).unwrap();
    assert_eq!(response.status(), 413);
    let body: serde_json::Value = response.body_mut().read_json().unwrap();
    assert_eq!(body["code"], "too_large");
}

#[test]
fn an_address_that_others_can_reach_needs_to_be_allowed() {
    for address in ["0.0.0.0:0", "[::]:0", "10.0.0.1:0"] {
        let refused = Server::bind(address.parse().unwrap(), Settings::default());
        let failure = refused.expect_err(address).to_string();
        assert!(failure.contains("--allow-remote"), "{failure}");
    }
    let allowed = Settings {
        allow_remote: true,
        ..Settings::default()
    };
    Server::bind("0.0.0.0:0".parse().unwrap(), allowed).unwrap();
}

#[test]
fn a_port_that_is_taken_is_an_error_with_a_hint() {
    let served = serve(store_of(Vec::new()), settings());
    let taken = Server::bind(served.address, Settings::default());
    assert!(taken.unwrap_err().hint.contains("--listen"));
}

#[test]
fn a_request_for_another_host_is_refused_unless_others_may_ask() {
    let served = serve(store_of(Vec::new()), settings());
    let answer = served.get_with("/v1/findings", &[("host", "evil.example")]);
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (421, Some("wrong_host"))
    );
    let open = Settings {
        allow_remote: true,
        ..settings()
    };
    let served = serve(store_of(Vec::new()), open);
    let answer = served.get_with("/v1/findings", &[("host", "ledger.contoso.example")]);
    assert_eq!(answer.status, 200);
}

#[test]
fn a_callers_own_request_id_is_not_taken_over() {
    let served = serve(store_of(Vec::new()), settings());
    let answer = served.get_with(
        "/v1/health",
        &[("x-request-id", "jo.blake@contoso.example")],
    );
    let id = answer.header("x-request-id").unwrap();
    assert!(!id.contains('@') && id.len() == 36, "{id}");
}
