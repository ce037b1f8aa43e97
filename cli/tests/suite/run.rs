//! Runs on a real display with a model behind a made-up server: what they do, how they end, and that
//! a stopped one goes on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::screen::Screen;
use crate::support::{Account, Running, last_line, processes_with, rest, signal, wait_for};

mod disk;
mod pictures;
mod servers;
mod weights;

/// A server that answers each question as it is told to.
pub(crate) struct Server {
    pub(crate) url: String,
}

/// The status and the words of a refusal.
type Refusal = (&'static str, &'static str);

impl Server {
    /// One that gives these answers, one for each question; the last one again and again.
    pub(crate) fn start(answers: &[&str]) -> Self {
        let mut answers: Vec<String> = answers.iter().rev().map(ToString::to_string).collect();
        let models = json!({ "object": "list", "data": [{ "id": "made-up", "object": "model" }] });
        Self::answering(models, move |_| {
            let answer = answers.last().cloned().unwrap_or_default();
            if answers.len() > 1 {
                answers.pop();
            }
            Ok(answer)
        })
    }

    /// One that tells this of itself, and answers so.
    pub(crate) fn answering(
        about: Value,
        mut answer: impl FnMut(&Value) -> Result<String, Refusal> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &about, &mut answer);
            }
        });
        Self { url }
    }
}

fn serve(
    mut stream: TcpStream,
    about: &Value,
    answer: &mut impl FnMut(&Value) -> Result<String, Refusal>,
) {
    let mut bytes = Vec::new();
    let mut room = vec![0; 1 << 16];
    let text = loop {
        let count = stream.read(&mut room).unwrap_or(0);
        bytes.extend(room.iter().take(count));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return;
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        });
        if count == 0 || body.len() >= length.unwrap_or(0) {
            break text;
        }
    };
    let (status, reply) = if text.starts_with("GET") {
        ("200 OK", about.clone())
    } else {
        let (_, question) = text.split_once("\r\n\r\n").unwrap();
        match answer(&serde_json::from_str(question).unwrap()) {
            Ok(answer) => ("200 OK", completion(&answer)),
            Err((status, words)) => (status, json!({ "error": { "message": words } })),
        }
    };
    let reply = reply.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        reply.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(reply.as_bytes()));
}

fn completion(answer: &str) -> Value {
    json!({
        "id": "1", "object": "chat.completion", "model": "made-up",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": answer } }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1 }
    })
}

pub(crate) const OPEN: &str = r#"{"tool":"open_app","args":{"name":"xterm -T shell -e sh"}}"#;
pub(crate) const COME: &str = r#"{"tool":"wait","args":{"window":"shell","timeout_ms":60000}}"#;
pub(crate) const TYPE: &str =
    r#"{"tool":"type_text","args":{"text":"echo hi > out.txt","submit":true}}"#;
pub(crate) const DONE: &str =
    r#"{"tool":"finish","args":{"status":"success","evidence":["shell"],"answer":"written"}}"#;

#[test]
fn a_task_is_done_with_a_record_and_events() {
    let account = Account::new();
    let server = Server::start(&[OPEN, COME, TYPE, DONE]);
    let args =
        ["run", "Write a file", "--display", "virtual", "--model", &server.url, "--out", "r", "--json"];
    let said = account.run(&args);
    said.check(0, &["done: ", "r/report.html"]);
    let events: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "started");
    assert_eq!(events.last().unwrap()["event"], "ended");
    assert_eq!(std::fs::read_to_string(account.path("out.txt")).unwrap(), "hi\n");
    assert!(account.path("r/report.html").is_file());
    account.run(&["resume", "r"]).check(2, &["is done already"]);
}

#[test]
fn a_run_that_was_stopped_or_killed_goes_on() {
    for (signal, code) in [("INT", Some(130)), ("KILL", None)] {
        let account = Account::new();
        let mark = format!("HOME={}", account.home.path().display());
        let long = r#"{"tool":"wait","args":{"timeout_ms":100000}}"#;
        let server = Server::start(&[OPEN, COME, long]);
        let args = ["run", "Write a file", "--display", "virtual", "--model", &server.url, "--out", "r"];
        let running = Running::start(account.command(&args));
        let record = account.path("r/trajectory.jsonl");
        wait_for("two steps", || {
            (std::fs::read_to_string(&record).ok()?.lines().count() >= 3).then_some(())
        });
        running.signal(signal);
        let said = running.end();
        assert_eq!(said.code, code, "{said:#?}");
        let told = said.err.contains("stopping") && said.err.contains("freehand resume r");
        assert_eq!(told, code.is_some(), "{said:#?}");
        let exit = last_line(&account.path("r"))["exit"].clone();
        assert_eq!(exit.as_str(), code.map(|_| "interrupted"));
        wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));

        let server = Server::start(&[OPEN, COME, TYPE, DONE]);
        account.run(&["resume", "r", "--model", &server.url]).check(0, &["done: "]);
        assert_eq!(std::fs::read_to_string(account.path("out.txt")).unwrap(), "hi\n");
        assert_eq!(last_line(&account.path("r"))["exit"], "done");
    }
}

/// Gives the window of the shell this title.
fn entitle(title: &str) -> String {
    let line = format!("printf '\\033]0;{title}\\007'");
    json!({ "tool": "type_text", "args": { "text": line, "submit": true } }).to_string()
}

