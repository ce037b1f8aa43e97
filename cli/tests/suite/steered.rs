//! A program that supervises: the messages of a session through the standard streams.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::support::{Account, wait_for};

const WORKFLOW: &str = "name: touch\nsteps:\n  - do: open_app\n    args: { name: touch here }\n";

struct Steered {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Steered {
    fn start(account: &Account) -> Self {
        account.write("touch.yaml", WORKFLOW);
        let how = ["--display", "virtual", "--policy", "supervised", "--json", "--steer", "--out", "r"];
        let mut command = account.command(&[&["workflow", "run", "touch.yaml"][..], &how].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next message that is `such`.
    fn hears(&mut self, such: impl Fn(&Value) -> bool) -> Value {
        let mut messages = self.said.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        messages.find(such).unwrap()
    }

    /// The number of the question that it is asked.
    fn is_asked(&mut self) -> u64 {
        self.hears(|message| message["event"] == "asked")["question"]["number"].as_u64().unwrap()
    }

    fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_program_is_asked_and_what_it_allows_is_done() {
    let account = Account::new();
    let mut steered = Steered::start(&account);
    let first = steered.hears(|_| true);
    assert_eq!(first["message"], "state", "{first}");
    assert_eq!(first["protocol"], freehand_agent::supervision::VERSION, "{first}");
    let question = steered.is_asked();
    steered.say("what?");
    let refused = steered.hears(|message| message["message"] == "refused");
    assert!(refused["reason"].as_str().unwrap().contains("cannot be read"), "{refused}");
    steered.say(r#"{"message":"do","id":6,"what":{"command":"approve","question":999}}"#);
    let reply = steered.hears(|message| message["message"] == "reply");
    assert!(reply["id"] == 6 && reply["refused"].is_string(), "{reply}");
    assert!(!account.path("here").exists());
    steered.say(&format!(
        r#"{{"message":"do","id":7,"what":{{"command":"approve","question":{question}}}}}"#
    ));
    let reply = steered.hears(|message| message["message"] == "reply");
    assert!(reply["id"] == 7 && reply["refused"].is_null(), "{reply}");
    let end = steered.hears(|message| message["event"] == "ended");
    assert_eq!(end["exit"]["exit"], "done", "{end}");
    assert_eq!(steered.end(), Some(0));
    wait_for("the file", || account.path("here").exists().then_some(()));
}

#[test]
fn what_a_program_forbids_is_not_done_and_its_end_is_a_stop() {
    let account = Account::new();
    let mut steered = Steered::start(&account);
    let question = steered.is_asked();
    steered.say(&format!(
        r#"{{"message":"do","id":1,"what":{{"command":"deny","question":{question},"reason":"not today"}}}}"#
    ));
    steered.hears(|message| message["event"] == "ended");
    assert_eq!(steered.end(), Some(4));

    std::fs::remove_dir_all(account.path("r")).unwrap();
    let mut steered = Steered::start(&account);
    steered.is_asked();
    drop(steered.child.stdin.take());
    assert_eq!(steered.end(), Some(130));
    assert!(!account.path("here").exists());
}
