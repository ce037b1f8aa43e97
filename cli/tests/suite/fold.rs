//! The page folds the events a second time, in its own language. Here it is held against the hub's fold: the same
//! events, of all kinds, made up and of a real run, must come to the same in every field after each of them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use freehand_agent::event::Event;
use freehand_agent::supervision::State;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::Account;

/// Kinds of events that there are.
const KINDS: usize = 23;

/// A number for each kind.
const fn kind(event: &Event) -> usize {
    match event {
        Event::Started { .. } => 0,
        Event::Observed { .. } => 1,
        Event::Yielded { .. } => 2,
        Event::Waiting { .. } => 3,
        Event::WentOn { .. } => 4,
        Event::Thought { .. } => 5,
        Event::Piece { .. } => 6,
        Event::Discarded { .. } => 7,
        Event::Blinded { .. } => 8,
        Event::AskedDone { .. } => 9,
        Event::Proposed { .. } => 10,
        Event::Intended { .. } => 11,
        Event::Asked { .. } => 12,
        Event::Answered { .. } => 13,
        Event::Judged { .. } => 14,
        Event::Acted { .. } => 15,
        Event::Planned { .. } => 16,
        Event::PartStands { .. } => 17,
        Event::Noted { .. } => 18,
        Event::Paced { .. } => 19,
        Event::Said { .. } => 20,
        Event::Ended { .. } => 21,
        Event::Chose { .. } => 22,
    }
}

/// Holds the page's fold of `sequences` against the hub's.
#[track_caller]
fn agree(sequences: &[Vec<Event>]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/fold.mjs");
    let mut command = Command::new("node");
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for events in sequences {
        let mut state = State::default();
        let first = json!(state);
        let states: Vec<Value> = events
            .iter()
            .map(|event| {
                state.take(event);
                json!(state)
            })
            .collect();
        // What it says of a fault is told below.
        if writeln!(input, "{}", json!({ "first": first, "events": events, "states": states })).is_err()
        {
            break;
        }
    }
    drop(input);
    let said = child.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    let all = format!("of {} sequences come to the same", sequences.len());
    assert!(
        said.status.success() && out.contains(&all),
        "{out}{}",
        String::from_utf8_lossy(&said.stderr)
    );
}

/// Letters of one byte and of more, and sometimes far more than is kept of a thought.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z é€🎉\\n]{0,12}",
        1 => "[aé🎉]{1,3}".prop_map(|piece| piece.repeat(3_000)),
    ]
}

fn maybe(strategy: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    prop::option::of(strategy)
}

fn pace() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["going", "step", "paused", "taken_over"]).prop_map(Value::from)
}

fn standing() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["left", "current", "done", "failed"]).prop_map(Value::from)
}

fn outcome() -> impl Strategy<Value = Value> {
    let effect = prop::sample::select(vec!["confirmed", "unconfirmed", "no_visible_effect"]);
    prop_oneof![
        (effect, maybe(text())).prop_map(|(effect, answer)| without_null(
            json!({ "status": "done", "effect": effect, "answer": answer })
        )),
        (text(), maybe(text())).prop_map(|(reason, hint)| without_null(
            json!({ "status": "failed", "reason": reason, "hint": hint })
        )),
        text().prop_map(|reason| json!({ "status": "refused", "reason": reason })),
    ]
}

/// What holds nothing is left out, as it is on the line.
fn without_null(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

fn intent() -> impl Strategy<Value = Value> {
    (text(), any::<bool>(), any::<i16>(), maybe(text())).prop_map(|(text, editable, x, window)| {
        without_null(json!({
            "summary": text, "tool": "type_text", "args": { "text": text, "target": x },
            "editable": editable, "at": { "x": x, "y": 7 }, "types": text, "window": window,
        }))
    })
}

fn reasons() -> impl Strategy<Value = Value> {
    prop::collection::vec(text().prop_map(|text| json!({ "rule": "a:b", "because": text })), 0..3)
        .prop_map(Value::from)
}

fn exit() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(|checked| json!({ "exit": "done", "checked": checked })),
        text().prop_map(|reason| json!({ "exit": "gave_up", "reason": reason })),
        text().prop_map(|which| json!({ "exit": "limit", "which": which })),
        Just(json!({ "exit": "left" })),
        Just(json!({ "exit": "interrupted" })),
    ]
}

fn header(task: &str) -> Value {
    json!({
        "format": 1, "task": task, "model": "m", "dialect": "tools", "policy": "supervised",
        "display": "virtual", "started_ms": 1_700_000_000_000_u64,
    })
}

/// An event of the person, or of the whole.
fn of_the_whole() -> BoxedStrategy<Value> {
    let question = (any::<u16>(), text(), intent(), reasons(), any::<bool>(), maybe(text()));
    let question = question.prop_map(|(number, effect, intent, reasons, lasting, note)| {
        let subject = without_null(json!({
            "about": "action", "effect": effect, "intent": intent, "reasons": reasons,
            "lasting": lasting, "always": !lasting, "note": note,
        }));
        json!({ "event": "asked", "question": { "number": number, "subject": subject } })
    });
    let words = (any::<u16>(), text()).prop_map(|(number, text)| {
        json!({ "event": "asked", "question": { "number": number, "subject": { "about": "words", "text": text } } })
    });
    let part =
        (text(), standing()).prop_map(|(text, standing)| json!({ "text": text, "standing": standing }));
    let by = prop::sample::select(vec!["script", "model", "task"]);
    prop_oneof![
        text().prop_map(|task| json!({ "event": "started", "header": header(&task) })),
        question,
        words,
        (any::<u16>(), text()).prop_map(|(question, text)| json!({
            "event": "answered", "question": question, "answer": { "answer": "told", "text": text }, "by": "a",
        })),
        (by, prop::collection::vec(part, 0..5))
            .prop_map(|(by, parts)| json!({ "event": "planned", "plan": { "by": by, "parts": parts } })),
        (0..7_u32, standing())
            .prop_map(|(part, standing)| json!({ "event": "part_stands", "part": part, "standing": standing })),
        pace().prop_map(|pace| json!({ "event": "paced", "pace": pace, "by": "a" })),
        text().prop_map(|text| json!({ "event": "said", "text": text, "by": "a" })),
        (exit(), any::<u8>())
            .prop_map(|(exit, steps)| json!({ "event": "ended", "exit": exit, "steps": steps })),
    ]
    .boxed()
}

