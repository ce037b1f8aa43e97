//! What needs no display: help, bad usage, bad files, and the reference pages.

use std::path::Path;
use std::process::Stdio;

use crate::support::Account;

#[test]
fn every_command_has_help_with_an_example() {
    let account = Account::new();
    let help = account.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in [
        "run",
        "observe",
        "do",
        "resume",
        "replay",
        "runs",
        "workflow",
        "model",
        "serve",
        "doctor",
        "bench",
        "Exit codes",
        "130",
    ] {
        assert!(help.out.contains(command), "{command}");
    }
    assert!(!help.out.contains("docs"), "it is for those who work on Freehand");
    for command in [
        &["run"][..],
        &["observe"],
        &["do"],
        &["resume"],
        &["replay"],
        &["runs"],
        &["runs", "search"],
        &["runs", "show"],
        &["runs", "diff"],
        &["runs", "export"],
        &["runs", "delete"],
        &["workflow", "run"],
        &["model", "pull"],
        &["serve"],
        &["bench", "step"],
        &["bench", "gate"],
        &["policy", "show"],
        &["policy", "check"],
        &["policy", "test"],
        &["policy", "explain"],
        &["audit", "verify"],
        &["audit", "show"],
    ] {
        let said = account.run(&[command, &["--help"]].concat());
        assert_eq!(said.code, Some(0), "{command:?}");
        assert!(said.out.contains("Example"), "{command:?}");
    }
}

