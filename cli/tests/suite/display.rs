//! On a real display, with real programs, looked at from outside: files that they wrote, processes that
//! are left.

use std::io::Write as _;
use std::process::Stdio;

mod desk;
mod dying;
mod hidden;
mod kept;
mod looking;
mod notified;
mod presence;
mod surprises;
mod yielding;

use crate::screen::Screen;
use crate::support::{Account, Running, last_line, processes_with, wait_for};

const SHELL: &str = r#"{"tool":"open_app","args":{"name":"xterm -e sh"}}"#;
const SHELL_IS_THERE: &str = r#"{"tool":"wait","args":{"window":"sh","timeout_ms":60000}}"#;

fn typing(text: &str) -> String {
    format!(r#"{{"tool":"type_text","args":{{"text":"{text}","submit":true}}}}"#)
}

#[test]
fn calls_reach_a_terminal() {
    let account = Account::new();
    let line = typing("echo 'Grüße, 中 {}' > out.txt; exit");
    let gone = r#"{"tool":"wait","args":{"window":"sh","gone":true,"timeout_ms":60000}}"#;
    let said = account.run(&["do", "--display", "virtual", SHELL, SHELL_IS_THERE, &line, gone]);
    said.check(0, &["start `xterm -e sh`"]);
    assert_eq!(std::fs::read_to_string(account.path("out.txt")).unwrap(), "Grüße, 中 {}\n");
}

#[test]
fn calls_save_a_file_in_an_editor() {
    let account = Account::new();
    let file = account.path("todo.txt").display().to_string();
    let save = format!(r#"{{"tool":"type_text","args":{{"text":"{file}","clear":true}}}}"#);
    let calls = [
        r#"{"tool":"open_app","args":{"name":"mousepad"}}"#,
        r#"{"tool":"wait","args":{"window":"Mousepad","timeout_ms":60000}}"#,
        r#"{"tool":"type_text","args":{"text":"Buy milk\nand é"}}"#,
        r#"{"tool":"press_keys","args":{"keys":"ctrl+s"}}"#,
        r#"{"tool":"wait","args":{"element":"Name","timeout_ms":60000}}"#,
        &save,
        r#"{"tool":"click","args":{"target":{"label":"Save","role":"button"}}}"#,
        r#"{"tool":"wait","args":{"window":"todo.txt","timeout_ms":60000}}"#,
    ];
    let mut command = account.command(&["do", "--display", "virtual", "-"]);
    let mut running = Running::start({
        command.stdin(Stdio::piped());
        command
    });
    let mut input = running.child.stdin.take().unwrap();
    input.write_all(calls.join("\n").as_bytes()).unwrap();
    drop(input);
    running.end().check(0, &["press ctrl+s"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.trim_end_matches('\n'), "Buy milk\nand é");
}

const SPLASH: &str = r#"
import gi, sys
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk, Gdk, GLib

splash = Gtk.Window(title="Workshop")
splash.set_type_hint(Gdk.WindowTypeHint.SPLASHSCREEN)
splash.add(Gtk.Label(label="Workshop is starting"))
splash.set_default_size(400, 200)
splash.show_all()

def ready():
    splash.destroy()
    window = Gtk.Window(title="Workshop")
    button = Gtk.Button(label="Go")
    button.connect("clicked", lambda _: (open(sys.argv[1], "w").write("went"), Gtk.main_quit()))
    window.add(button)
    window.show_all()

GLib.timeout_add(4000, ready)
Gtk.main()
"#;

#[test]
fn a_splash_is_not_yet_the_program() {
    let account = Account::new();
    let (program, out) = (account.write("splash.py", SPLASH), account.path("went.txt"));
    let open = serde_json::json!({
        "tool": "open_app",
        "args": { "name": format!("/usr/bin/python3 {} {}", program.display(), out.display()) },
    });
    let go = r#"{"tool":"click","args":{"target":{"label":"Go","role":"button"}}}"#;
    let gone = r#"{"tool":"wait","args":{"window":"Workshop","gone":true,"timeout_ms":60000}}"#;
    let said = account.run(&["do", "--display", "virtual", &open.to_string(), go, gone]);
    said.check(0, &["click button \"Go\""]);
    assert_eq!(std::fs::read_to_string(out).unwrap(), "went");
}

#[test]
fn wrong_calls_say_what_is_wrong() {
    let account = Account::new();
    for (call, code, part) in [
        (r#"{"tool":"fly"}"#, 2, "there is no tool `fly`; the tools are: click"),
        (r#"{"tool":"click","args":{"target":1,"count":9}}"#, 2, "`count` is 9, expected 1 to 3"),
        (r#"{"tool":"wait","args":{"timeout_ms":9999999}}"#, 2, "at most 120000"),
        (r#"{"tool":"press_keys","args":{"keys":"ctrl+hyper+ä"}}"#, 2, "press_keys"),
        (r#"{"tool":"click","args":{"target":77}}"#, 3, "there is no element 77"),
        (r#"{"tool":"click","args":{"target":{"x":9000,"y":1}}}"#, 3, "outside the screen"),
        (r#"{"tool":"open_app","args":{"name":"no-such-program"}}"#, 3, "no-such-program"),
        (r#"{"tool":"open_app","args":{"name":"keepassxc"}}"#, 4, "never touches it"),
    ] {
        account.run(&["do", "--display", "virtual", call]).check(code, &[part]);
    }
}

#[test]
fn with_nobody_to_ask_nothing_is_done() {
    let account = Account::new();
    for (policy, part) in
        [("supervised", "nobody is there to ask"), ("observe-only", "only looking is allowed")]
    {
        let call = r#"{"tool":"open_app","args":{"name":"touch done.txt"}}"#;
        let said = account.run(&["do", "--display", "virtual", "--policy", policy, call]);
        said.check(4, &["refused", part]);
    }
    assert!(!account.path("done.txt").exists());
    let call = r#"{"tool":"open_app","args":{"name":"touch done.txt"}}"#;
    let said = account.run(&["do", "--display", "virtual", "--policy", "supervised", "--yes", call]);
    said.check(0, &[]);
    wait_for("the file", || account.path("done.txt").exists().then_some(()));
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    for (answer, code) in [("y\n", 0), ("n not that\n", 4), ("", 4)] {
        let account = Account::new();
        let call = r#"{"tool":"open_app","args":{"name":"touch done.txt"}}"#;
        let mut command =
            account.at_terminal(&["do", "--display", "virtual", "--policy", "supervised", call]);
        command.stdin(Stdio::piped());
        let mut running = Running::start(command);
        let mut input = running.child.stdin.take().unwrap();
        // Typed before the question is there: it must not count as its answer.
        input.write_all(b"y\n").unwrap();
        let mark = format!("HOME={}", account.home.path().display());
        // The window manager comes up before the question does.
        wait_for("the display", || (processes_with(&mark).len() > 4).then_some(()));
        for _ in 0..40 {
            crate::support::pause();
        }
        input.write_all(answer.as_bytes()).unwrap();
        if answer.is_empty() {
            drop(input);
        }
        let said = running.end();
        assert_eq!(said.code, Some(code), "{answer:?}: {said:#?}");
        assert!(
            said.out.contains("May Freehand do this?") && said.out.contains("start `touch done.txt`")
        );
        assert_eq!(said.out.contains("the person said no: not that"), answer.starts_with('n'));
        if code == 0 {
            wait_for("the file", || account.path("done.txt").exists().then_some(()));
        } else {
            assert!(!account.path("done.txt").exists());
        }
    }
}

#[test]
fn a_signal_stops_it_and_nothing_is_left() {
    for signal in ["INT", "TERM", "HUP"] {
        let account = Account::new();
        let mark = format!("HOME={}", account.home.path().display());
        let wait = r#"{"tool":"wait","args":{"timeout_ms":100000}}"#;
        let running = Running::start(account.command(&[
            "do",
            "--display",
            "virtual",
            SHELL,
            SHELL_IS_THERE,
            wait,
        ]));
        wait_for("the shell", || (processes_with(&mark).len() > 6).then_some(()));
        running.signal(signal);
        running.end().check(130, &["stopping"]);
        wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
    }
}

#[test]
fn looking_shows_windows_list_and_picture() {
    let account = Account::new();
    let said = account.run(&["observe", "--display", "virtual:800x600", "--json", "--image", "now.png"]);
    said.check(0, &[]);
    let seen: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&seen["bounds"]["width"], &seen["bounds"]["height"]), (&800.into(), &600.into()));
    assert_eq!(std::fs::read(account.path("now.png")).unwrap().get(..4), Some(&b"\x89PNG"[..]));
    let said = account.run(&["observe", "--display", "virtual", "--image", "no/where.png"]);
    said.check(2, &["cannot write `no/where.png`"]);
}

#[test]
fn a_look_is_kept_to_a_window_or_a_part_and_can_go_on() {
    let account = Account::new();
    let screen = Screen::whole();
    screen.start(&["zenity", "--entry", "--title", "Order", "--text", "Name"]);
    let of = |args: &[&str]| account.run(&[&["observe", "--display", &screen.name], args].concat());
    wait_for("the dialog", || of(&[]).out.contains("button \"OK\"").then_some(()));
    let whole = of(&["--window", "ORDER", "--json", "--image", "plain.png"]);
    whole.check(0, &[]);
    let seen: serde_json::Value = serde_json::from_str(&whole.out).unwrap();
    let listed = of(&["--window", "order", "--image", "marked.png", "--marks"]);
    assert!(listed.out.contains("button \"OK\""), "{}", listed.out);
    let file = |name: &str| std::fs::read(account.path(name)).unwrap();
    let (plain, marked) = (file("plain.png"), file("marked.png"));
    let width = |png: &[u8]| u64::from(u32::from_be_bytes(png[16..20].try_into().unwrap()));
    assert_eq!(Some(width(&plain)), seen["bounds"]["width"].as_u64());
    assert_eq!(width(&plain), width(&marked));
    assert_ne!(plain, marked);
    of(&["--window", "letter"]).check(2, &["no window has `letter`", "\"Order\""]);
    of(&["--region", "9000,0,10x10"]).check(2, &["is not on the screen"]);
    let close = ["--region", "0,0,200x100", "--image", "close.png", "--enlarge", "--marks"];
    let closely = of(&close);
    assert!(closely.out.contains("200x100+0+0"), "{}", closely.out);
    assert_eq!(width(&file("close.png")), 1400);
    let outside = of(&["--region", "0,0,1x1"]);
    assert!(outside.out.contains("1x1+0+0"), "{}", outside.out);
    assert!(!outside.out.contains("OK"), "{}", outside.out);

    let running = Running::start(account.command(&["observe", "--display", &screen.name, "--watch"]));
    running.wait_for("button \"OK\"");
    screen.start(&["zenity", "--info", "--title", "News", "--text", "It has begun"]);
    running.wait_for("+ window \"News\"");
    running.signal("INT");
    running.end().check(130, &["stopping"]);
}

#[test]
fn a_workflow_is_done_and_done_again() {
    let account = Account::new();
    let text = "name: write a file\nvars: { word: hello }\nsteps:\n\
        - do: open_app\n  args: { name: xterm -e sh }\n\
        - wait: { window: sh, timeout_ms: 60000 }\n\
        - do: type_text\n  args: { text: \"echo ${word} >> out.txt\", submit: true }\n\
        - assert: { window: sh }\n\
        - do: type_text\n  args: { text: exit, submit: true }\n\
        - assert: { window: sh, gone: true, timeout_ms: 60000 }\n";
    account.write("w.yaml", text);
    let args = ["workflow", "run", "w.yaml", "--var", "word=hi", "--display", "virtual", "--out", "r"];
    account.run(&args).check(0, &["done: all 6 steps", "r/report.html"]);
    assert_eq!(std::fs::read_to_string(account.path("out.txt")).unwrap(), "hi\n");
    assert_eq!(last_line(&account.path("r"))["exit"], "done");
    account.run(&args).check(2, &["a run is recorded there already"]);
    account.run(&["resume", "r"]).check(2, &["workflow"]);
    let again = account.run(&["replay", "r", "--out", "r2"]);
    again.check(0, &["done"]);
    assert_eq!(std::fs::read_to_string(account.path("out.txt")).unwrap(), "hi\nhi\n");
    assert_eq!(last_line(&account.path("r2"))["exit"], "done");
}

#[test]
fn a_record_that_cannot_be_written_ends_it_with_2() {
    let account = Account::new();
    account.write("file", "");
    account.write("w.yaml", "name: x\nsteps:\n  - do: open_app\n    args: { name: touch done.txt }\n");
    let args = ["workflow", "run", "w.yaml", "--display", "virtual", "--out", "file/r"];
    account.run(&args).check(2, &["cannot write `file/r`"]);
    assert!(!account.path("done.txt").exists());
}

#[test]
fn the_workflow_of_the_guide_works() {
    let account = Account::new();
    let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/workflows.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (workflow, _) = rest.split_once("```").unwrap();
    account.write("note.yaml", workflow);
    account.run(&["workflow", "run", "note.yaml", "--display", "virtual"]).check(0, &["done: "]);
    assert_eq!(std::fs::read_to_string(account.path("note.txt")).unwrap().trim_end(), "Buy milk");
}