/// What a step may hold, without its number.
fn of_a_step() -> BoxedStrategy<Value> {
    let wait = prop_oneof![
        Just(json!({ "for": "resume" })),
        Just(json!({ "for": "give_back" })),
        text().prop_map(|place| json!({ "for": "presence", "place": place })),
    ];
    let seen = (text(), prop::collection::vec(text(), 0..3), any::<u64>(), 0.0..1e6_f64);
    let cost = json!({ "read": 12, "reused": 3, "written": 4, "ms": 1.5 });
    let chose = json!({ "event": "chose", "cost": cost });
    prop_oneof![
        seen.prop_map(|(list, windows, frame, ms)| json!({
            "event": "observed", "frame": format!("{frame:064x}"), "list": list, "elements": 3,
            "bounds": { "x": 0, "y": -5, "width": 800, "height": 600 },
            "windows": windows, "gaps": windows, "ms": ms,
        })),
        Just(json!({ "event": "yielded" })),
        wait.prop_map(|wait| json!({ "event": "waiting", "wait": wait })),
        Just(json!({ "event": "went_on" })),
        text().prop_map(|text| json!({ "event": "thought", "text": text })),
        text().prop_map(|text| json!({ "event": "piece", "text": text })),
        Just(json!({ "event": "discarded" })),
        Just(json!({ "event": "blinded" })),
        Just(chose),
        (0.0..=1.0_f64).prop_map(|p| json!({ "event": "asked_done", "probability": p })),
        (maybe(text()), maybe(text())).prop_map(move |(thought, unread)| without_null(
            json!({ "event": "proposed", "thought": thought, "unread": unread, "cost": cost })
        )),
        intent().prop_map(|intent| json!({ "event": "intended", "intent": intent })),
        (text(), reasons(), any::<bool>()).prop_map(|(summary, reasons, allowed)| json!({
            "event": "judged", "summary": summary,
            "verdict": { "decision": "ask", "reasons": reasons, "allowed": allowed },
        })),
        (text(), outcome(), 0.0..1e6_f64).prop_map(|(summary, outcome, ms)| json!({
            "event": "acted", "summary": summary, "outcome": outcome, "ms": ms,
        })),
        text().prop_map(|text| json!({ "event": "noted", "text": text })),
    ]
    .boxed()
}

/// Events in any order, with steps that mostly go on.
fn sequence() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        1 => of_the_whole(),
        2 => (of_a_step(), 0..3_u32).prop_map(|(mut event, further)| {
            event["step"] = further.into();
            event
        }),
    ];
    prop::collection::vec(event, 1..80).prop_map(|events| {
        let mut step = 1_u64;
        let numbered = events.into_iter().map(|mut event| {
            if let Some(further) = event.get("step").and_then(Value::as_u64) {
                step += further / 2;
                event["step"] = step.into();
            }
            serde_json::from_value(event.clone()).unwrap_or_else(|error| panic!("{event}: {error}"))
        });
        numbered.collect()
    })
}

#[test]
fn the_page_makes_of_all_events_what_the_hub_does() {
    let mut runner = TestRunner::default();
    let made = (0..60).map(|_| sequence().new_tree(&mut runner).unwrap().current());
    let mut sequences: Vec<Vec<Event>> = made.collect();
    // What is kept has an end, also of steps, notes and words.
    let of = |event: Value| serde_json::from_value::<Event>(event).unwrap();
    let mut long = vec![of(json!({ "event": "started", "header": header("Go on") }))];
    for step in 1..=230 {
        long.push(of(json!({ "event": "noted", "step": step, "text": step.to_string() })));
        long.push(of(json!({ "event": "said", "text": step.to_string(), "by": "a" })));
        long.push(of(json!({ "event": "piece", "step": step, "text": "x" })));
    }
    for _ in 0..6 {
        long.push(of(json!({ "event": "thought", "step": 231, "text": "é".repeat(3_000) })));
        long.push(of(json!({ "event": "piece", "step": 231, "text": "€".repeat(3_000) })));
    }
    sequences.push(long);
    let seen: BTreeSet<usize> = sequences.iter().flatten().map(kind).collect();
    assert_eq!(seen, (0..KINDS).collect(), "kinds of events that did not come up");
    agree(&sequences);
}

#[test]
fn the_page_makes_of_a_real_run_what_the_hub_does() {
    let account = Account::new();
    let calls = [
        json!({ "do": "open_app", "args": { "name": "xterm -T shell -e sh" } }),
        json!({ "do": "wait", "args": { "window": "shell", "timeout_ms": 60_000 } }),
        json!({ "name": "Say it", "do": "type_text", "args": { "text": "echo hi > out.txt", "submit": true } }),
        json!({ "assert": { "window": "no such window", "timeout_ms": 300 } }),
    ];
    account.write("hi.yaml", &json!({ "name": "Say hi", "steps": calls }).to_string());
    let said =
        account.run(&["workflow", "run", "hi.yaml", "--display", "virtual", "--json", "--out", "r"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    let events: Vec<Event> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|event| matches!(event, Event::Planned { .. })), "{}", said.out);
    agree(&[events]);
}