#[test]
fn bad_usage_ends_with_2_and_says_what_is_expected() {
    let account = Account::new();
    let table: &[(&[&str], &[&str])] = &[
        (&[], &["Usage"]),
        (&["fly"], &["unrecognized subcommand 'fly'"]),
        (&["run"], &["<TASK>"]),
        (&["run", "  "], &["the task is empty"]),
        (&["run", "x", "--policy", "yolo"], &["`observe-only`, `supervised`, `unattended-in-sandbox`"]),
        (&["run", "x", "--policy", "my.cedar"], &["`my.cedar`: there is no such file"]),
        (&["run", "x", "--deny", "fly"], &["`fly` is nothing that can be forbidden", "open_url"]),
        (&["policy", "check"], &["<FILE>"]),
        (&["policy", "explain", "nowhere"], &["cannot read"]),
        (&["audit", "verify", "nowhere"], &["cannot use `nowhere`"]),
        (&["run", "x", "--policy", "unattended-in-sandbox"], &["--display virtual", "--trust-display"]),
        (&["run", "x", "--yes"], &["--display virtual", "--trust-display"]),
        (&["run", "x", "--max-steps", "0"], &["1..=5000"]),
        (&["run", "x", "--timeout", "soon"], &["`soon` is not a span of time"]),
        (&["run", "x", "--display", "virtual:9"], &["`virtual:1280x800`"]),
        (&["run", "x", "--model", "gpt"], &["no model is called `gpt`", "`qwen2.5-coder-1.5b`"]),
        (&["run", "x", "--model", "./none.gguf"], &["there is no file `./none.gguf`"]),
        (&["run", "x", "--model", "http://"], &["http://"]),
        (&["observe", "--image", "x.jpg"], &["pictures are written as PNG; name it `x.png`"]),
        (&["observe", "--budget", "5"], &["`5` is not a number of tokens from 50 to 50000"]),
        (&["model", "pull", "gpt"], &["no model is called `gpt`"]),
        (&["model", "rm", "gpt"], &["no model is called `gpt`"]),
        (&["bench", "step", "--rounds", "0"], &["1..=1000"]),
        (&["bench", "step", "--size", "large"], &["`large` is not a size", "`1280x800`"]),
        (&["do"], &["<CALL>"]),
        (&["do", "{"], &["call 1 is not a tool call"]),
        (&["do", r#"{"tool":"wait"}"#, r#"{"tol":"wait"}"#], &["call 2", "unknown field `tol`"]),
        (&["do", "-", "{}"], &["stands alone"]),
        (&["resume", "nowhere"], &["cannot read `nowhere`"]),
        (&["replay", "nowhere"], &["cannot read"]),
        (&["workflow", "run", "none.yaml"], &["cannot read `none.yaml`"]),
        (&["workflow", "run", "x.yaml", "--var", "novalue"], &["`novalue` is not NAME=VALUE"]),
    ];
    for (args, parts) in table {
        let said = account.run(args);
        assert_eq!(said.code, Some(2), "{args:?}: {said:#?}");
        for part in *parts {
            assert!(said.err.contains(part), "{args:?}: `{part}` is missing in {}", said.err);
        }
    }
}

#[test]
fn without_a_display_it_ends_with_5_and_names_the_virtual_one() {
    let account = Account::new();
    for args in
        [&["observe"][..], &["do", r#"{"tool":"wait"}"#], &["run", "x", "--model", "http://127.0.0.1:9"]]
    {
        account.run(args).check(5, &["no display", "`DISPLAY` is not set", "--display virtual"]);
    }
    account.run(&["observe", "--display", ":7777"]).check(5, &[":7777"]);
}

#[test]
fn on_wayland_it_refuses_in_so_many_words() {
    let account = Account::new();
    let mut command = account.command(&["observe"]);
    command.env("WAYLAND_DISPLAY", "wayland-0").env("DISPLAY", ":0");
    let said = crate::support::Running::start(command).end();
    said.check(5, &["Wayland is not supported yet", "--display virtual"]);
}

#[test]
fn a_model_that_is_not_there_ends_with_5_and_names_the_command() {
    let account = Account::new();
    account
        .run(&["run", "x", "--display", "virtual"])
        .check(5, &["freehand model pull qwen2.5-coder-1.5b"]);
    let doctor = account.run(&["doctor"]);
    assert_eq!(doctor.code, Some(5), "{doctor:#?}");
    assert!(doctor.out.contains("freehand model pull qwen2.5-coder-1.5b"), "{doctor:#?}");
    assert!(account.run(&["model", "list"]).out.contains("not on this machine"));
}

/// A session of its own, in which nobody has said yet that somebody reads what programs show.
#[test]
fn the_doctor_switches_accessibility_on() {
    let account = Account::new();
    let script = "for how in '' --accessibility ''; do \"$0\" doctor $how --json; echo; done";
    let mut command = std::process::Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", script, env!("CARGO_BIN_EXE_freehand")]);
    command.env_clear().env("HOME", account.home.path()).env("PATH", std::env::var_os("PATH").unwrap());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = crate::support::Running::start(command).end();
    let reports = serde_json::Deserializer::from_str(&said.out).into_iter::<serde_json::Value>();
    let of = |report: &serde_json::Value| {
        let findings = report.as_array().unwrap().iter();
        let own = findings.filter(|finding| finding["what"] == "accessibility");
        own.map(|finding| finding["standing"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let standing: Vec<String> = reports.map(|report| of(&report.unwrap())).collect();
    assert_eq!(standing, ["lacking", "fine", "fine"], "{said:#?}");
    // Without a session there is nobody to tell.
    let alone = account.run(&["doctor", "--accessibility"]);
    assert!(alone.out.contains("MISSING accessibility"), "{alone:#?}");
}

#[test]
fn a_configuration_is_checked_to_the_column() {
    let account = Account::new();
    let path = account.write(".config/freehand/config.toml", "model = \"m\"\npolcy = \"supervised\"\n");
    let at = format!("`{}`, line 2, column 1", path.display());
    account.run(&["observe"]).check(2, &[&at, "polcy"]);
    account.write(".config/freehand/config.toml", "policy = \"yolo\"\n");
    account.run(&["run", "x"]).check(2, &["`policy` of the configuration", "`supervised`"]);
    account.write(".config/freehand/config.toml", "model = \"gpt\"\n");
    account.run(&["run", "x"]).check(2, &["no model is called `gpt`"]);
    account.write(".config/freehand/config.toml", "timeout = \"soon\"\n");
    account.run(&["run", "x"]).check(2, &["`timeout` of the configuration"]);
}

#[test]
fn a_workflow_is_checked_to_the_column_before_anything_is_done() {
    let account = Account::new();
    let table = [
        ("name: x\nsteps:\n  - do: wait\n    agrs: {}\n", &["line 4, column 5", "agrs"][..]),
        ("name: x\nsteps:\n  - do: fly\n", &["line 3", "there is no tool `fly`"]),
        (
            "name: x\nsteps:\n  - do: click\n    args: { target: 1, count: 9 }\n",
            &["line 4", "`count` is 9"],
        ),
        ("name: [", &["line 1"]),
    ];
    for (text, parts) in table {
        account.write("w.yaml", text);
        let said = account.run(&["workflow", "run", "w.yaml", "--display", "virtual"]);
        said.check(2, &[parts, &["`w.yaml`"]].concat());
    }
}

#[test]
fn a_record_that_is_none_is_refused() {
    let account = Account::new();
    account.write("r/trajectory.jsonl", "{\"format\":99}\n");
    account.run(&["resume", "r"]).check(2, &["format 99"]);
    account.write("r/trajectory.jsonl", "garbage\n");
    account.run(&["replay", "r"]).check(2, &["line 1"]);
}

#[test]
fn the_reference_pages_are_those_of_the_program() {
    let account = Account::new();
    let made = account.run(&["docs", "reference", "--out", "made"]);
    assert_eq!(made.code, Some(0), "{made:#?}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    for page in ["cli.md", "tools.md", "protocol.md", "observation.md"] {
        let made = std::fs::read_to_string(account.path("made").join(page)).unwrap();
        let kept = std::fs::read_to_string(kept.join(page)).unwrap_or_default();
        assert!(made == kept, "{page} is out of date; run `cargo run -p freehand -- docs reference`");
        assert!(made.len() > 2_000, "{page} is nearly empty");
    }
}
