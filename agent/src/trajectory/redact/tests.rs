use std::fs;
use std::path::Path;

use freehand_tools::action::ActionKind;
use freehand_tools::call::ToolCall;
use freehand_tools::element::{ElementId, Role};
use freehand_tools::outcome::Outcome;
use freehand_tools::setting::Entered;
use serde_json::json;
use tempfile::tempdir;

use super::*;
use crate::trajectory::reader::read;
use crate::trajectory::recorder::Recorder;
use crate::trajectory::sample::{clicking, does, element, frame, header, says, seen, typing};

const NASTY: [&str; 9] = [
    "hunter2",
    "a\"b\\c'd",
    "\\\\\"\\n\\u0041",
    "pässwörd 😀 \u{2028}",
    " padded secret ",
    "tab\tand\nline",
    "<script>&amp;",
    "C:\\new\\table",
    "correct horse battery staple correct horse battery staple",
];

/// Every way in which a file of the record could spell `secret`.
fn spellings(secret: &str) -> Vec<String> {
    let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
    let once = json(secret);
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = html.replace('"', "&quot;").replace('\'', "&#39;");
    vec![secret.to_owned(), json(&once), once, html, json(secret.trim()), secret.trim().to_owned()]
}

fn grep(dir: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(grep(&entry.path(), secret));
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        for spelling in spellings(secret) {
            if bytes.windows(spelling.len()).any(|part| part == spelling.as_bytes()) {
                found.push(format!("{spelling:?} in {}", entry.path().display()));
            }
        }
    }
    found
}

/// Everything that can hold a text holds the secret.
fn telltale(index: u32, secret: &str) -> Step {
    let mut step = typing(
        index,
        vec![element(1, Role::Textbox, "User"), element(2, Role::Button, "Go")],
        1,
        secret,
    );
    let say = |words: &str| format!("{words} {secret}!");
    let shown = &mut step.seen.elements[0];
    (shown.value, shown.description, shown.within) =
        (Some(secret.into()), Some(say("d")), Some(say("w")));
    shown.options = vec![secret.into()];
    shown.key.0 = say("key");
    step.seen.windows[0].title = say("title");
    step.seen.gaps = vec![say("gap")];
    step.list = say("[1] textbox value=");
    step.unread = Some(say("unread"));
    let completion = step.completion.as_mut().unwrap();
    completion.thinking = Some(say("thinking"));
    // A server that wraps JSON in JSON.
    completion.text = json!({ "arguments": completion.text }).to_string();
    step.proposal.as_mut().unwrap().thought = Some(say("thought"));
    let judged = &mut step.actions[0];
    judged.verdict.as_mut().unwrap().reasons[0].because = say("because");
    judged.verdict.as_mut().unwrap().approval = Some(Approval::no(&say("no")));
    judged.outcome = Outcome::Failed { reason: say("reason"), hint: Some(say("hint")) };
    judged.action.as_mut().unwrap().summary = say("summary");
    let action = judged.action.as_mut().unwrap();
    action.target.window.as_mut().unwrap().title = say("title");
    action.setting.words = vec![say("words")];
    action.setting.addresses = vec![say("address")];
    action.setting.begun = Some(say("begun"));
    action.setting.entered = Some(Entered { text: say("entered"), unsure: false });
    step
}

fn sign_in() -> Vec<freehand_tools::element::Element> {
    vec![element(1, Role::Textbox, "User"), element(2, Role::Password, "Word")]
}

#[test]
fn a_secret_is_in_no_file_whenever_it_was_learnt() {
    for secret in NASTY {
        let dir = tempdir().unwrap();
        let mut recorder =
            Recorder::create(dir.path(), header(&format!("sign in with {secret}!"))).unwrap();
        recorder.step(&telltale(1, secret), &[frame(1)]).unwrap();
        assert!(!grep(dir.path(), secret).is_empty(), "the test looks at what is written: {secret:?}");
        recorder.step(&typing(2, sign_in(), 2, secret), &[frame(2)]).unwrap();
        assert_eq!(grep(dir.path(), secret), [""; 0], "killed right after it was typed");
        recorder.step(&telltale(3, secret), &[]).unwrap();
        recorder.finish(&Exit::Done { checked: format!("{secret} is there") }).unwrap();
        assert_eq!(grep(dir.path(), secret), [""; 0]);
        let read = read(dir.path()).unwrap();
        assert_eq!(read.steps.len(), 3, "{secret:?}");
        assert_eq!(read.header.task, format!("sign in with {MASK}!"));
        let text = &read.steps[1].actions[0].action.as_ref().unwrap().kind;
        assert!(matches!(text, ActionKind::TypeText { text, .. } if text == MASK));
    }
}

#[test]
fn a_secret_told_beforehand_or_while_it_goes_on() {
    let dir = tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header("sign in with hunter2")).unwrap();
    recorder.step(&telltale(1, "hunter2"), &[]).unwrap();
    recorder.finish(&Exit::Interrupted).unwrap();
    drop(recorder);
    let (mut recorder, _) = Recorder::resume(dir.path()).unwrap();
    recorder.protect("hunter2").unwrap();
    assert_eq!(grep(dir.path(), "hunter2"), [""; 0], "the old report is gone as well");
    recorder.step(&telltale(2, "hunter2"), &[]).unwrap();
    recorder.finish(&Exit::Interrupted).unwrap();
    assert_eq!(grep(dir.path(), "hunter2"), [""; 0]);
    assert_eq!(read(dir.path()).unwrap().steps.len(), 2);
}

