//! What Freehand sees, judged by what real pages and a real program say of themselves: a quick part of
//! the corpus in `bench/corpus`.

use std::process::{Command, Stdio};

use crate::support::{Account, Running, processes_with, wait_for};

/// Runs the corpus with these words, in an account of its own.
fn corpus(account: &Account, words: &[&str]) -> Running {
    let mut command = Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/corpus/see.py"))
        .args(["--freehand", env!("CARGO_BIN_EXE_freehand"), "--details"])
        .args(words)
        .env_clear()
        .env("HOME", account.home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LANG", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SEE_OF", account.home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Running::start(command)
}

#[test]
fn what_can_be_used_on_pages_and_in_a_program_is_seen() {
    let account = Account::new();
    let json = account.path("see.json");
    let pages =
        ["--page", "form", "--page", "overlay", "--page", "menus", "--scale", "1", "--scale", "2"];
    let least = ["--least-recall", "0.98", "--least-precision", "0.95", "--least-text", "0.9"];
    let rest = ["--program", "gtk3", "--json", json.to_str().unwrap()];
    let said = corpus(&account, &[&pages[..], &least, &rest].concat()).end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(report["left_out"], serde_json::json!([]), "{report:#}");
    let scenes = report["scenes"].as_array().unwrap();
    assert_eq!(scenes.len(), 8, "{report:#}");
    for scene in scenes {
        assert!(scene["items"].as_u64().unwrap() >= 5, "{scene:#}");
        assert!(scene["compared"].as_u64().unwrap() > 0, "{scene:#}");
    }
    let mark = format!("SEE_OF={}", account.home.path().display());
    wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
}

#[test]
fn a_share_that_is_not_reached_fails() {
    let account = Account::new();
    // Words that only stand in a picture or that the program withholds are not in the list.
    let words = ["--page", "custom", "--scale", "1", "--program", "none", "--least-text", "1"];
    let said = corpus(&account, &words).end();
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.out.contains("failed: text is 0."), "{said:#?}");
}

#[test]
fn what_lies_under_a_scroll_bar_or_has_no_size_is_not_listed() {
    let account = Account::new();
    let pages = ["--page", "partly", "--page", "hidden", "--scale", "2", "--program", "none"];
    let said =
        corpus(&account, &[&pages[..], &["--least-precision", "1", "--least-recall", "1"]].concat());
    let said = said.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
}
