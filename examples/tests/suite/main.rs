//! The examples, run as a reader runs them: on a real display, with real programs, and judged by what
//! these programs wrote.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and that is what these say; it waits outside any runtime"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use tempfile::TempDir;

/// As long as anything here may take.
const LIMIT: Duration = Duration::from_secs(240);

/// A display, and a home folder for what runs on it.
struct Stage {
    home: TempDir,
    display: VirtualDisplay,
}

impl Stage {
    fn start() -> Self {
        let display = VirtualDisplay::start(VirtualDisplay::DEFAULT_SIZE).unwrap();
        Self { home: tempfile::tempdir().unwrap(), display }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Starts a program on the display, with all that it says kept. It ends with the display.
    fn run(&self, program: &str, args: &[&str]) -> Running {
        let mut command = Command::new(program);
        command.args(args).envs(self.display.environment()).env("HOME", self.home.path());
        command.current_dir(self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::start(command)
    }
}

/// A program under way.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let said = Arc::default();
        listen(child.stdout.take().unwrap(), &said);
        listen(child.stderr.take().unwrap(), &said);
        Self { child, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn answer(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until it has said this so often.
    #[track_caller]
    fn wait_for(&self, words: &str, times: usize) {
        until(|| self.said().matches(words).count() >= times, || self.said());
    }

    /// Waits for its end; whether it was a good one.
    #[track_caller]
    fn ends_well(&mut self) -> bool {
        let mut status = None;
        let child = &mut self.child;
        let said = &self.said;
        until(
            || {
                status = child.try_wait().unwrap();
                status.is_some()
            },
            || said.lock().unwrap().clone(),
        );
        status.unwrap().success()
    }
}

fn listen(mut source: impl std::io::Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        let mut room = [0; 4096];
        while let Ok(count @ 1..) = source.read(&mut room) {
            let text = String::from_utf8_lossy(room.get(..count).unwrap()).into_owned();
            said.lock().unwrap().push_str(&text);
        }
    });
}

#[track_caller]
fn until(mut holds: impl FnMut() -> bool, told: impl Fn() -> String) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "it did not come; it said: {}", told());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn here(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).display().to_string()
}

#[test]
fn a_workflow_writes_a_note() {
    let stage = Stage::start();
    let folder = format!("folder={}", stage.home.path().display());
    let (file, model) = (here("workflow.yaml"), here("workflow.jsonl"));
    let program = env!("CARGO_BIN_EXE_workflow");
    let mut unset = stage.run(program, &[&file, &model]);
    assert!(!unset.ends_well() && unset.said().contains("--var folder="), "{}", unset.said());
    let mut workflow = stage.run(program, &[&file, &model, &folder]);
    assert!(workflow.ends_well(), "{}", workflow.said());
    let note = std::fs::read_to_string(stage.path("note.txt")).unwrap();
    assert_eq!(note.trim_end(), "Buy milk\nand bread");
}

#[test]
fn a_supervised_run_does_what_the_person_allows() {
    let stage = Stage::start();
    std::fs::write(stage.path("note.txt"), "").unwrap();
    let note = || std::fs::read_to_string(stage.path("note.txt")).unwrap();
    let script = [
        r#"{"tool":"type_text","args":{"text":"Buy milk"}}"#,
        r#"{"tool":"type_text","args":{"text":" and a car"}}"#,
        r#"{"tool":"press_keys","args":{"keys":"ctrl+s"}}"#,
        r#"{"tool":"finish","args":{"status":"success","evidence":["Buy milk"],"answer":"noted"}}"#,
    ];
    std::fs::write(stage.path("answers.jsonl"), script.join("\n")).unwrap();
    stage.run("mousepad", &["note.txt"]);
    let mut ready =
        stage.run(env!("CARGO_BIN_EXE_workflow"), &[&wait_for_the_note(&stage), "answers.jsonl"]);
    assert!(ready.ends_well(), "{}", ready.said());

    let line = format!("{} answers.jsonl 'Note what to buy'", env!("CARGO_BIN_EXE_supervised"));
    let mut run = stage.run("script", &["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (question, (about, answer)) in
        [("type \"Buy milk\"", "y\n"), ("type \" and a car\"", "n too dear\n"), ("press ctrl+s", "y\n")]
            .into_iter()
            .enumerate()
    {
        run.wait_for("if you like: ", question + 1);
        assert!(run.said().contains(about), "{}", run.said());
        assert_eq!(note(), "", "nothing is saved before it was allowed");
        run.answer(answer);
    }
    assert!(run.ends_well(), "{}", run.said());
    assert!(run.said().contains("the person said no: too dear"), "{}", run.said());
    assert_eq!(note().trim_end(), "Buy milk");
}

/// A workflow that waits until the editor shows the note.
fn wait_for_the_note(stage: &Stage) -> String {
    let text = "{name: ready, steps: [{wait: {window: note.txt, timeout_ms: 60000}}]}";
    std::fs::write(stage.path("ready.yaml"), text).unwrap();
    "ready.yaml".into()
}

mod real {
    use super::*;

    #[test]
    fn a_task_is_automated() {
        let weights =
            std::env::var("FREEHAND_TEST_GGUF").expect("`FREEHAND_TEST_GGUF` names the weights");
        let stage = Stage::start();
        let mut dialog = stage.run("/usr/bin/python3", &[&here("demo/settings.py")]);
        let task = "Tick \"Show hidden files\", choose the theme \"Dark\" and press \"Apply\"";
        let mut automate = stage.run(env!("CARGO_BIN_EXE_automate"), &[&weights, task]);
        assert!(automate.ends_well(), "{}", automate.said());
        assert!(dialog.ends_well(), "{}", automate.said());
        // It may have warnings of its toolkit to tell as well.
        let said = dialog.said();
        let answer = said.lines().find(|line| line.starts_with('{')).unwrap();
        let chosen: serde_json::Value = serde_json::from_str(answer).unwrap();
        let wanted = serde_json::json!({
            "switches": {
                "Start with the computer": false, "Check for updates": false, "Show hidden files": true
            },
            "theme": "Dark"
        });
        assert_eq!(chosen, wanted, "{}", automate.said());
    }
}