#[test]
fn a_record_stays_readable_when_the_secret_is_a_word_of_its_own() {
    let digest = frame(2).digest().to_string();
    for secret in
        ["button", "text", "interrupted", "step", "index", digest.get(4..8).unwrap(), "click", "done"]
    {
        let dir = tempdir().unwrap();
        let mut recorder = Recorder::create(dir.path(), header("task")).unwrap();
        recorder.step(&clicking(1), &[frame(1)]).unwrap();
        recorder.step(&typing(2, sign_in(), 2, secret), &[frame(2)]).unwrap();
        recorder.finish(&Exit::Interrupted).unwrap();
        let read = read(dir.path()).unwrap();
        assert_eq!((read.steps.len(), read.exit), (2, Some(Exit::Interrupted)), "{secret}");
        let first = read.steps[0].actions[0].action.as_ref().unwrap();
        assert!(matches!(first.kind, ActionKind::Click { .. }));
        assert_eq!((first.call.tool.as_str(), read.steps[1].seen.frame), ("click", frame(2).digest()));
    }
}

#[test]
fn a_short_secret_goes_where_it_was_typed_and_said() {
    let mut step = typing(1, sign_in(), 2, "42");
    step.completion.as_mut().unwrap().thinking = Some("the pin is 42, not 142".into());
    step.list = "[2] password field, 42 of 50".into();
    let mut secrets = Secrets::default();
    assert!(!secrets.learn_from(&step), "nothing is looked for in earlier lines");
    secrets.step(&mut step);
    let completion = step.completion.unwrap();
    assert_eq!(completion.thinking.unwrap(), format!("the pin is {MASK}, not 142"));
    assert!(!completion.text.contains("42"), "{}", completion.text);
    assert_eq!(step.proposal.unwrap().calls[0].args, json!({"target": 2, "text": MASK}));
    let judged = &step.actions[0];
    assert_eq!(
        (&judged.call.args["text"], &judged.action.as_ref().unwrap().call.args["text"]),
        (&json!(MASK), &json!(MASK))
    );
    assert_eq!(step.list, "[2] password field, 42 of 50");
}

#[test]
fn a_secret_that_was_proposed_and_never_typed() {
    // The first call of a batch failed, so the second was not even looked at.
    for (target, focus) in [
        (json!(2), None),
        (json!("word"), None),
        (json!({"x": 10, "y": 10}), None),
        (json!(null), Some(2)),
    ] {
        let mut step = typing(1, sign_in(), 1, "Ada");
        step.seen.elements[1].bounds = freehand_tools::geometry::Rect::new(0, 5, 20, 10);
        step.seen.focus = focus.map(ElementId);
        says(&mut step, "type_text", &json!({ "target": target, "text": "hunter2" }));
        let mut secrets = Secrets::default();
        secrets.learn_from(&step);
        secrets.step(&mut step);
        let text = serde_json::to_string(&step).unwrap();
        assert!(!text.contains("hunter2") && text.contains("Ada"), "{target}: {text}");
    }
}

#[test]
fn a_secret_that_was_spelled_or_pasted() {
    let mut step = seen(1, sign_in());
    let keys = json!(["h", "shift+u", "n", "t", "e", "r", "space", "2", "Tab"]);
    let call = says(&mut step, "press_keys", &json!({ "keys": keys }));
    let kind =
        ActionKind::PressKeys { keys: serde_json::from_value(keys).unwrap(), hold_ms: 0, times: 1 };
    does(&mut step, call, kind, 2, "press h shift+u n t e r space 2 tab");
    let mut secrets = Secrets::default();
    assert!(secrets.learn_from(&step));
    secrets.step(&mut step);
    let text = serde_json::to_string(&step).unwrap();
    assert!(!text.contains(r#""n","t""#) && !text.contains("n t e r"), "{text}");
    assert!(serde_json::from_str::<Step>(&text).is_ok());

    let mut copy = seen(1, sign_in());
    let call = ToolCall::new("write_clipboard", json!({ "text": "hunter2" }));
    does(
        &mut copy,
        call,
        ActionKind::WriteClipboard { text: "hunter2".into() },
        1,
        "put it on the clipboard",
    );
    let mut paste = seen(2, sign_in());
    let call = says(&mut paste, "press_keys", &json!({ "keys": "ctrl+v" }));
    let kind = ActionKind::PressKeys { keys: "ctrl+v".parse().unwrap(), hold_ms: 0, times: 1 };
    does(&mut paste, call, kind, 2, "press ctrl+v");
    let dir = tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header("task")).unwrap();
    recorder.step(&copy, &[]).unwrap();
    recorder.step(&paste, &[]).unwrap();
    assert_eq!(grep(dir.path(), "hunter2"), [""; 0]);
    let pasted = &read(dir.path()).unwrap().steps[1].actions[0];
    assert_eq!(pasted.call.args["keys"], "ctrl+v", "the keys themselves are no secret");
}

#[test]
fn the_secrets_do_not_show_in_a_log() {
    let mut secrets = Secrets::default();
    secrets.learn("hunter2");
    assert!(!format!("{secrets:?}").contains("hunter2"));
}
