//! The benchmark on a real display: that everything is measured and nothing is left. How long things
//! take is not tested; that depends on who else uses the machine.

use std::process::Command;

use serde_json::Value;

use crate::support::{Account, Running, processes_with, wait_for};

/// Every part of a step and every figure that goes with it.
const PARTS: [&str; 11] = [
    "observe",
    "list",
    "gate",
    "act",
    "record",
    "step",
    "observe_unchanged",
    "windows",
    "picture",
    "png",
    "click",
];

/// What every process of the benchmark has in its environment, the browser included.
fn mark(account: &Account) -> String {
    format!("BENCH_OF={}", account.home.path().display())
}

fn bench(account: &Account, rounds: &str, more: &[&str]) -> Command {
    let args = ["bench", "step", "--json", "--size", "1280x800", "--rounds", rounds];
    let mut command = account.command(&[&args[..], more].concat());
    command.env("BENCH_OF", account.home.path());
    // The Python packages are fetched once, and not for each test.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn is_spread(value: &Value) -> bool {
    let figure = |name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    figure("min") > 0.0 && figure("min") <= figure("median") && figure("median") <= figure("p90")
}

fn check_cases(report: &Value) {
    let cases = report["cases"].as_array().unwrap();
    let scenes: Vec<&str> = cases.iter().map(|case| case["scene"].as_str().unwrap()).collect();
    assert_eq!(scenes, ["mute", "few", "many"]);
    let elements: Vec<u64> = cases.iter().map(|case| case["elements"].as_u64().unwrap()).collect();
    // Only what is drawn: the borders of the buttons.
    assert!(*elements.first().unwrap() < 15, "{elements:?}");
    assert!((15..=30).contains(elements.get(1).unwrap()), "{elements:?}");
    assert!((650..=750).contains(elements.get(2).unwrap()), "{elements:?}");
    for case in cases {
        assert_eq!(case["display"], "1280x800");
        for part in PARTS {
            assert!(is_spread(&case["parts"][part]), "{part}: {case:#}");
        }
    }
}

#[test]
fn every_part_of_a_step_is_measured_beside_python() {
    let account = Account::new();
    let said = Running::start(bench(&account, "2", &[])).end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&report["rounds"], &report["warm_up"]), (&2.into(), &3.into()));
    assert!(report["machine"]["browser"].as_str().unwrap().contains("Chrom"), "{report:#}");
    for name in ["python", "mss", "pyautogui", "pillow"] {
        assert!(report["peer"][name].is_string(), "{report:#}");
    }
    check_cases(&report);
    for case in report["cases"].as_array().unwrap() {
        for (what, other) in [("picture", "mss"), ("png", "mss"), ("click", "PyAutoGUI")] {
            let compared = case["compared"].as_array().unwrap();
            let fits = |versus: &&Value| versus["what"] == what && versus["other"] == other;
            let versus = compared.iter().find(fits).unwrap();
            assert!(is_spread(&versus["ours"]) && is_spread(&versus["theirs"]), "{versus:#}");
            let quotient = versus["theirs"]["median"].as_f64().unwrap()
                / versus["ours"]["median"].as_f64().unwrap();
            assert!((versus["ratio"].as_f64().unwrap() - quotient).abs() < 1e-6, "{versus:#}");
        }
    }
    nothing_is_left(&account);
}

#[test]
fn without_python_it_says_so_and_goes_on() {
    let account = Account::new();
    let mut command = bench(&account, "2", &[]);
    // Nobody listens there.
    command.env("XDG_CACHE_HOME", account.path("empty"));
    command.envs([("PIP_INDEX_URL", "http://127.0.0.1:9/"), ("PIP_RETRIES", "0")]);
    let said = Running::start(command).end();
    said.check(0, &["going on without Python"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(report["peer"]["missing"].as_str().is_some_and(|reason| !reason.is_empty()), "{report:#}");
    check_cases(&report);
    for case in report["cases"].as_array().unwrap() {
        assert_eq!(case["compared"], Value::Array(Vec::new()));
    }
    nothing_is_left(&account);
}

#[test]
fn without_a_browser_it_names_the_package() {
    let account = Account::new();
    let mut command = bench(&account, "2", &["--no-peer"]);
    command.env("PATH", "/nowhere");
    Running::start(command).end().check(5, &["no browser", "`chromium`"]);
}

#[test]
fn it_can_be_stopped_at_any_time() {
    let account = Account::new();
    let mut command = bench(&account, "1000", &["--no-peer"]);
    command.env("XDG_CACHE_HOME", account.path("empty"));
    let running = Running::start(command);
    wait_for("the first step", || {
        let records = std::fs::read_dir(account.path("empty/freehand/bench")).ok()?;
        let record = records.flatten().next()?.path().join("0/trajectory.jsonl");
        (std::fs::read_to_string(record).ok()?.lines().count() > 1).then_some(())
    });
    running.signal("INT");
    running.end().check(130, &["stopping"]);
    nothing_is_left(&account);
}

#[test]
fn what_is_read_is_compared_with_the_document_of_the_browser() {
    let account = Account::new();
    let mut command = account.command(&["bench", "ocr", "--json", "--rounds", "1", "--no-peer"]);
    let networks = std::env::var_os("FREEHAND_TEST_OCR");
    command.env(
        "FREEHAND_MODELS",
        networks.expect("`FREEHAND_TEST_OCR` names the folder with the networks"),
    );
    let said = Running::start(command).end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let pictures: Vec<&str> = cases.iter().map(|case| case["picture"].as_str().unwrap()).collect();
    assert_eq!(pictures, ["1280x800", "400x300"]);
    for case in cases {
        assert!(is_spread(&case["wall"]) && is_spread(&case["cpu"]), "{case:#}");
        let latin = |name: &str| case[name]["latin"].as_u64().unwrap();
        // Chinese and Japanese letters may not be installed; these are.
        assert!(latin("phrases") > 25 && latin("right") * 100 >= latin("phrases") * 90, "{case:#}");
    }
    let without = account.command(&["bench", "ocr", "--no-peer"]);
    Running::start(without).end().check(5, &["freehand model pull ocr-detection"]);
}

/// No process, no record, nothing in the account.
fn nothing_is_left(account: &Account) {
    let mark = mark(account);
    wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
    let folders = [account.path("empty"), env!("CARGO_TARGET_TMPDIR").into()];
    for folder in folders {
        let records = std::fs::read_dir(folder.join("freehand/bench")).into_iter().flatten().flatten();
        let left: Vec<_> =
            records.map(|entry| entry.file_name()).filter(|name| name != "python").collect();
        assert!(left.is_empty(), "{left:?} is left in {}", folder.display());
    }
}
