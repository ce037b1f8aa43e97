//! Past runs, as a real one has left it and as a killed one might have.

use serde_json::Value;

use crate::run::{COME, DONE, OPEN, Server, TYPE};
use crate::support::{Account, Said};

fn run(account: &Account, name: &str, answers: &[&str]) -> Said {
    let server = Server::start(answers);
    let out = format!(".local/state/freehand/runs/{name}");
    account.run(&[
        "run",
        "Write a file",
        "--display",
        "virtual:640x480",
        "--model",
        &server.url,
        "--out",
        &out,
    ])
}

#[test]
fn a_past_run_is_listed_searched_compared_made_into_things_and_deleted() {
    let account = Account::new();
    assert!(account.run(&["runs"]).err.contains("there is no run in"));
    run(&account, "first", &[OPEN, COME, TYPE, DONE]).check(0, &[]);
    let other = TYPE.replace("hi", "ho");
    run(&account, "second", &[OPEN, COME, &other, DONE]).check(0, &[]);
    let runs = account.path(".local/state/freehand/runs");
    std::fs::create_dir_all(runs.join("early/frames")).unwrap();

    let listed = account.run(&["runs"]);
    assert_eq!(listed.code, Some(0), "{listed:#?}");
    let lines: Vec<&str> = listed.out.lines().collect();
    assert_eq!(lines.len(), 3, "{listed:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("unreadable") && line.contains("early")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("done") && line.contains("first  Write a file")));
    let json = account.run(&["runs", "list", "--json"]).out;
    let json: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = json.iter().find(|run| run["name"] == "first").unwrap();
    assert_eq!((&first["standing"]["exit"]["exit"], first["steps"].as_u64()), (&"done".into(), Some(4)));

    let found = account.run(&["runs", "search", "ECHO HO"]).out;
    assert!(
        found.contains("second") && !found.contains("first") && found.contains("step 3, action"),
        "{found}"
    );
    let shown = account.run(&["runs", "show", "first"]).out;
    assert!(shown.contains("3  type \"echo hi > out.txt\"") && shown.contains("done: "), "{shown}");
    let step = account.run(&["runs", "show", "fir", "--step", "3"]).out;
    assert!(step.contains("window \"shell\"") && step.contains("did: "), "{step}");
    account.run(&["runs", "show", "first", "--step", "9"]).check(2, &["no step 9", "the last one is 4"]);
    account.run(&["runs", "show", "nothing"]).check(2, &["no run `nothing`"]);
    let parted = account.run(&["runs", "diff", "first", "second"]).out;
    assert!(parted.contains("2 actions alike") && parted.contains("echo ho"), "{parted}");

    account.run(&["runs", "export", "first", "page.html"]).check(0, &["written to page.html"]);
    let page = std::fs::read_to_string(account.path("page.html")).unwrap();
    assert!(page.contains("data:image/png;base64,") && !page.contains("<script"));
    account.run(&["runs", "export", "first", "page.html"]).check(2, &["is there already"]);
    account.run(&["runs", "export", "first", "film.png", "--pace", "0.5"]).check(0, &[]);
    let film = std::fs::read(account.path("film.png")).unwrap();
    assert!(film.windows(4).filter(|part| part == b"fcTL").count() >= 4, "it is not animated");
    account.run(&["runs", "export", "first", "film.mp4"]).check(0, &[]);
    assert_eq!(&std::fs::read(account.path("film.mp4")).unwrap()[4..8], b"ftyp");
    account.run(&["runs", "export", "first", "chat.jsonl", "--images"]).check(0, &["4 examples"]);
    let chat = std::fs::read_to_string(account.path("chat.jsonl")).unwrap();
    let example: Value = serde_json::from_str(chat.lines().next().unwrap()).unwrap();
    assert!(account.path(example["images"][0].as_str().unwrap()).is_file());
    account.run(&["runs", "export", "first", "copy"]).check(0, &[]);
    assert!(account.path("copy/report.html").is_file());

    account.run(&["runs", "delete", "first"]).check(2, &["--yes"]);
    account
        .run(&["runs", "delete", "first", "early", "--yes"])
        .check(0, &["deleted first", "deleted early"]);
    assert!(
        !runs.join("first").exists() && !runs.join("early").exists() && runs.join("second").exists()
    );
}