#[test]
fn a_run_that_goes_on_ends_at_the_text_that_it_was_given() {
    let account = Account::new();
    let wait = r#"{"tool":"wait","args":{"timeout_ms":300}}"#;
    let server = Server::start(&[OPEN, COME]);
    let args = ["run", "Go on", "--until", "page 42", "--display", "virtual", "--model", &server.url];
    let said = account.run(&[&args, &["--out", "r", "--max-steps", "2"][..]].concat());
    said.check(3, &["freehand resume r"]);
    account.run(&["resume", "r", "--until", " "]).check(2, &["`--until` is empty"]);
    // The text of the run is not on the screen, that of the command line is: it is what counts.
    let (first, second) = (entitle("page 41"), entitle("page 42"));
    let server = Server::start(&[OPEN, COME, &first, wait]);
    let resumed = ["resume", "r", "--model", &server.url, "--max-steps", "6"];
    let said = account.run(&[&resumed, &["--until", "page 41"][..]].concat());
    said.check(0, &["done: on the screen: page 41"]);
    // Without another one it is that of the run.
    let server = Server::start(&[OPEN, COME]);
    let args = ["run", "Go on", "--until", "page 42", "--display", "virtual", "--model", &server.url];
    account.run(&[&args, &["--out", "s", "--max-steps", "2"][..]].concat()).check(3, &[]);
    let server = Server::start(&[OPEN, COME, &first, wait, &second, wait]);
    let resumed = ["resume", "s", "--model", &server.url, "--max-steps", "9"];
    account.run(&resumed).check(0, &["done: on the screen: page 42"]);
    assert_eq!(last_line(&account.path("s"))["checked"], "on the screen: page 42");
}

#[test]
fn a_run_that_is_stopped_in_its_last_step_was_stopped() {
    let (account, screen) = (Account::new(), Screen::bare());
    let server = Server::start(&[r#"{"tool":"wait","args":{"timeout_ms":2500}}"#]);
    let args = ["run", "x", "--model", &server.url, "--max-steps", "1", "--out", "r", "--json"];
    let running = Running::start(account.command(&[&args, &screen.vouched()[..]].concat()));
    running.wait_for(r#""event":"observed""#);
    rest(Duration::from_millis(700));
    running.signal("INT");
    running.end().check(130, &["stopped"]);
    assert_eq!(last_line(&account.path("r"))["exit"], "interrupted");
}

#[test]
fn each_end_has_its_code() {
    let garbage = "certainly! here you go";
    let vault = r#"{"tool":"open_app","args":{"name":"keepassxc"}}"#;
    let give_up = r#"{"tool":"finish","args":{"status":"failure","answer":"there is no such button"}}"#;
    for (answer, more, code, exit) in [
        (garbage, &[][..], 3, "gave_up"),
        (r#"{"tool":"fly","args":{}}"#, &[], 3, "gave_up"),
        (r#"{"tool":"click","args":{"target":77}}"#, &[], 3, "gave_up"),
        (vault, &[], 4, "refused"),
        (give_up, &[], 3, "gave_up"),
        (r#"{"tool":"note","args":{"text":"x"}}"#, &["--max-steps", "2"], 3, "limit"),
        (r#"{"tool":"wait","args":{"timeout_ms":300}}"#, &["--timeout", "2s"], 3, "limit"),
    ] {
        let account = Account::new();
        let server = Server::start(&[answer]);
        let args = ["run", "x", "--display", "virtual", "--model", &server.url, "--out", "r"];
        let said = account.run(&[&args, more].concat());
        assert_eq!(said.code, Some(code), "{answer}: {said:#?}");
        assert_eq!(last_line(&account.path("r"))["exit"], exit, "{answer}");
    }
}

#[test]
fn a_model_that_fails_ends_it_with_5_and_a_readable_record() {
    let account = Account::new();
    account.write("bad.gguf", "GGUF and then nothing");
    for (model, part) in [("http://127.0.0.1:9/v1", "127.0.0.1:9"), ("./bad.gguf", "bad.gguf")] {
        let out = format!("r{}", model.len());
        let said = account.run(&["run", "x", "--display", "virtual", "--model", model, "--out", &out]);
        said.check(5, &["the model failed", part]);
        assert_eq!(last_line(&account.path(&out))["exit"], "model_failed");
    }
}

#[test]
fn a_display_that_dies_ends_it_with_5_and_a_readable_record() {
    let account = Account::new();
    let mark = format!("HOME={}", account.home.path().display());
    let server =
        Server::start(&[OPEN, COME, r#"{"tool":"wait","args":{"text":"never","timeout_ms":100000}}"#]);
    let args = ["run", "x", "--display", "virtual", "--model", &server.url, "--out", "r"];
    let running = Running::start(account.command(&args));
    let record = account.path("r/trajectory.jsonl");
    wait_for("two steps", || {
        (std::fs::read_to_string(&record).ok()?.lines().count() >= 3).then_some(())
    });
    let is_server = |id: &u32| {
        std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == "Xvfb")
    };
    let display = processes_with(&mark).into_iter().find(is_server).unwrap();
    signal(display, "KILL");
    running.end().check(5, &["the desktop failed"]);
    assert_eq!(last_line(&account.path("r"))["exit"], "desktop_failed");
    wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
}
