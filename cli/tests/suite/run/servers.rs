//! Model servers that misbehave, before the first step and in the middle of a run. Each ends it with
//! words that say what to do next, a record that says how it ended, and a desktop as it was.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use super::last_line;
use crate::screen::Screen;
use crate::support::Account;

/// What the server sends to one kind of question, and whether it then keeps the line open.
#[derive(Debug, Clone)]
struct Play {
    bytes: Vec<u8>,
    holds: bool,
}

fn send(bytes: impl Into<Vec<u8>>) -> Play {
    Play { bytes: bytes.into(), holds: false }
}

fn hold(bytes: impl Into<Vec<u8>>) -> Play {
    Play { bytes: bytes.into(), holds: true }
}

fn head(status: &str, kind: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

fn reply(status: &str, kind: &str, body: &str) -> Play {
    send(head(status, kind, body.len()) + body)
}

fn models() -> Play {
    let body = json!({ "object": "list", "data": [{ "id": "made-up", "object": "model" }] });
    reply("200 OK", JSON, &body.to_string())
}

const JSON: &str = "application/json";

/// A server that sends `models` to a question about its models and `answer` to every other.
fn server(models: &Play, answer: &Play) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (models, answer) = (models.clone(), answer.clone());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let play = if is_about_models(&mut stream) { &models } else { &answer };
            let _ = stream.write_all(&play.bytes);
            if play.holds {
                held.push(stream);
            }
        }
    });
    url
}

/// Reads the whole question: who hangs up before is not heard.
fn is_about_models(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    let mut room = [0; 4096];
    loop {
        let count = stream.read(&mut room).unwrap_or(0);
        bytes.extend(room.iter().take(count));
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let length = |head: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            line.map_or(0, |length| length.trim().parse().unwrap())
        };
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head));
        if whole || count == 0 {
            return text.starts_with("get");
        }
    }
}

/// What is sent, what must be said about it, and which part of that tells what to do next.
fn plays() -> Vec<(&'static str, Play, &'static str, &'static str)> {
    let half = || head("200 OK", JSON, 5_000) + "{\"data\": [{\"id\": \"m";
    let page = "<html><body>It works!</body></html>";
    let failed = "{\"error\":{\"message\":\"out of memory\"}}";
    vec![
        ("garbage", send(b"\x16\x03\x01\x00 what\xff"), "no HTTP reply", "check the address"),
        ("a closed line", send(b""), "no HTTP reply", "check the address"),
        ("half a reply", send(half()), "half an answer", "look at the server's log"),
        ("a page", reply("200 OK", "text/html", page), "", "check the address"),
        ("half JSON", reply("200 OK", JSON, "{\"data\": [{"), "", "check"),
        ("other JSON", reply("200 OK", JSON, "{\"hello\": 1}"), "", "check"),
        ("500", reply("500 Oops", JSON, failed), "500 (`out of memory`)", "look at the server's log"),
        ("401", reply("401 No", JSON, "{\"error\":\"who?\"}"), "401 (`who?`)", "FREEHAND_API_KEY"),
        ("404", reply("404 No", "text/plain", "nope"), "404 (`nope`)", "check the address"),
        ("503", reply("503 Wait", JSON, "{\"error\":\"loading\"}"), "not ready: 503", "try again"),
    ]
}

#[test]
fn a_server_that_answers_badly_ends_it_with_5_and_what_to_do() {
    let screen = Screen::bare();
    let good = models();
    for (name, play, said, advice) in plays() {
        for (when, url) in [("at first", server(&play, &play)), ("later", server(&good, &play))] {
            let account = Account::new();
            let args = ["run", "x", "--model", &url, "--out", "r"];
            let ended = account.run(&[&args, &screen.vouched()[..]].concat());
            assert_eq!(ended.code, Some(5), "{name} {when}: {ended:#?}");
            ended.check(5, &["the model failed", &url, said, advice, "freehand resume r"]);
            let exit = last_line(&account.path("r"));
            assert_eq!(exit["exit"], "model_failed", "{name} {when}");
            assert!(exit["reason"].as_str().unwrap().contains(advice), "{name} {when}: {exit}");
            screen.expect_untouched(&format!("{name} {when}"));
        }
    }
}

#[test]
fn a_server_that_hangs_ends_it_in_time() {
    let screen = Screen::bare();
    let begun = hold(head("200 OK", JSON, 5_000));
    let good = models();
    let not_ready = ["the model failed", "not ready in 2 s", "server's log", "--timeout"];
    let limit = ["a limit was reached: 2 s", "freehand resume r"];
    for (play, url, code, parts, exit) in [
        ("nothing at first", server(&hold(b""), &good), 5, &not_ready[..], "model_failed"),
        ("a head at first", server(&begun, &good), 5, &not_ready, "model_failed"),
        ("nothing later", server(&good, &hold(b"")), 3, &limit, "limit"),
        ("a head later", server(&good, &begun), 3, &limit, "limit"),
    ] {
        let account = Account::new();
        let start = std::time::Instant::now();
        let args = ["run", "x", "--model", &url, "--timeout", "2s", "--out", "r"];
        let ended = account.run(&[&args, &screen.vouched()[..]].concat());
        assert!(start.elapsed().as_secs() < 20, "{play}");
        assert_eq!(ended.code, Some(code), "{play}: {ended:#?}");
        ended.check(code, parts);
        assert_eq!(last_line(&account.path("r"))["exit"], exit, "{play}");
        screen.expect_untouched(play);
    }
}

#[test]
fn a_server_that_goes_away_ends_it_with_5() {
    let (account, screen) = (Account::new(), Screen::bare());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(is_about_models(&mut stream));
        drop(listener);
        stream.write_all(&models().bytes).unwrap();
    });
    let args = ["run", "x", "--model", &url, "--out", "r"];
    let ended = account.run(&[&args, &screen.vouched()[..]].concat());
    ended.check(5, &["the model failed", "start the model server or check the address"]);
    assert_eq!(last_line(&account.path("r"))["exit"], "model_failed");
    screen.expect_untouched("a server that is gone");
}
