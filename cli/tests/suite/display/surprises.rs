//! A screen that is not what was expected: nothing describes it, or it changes between the question
//! and the answer.

use std::io::Write as _;
use std::process::Stdio;

use crate::screen::Screen;
use crate::support::{Account, Running, signal, wait_for};

const CHANGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/changing.py");

#[test]
fn what_has_changed_by_the_time_of_the_click_is_not_clicked() {
    for (how, part) in [
        ("gone", "button \"Send\" is not there any more"),
        ("covered", "`Cover` is in front of the target now"),
        ("relabelled", "button \"Send\" has become button \"Pay\""),
    ] {
        let (account, screen) = (Account::new(), Screen::whole());
        let path = account.path("journal");
        let journal = || std::fs::read_to_string(&path).unwrap_or_default();
        let python = screen.start(&["/usr/bin/python3", CHANGING, how, path.to_str().unwrap()]);
        let wait = r#"{"tool":"wait","args":{"element":"Send","timeout_ms":60000}}"#;
        let click = r#"{"tool":"click","args":{"target":{"label":"Send","role":"button"}}}"#;
        let asking = ["do", "--display", &screen.name, "--policy", "supervised", wait, click];
        let mut command = account.at_terminal(&asking);
        command.stdin(Stdio::piped());
        let mut running = Running::start(command);
        running.wait_for("if you like: ");
        signal(python, "USR1");
        wait_for("the change", || journal().contains("changed").then_some(()));
        running.child.stdin.take().unwrap().write_all(b"y\n").unwrap();
        let said = running.end();
        assert_eq!(said.code, Some(3), "{how}: {said:#?}");
        assert!(said.out.contains(part) && said.out.contains("look at the new list"), "{said:#?}");
        assert_eq!(journal(), "ready\nchanged\n", "{how}");
        screen.expect_untouched(how);
    }
}

#[test]
fn without_an_accessibility_bus_it_says_so_and_works_by_points() {
    let (account, screen) = (Account::new(), Screen::bare());
    let missing = ["no accessibility bus", "install `at-spi2-core`", "`--display virtual`"];
    account.run(&["observe", "--display", &screen.name]).check(0, &missing);
    let doing = |call| account.run(&[&["do", call], &screen.vouched()[..]].concat());
    doing(r#"{"tool":"click","args":{"target":{"x":40,"y":30}}}"#).check(0, &["click the point"]);
    let named = r#"{"tool":"click","args":{"target":"Send"}}"#;
    doing(named).check(3, &["nothing on the screen is called `Send`"]);
    account.write("w.yaml", "name: x\nsteps:\n  - do: move\n    args: { target: { x: 9, y: 9 } }\n");
    let script = ["workflow", "run", "w.yaml", "--out", "r"];
    account.run(&[&script, &screen.vouched()[..]].concat()).check(0, &missing);
    screen.expect_untouched("a workflow with no bus");
}

#[test]
fn an_accessibility_bus_that_goes_away_is_missed() {
    let (account, screen) = (Account::new(), Screen::whole());
    let journal = account.path("journal");
    screen.start(&["/usr/bin/python3", CHANGING, "gone", journal.to_str().unwrap()]);
    let text = "name: x\nsteps:\n  - wait: { element: Send, timeout_ms: 60000 }\n  \
        - wait: { text: Never, timeout_ms: 60000, gone: true }\n  - wait: { timeout_ms: 4000 }\n  \
        - do: click\n    args: { target: Send }\n";
    account.write("w.yaml", text);
    let args = ["workflow", "run", "w.yaml", "--out", "r"];
    let running = Running::start(account.command(&[&args, &screen.vouched()[..]].concat()));
    running.wait_for("the text \"Never\" is gone");
    screen.end_bus();
    running.end().check(3, &["no accessibility bus (it is gone)", "step 4 (line 6)", "`Send`"]);
    assert_eq!(std::fs::read_to_string(journal).unwrap(), "ready\n");
}

#[test]
fn arguments_that_fit_no_screen_are_refused_before_anything_is_done() {
    let screen = Screen::bare();
    let stops = vec![r#"{"x":1,"y":1}"#; 65].join(",");
    for (call, part) in [
        (r#"{"tool":"clack","args":{}}"#.to_owned(), "there is no tool `clack`; the tools are: "),
        (r#"{"tool":"click","args":{"target":1,"colour":"red"}}"#.into(), "unknown field `colour`"),
        (r#"{"tool":"click","args":{"target":{"x":1,"y":1},"count":0}}"#.into(), "expected 1 to 3"),
        (r#"{"tool":"click","args":{"target":-1}}"#.into(), "`-1` is not an element's number"),
        (r#"{"tool":"press_keys","args":{"keys":"a","hold_ms":10001}}"#.into(), "at most 10000"),
        (r#"{"tool":"press_keys","args":{"keys":"a","times":0}}"#.into(), "expected 1 to 100"),
        (r#"{"tool":"press_keys","args":{"keys":"a","times":101}}"#.into(), "expected 1 to 100"),
        (r#"{"tool":"press_keys","args":{"keys":"ctrl+"}}"#.into(), "press_keys"),
        (r#"{"tool":"scroll","args":{}}"#.into(), "not both 0"),
        (r#"{"tool":"scroll","args":{"dy":101}}"#.into(), "from -100 to 100"),
        (r#"{"tool":"drag","args":{"target":{"x":1,"y":1},"path":[]}}"#.into(), "1 to 64 places"),
        (
            format!(r#"{{"tool":"drag","args":{{"target":{{"x":1,"y":1}},"path":[{stops}]}}}}"#),
            "1 to 64 places",
        ),
        (r#"{"tool":"wait","args":{"timeout_ms":120001}}"#.into(), "at most 120000"),
        (
            format!(r#"{{"tool":"type_text","args":{{"text":"{}"}}}}"#, "x".repeat(20_001)),
            "at most 20000",
        ),
    ] {
        let account = Account::new();
        let said = account.run(&[&["do", &call], &screen.vouched()[..]].concat());
        assert_eq!(said.code, Some(2), "{call:.90}: {said:#?}");
        said.check(2, &[part]);
    }
    screen.expect_untouched("arguments out of range");
}
