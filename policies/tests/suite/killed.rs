//! A process that writes the audit log is killed at moments that nobody chose. What it has said to be
//! written must be in the log, and the log must be whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use freehand_policies::audit::{Audit, verify};
use freehand_tools::action::{Action, ActionKind, Basis, EffectClass, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::gate::{Decision, Verdict, Witness as _};
use freehand_tools::observation::ObservationId;
use freehand_tools::setting::Setting;

/// Names the log in the process that writes it.
const LOG: &str = "FREEHAND_TEST_AUDIT_LOG";
/// So many kills.
const KILLS: u64 = 200;

fn action(n: u64) -> Action {
    Action {
        call: ToolCall::new("note", serde_json::Value::Null),
        kind: ActionKind::Note { text: "x".repeat(usize::try_from(n % 3_000).unwrap()) },
        target: Target::default(),
        effects: EffectClass::Nothing,
        summary: format!("note {n} {}", "x".repeat(usize::try_from(n * 37 % 3_000).unwrap())),
        basis: Basis {
            observation: ObservationId(1),
            frame: serde_json::from_value("00".repeat(32).into()).unwrap(),
        },
        setting: Setting::default(),
    }
}

/// The process that is killed: this very test, by itself, with the name of a log.
#[test]
fn writer() {
    let Some(log) = std::env::var_os(LOG) else { return };
    let mut audit = Audit::new(PathBuf::from(log), "virtual".into(), "d1".into());
    let mut out = std::io::stdout();
    for n in 1.. {
        let verdict = Verdict {
            decision: Decision::Allow,
            reasons: Vec::new(),
            approval: None,
            earlier: false,
            allowed: true,
        };
        audit.judged(&action(n), &verdict).unwrap();
        // One call each, so that a line is there or not.
        out.write_all(format!("written {n}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// Lets a process write for so long, kills it, and gives how many entries it said to have written.
#[expect(clippy::disallowed_methods, reason = "no runtime runs here, and the moment is what is tried")]
fn killed_after(log: &Path, time: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::writer", "--nocapture", "--test-threads", "1"])
        .env(LOG, log)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.by_ref().find(|line| line.contains("written ")).expect("it writes");
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    let last = lines.filter(|line| line.contains("written ")).last().unwrap_or(first);
    last.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_was_written_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let mut moment = u64::try_from(since % 1_000_003).unwrap();
    let mut before = 0;
    for kill in 0..KILLS {
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let said = killed_after(&log, Duration::from_micros((moment >> 33) % 20_000));
        let whole = verify(&log, None, |_| ()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        let written = whole.entries - before;
        // The last one may be written and not yet said to be.
        assert!(written == said || written == said + 1, "kill {kill}: {written} of {said}");
        before = whole.entries;
    }
}
