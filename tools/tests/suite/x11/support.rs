//! A display with the desktop on it, and the permits that acting needs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use freehand_tools::action::{Action, ActionKind, Basis, EffectClass, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::desktop::{Desktop, KeyboardInput, Launch, PointerInput};
use freehand_tools::element::Window;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::permit::Redeemed;
use freehand_tools::setting::Setting;
use freehand_tools::toolbox::Toolbox;
use rustix::process::{Pid, Signal, kill_process};

#[derive(Debug)]
struct AllowAll;

impl Policy for AllowAll {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Allow, "test", "everything is allowed")
    }
}

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Approver for Nobody {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::deny("nobody is there")
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// A permit for an action without a target; it serves for any input.
pub(crate) async fn permit(desktop: &mut dyn Desktop) -> Redeemed {
    let seen = desktop.observe().await.unwrap();
    let action = Action {
        call: ToolCall::new("test", serde_json::Value::Null),
        kind: ActionKind::Move,
        target: Target::default(),
        effects: EffectClass::Input,
        summary: "test".into(),
        basis: Basis { observation: seen.id, frame: seen.frame.digest() },
        setting: Setting::default(),
    };
    let review = gate().review(action, &seen).await;
    review.permit.unwrap().redeem(desktop).await.unwrap()
}

pub(crate) fn gate() -> Gate {
    Gate::new(vec![Box::new(AllowAll)], Box::new(Nobody))
}

/// A virtual display with the desktop on it. Dropped in this order.
pub(crate) struct Bench {
    pub(crate) desktop: X11,
    pub(crate) permit: Redeemed,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) display: VirtualDisplay,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let display = VirtualDisplay::start(VirtualDisplay::DEFAULT_SIZE).unwrap();
        let mut desktop = X11::on(&display).unwrap();
        let permit = permit(&mut desktop).await;
        Self { desktop, permit, folder: tempfile::tempdir().unwrap(), display }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens a program and waits until a window of it has the keyboard.
    pub(crate) async fn open(&mut self, argv: &[&str], app: &str) -> Window {
        let argv = argv.iter().map(ToString::to_string).collect();
        self.desktop.launch(&self.permit, Launch::App(argv)).await.unwrap();
        self.window(app).await;
        self.quiet().await;
        self.window(app).await
    }

    /// Waits until nothing moves any more: a program that has just started may still load its file,
    /// and would throw away what was typed before.
    pub(crate) async fn quiet(&mut self) {
        let mut before = self.desktop.capture(None).await.unwrap().digest();
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = self.desktop.capture(None).await.unwrap().digest();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// Waits until the window with these words in its title or program has the keyboard.
    pub(crate) async fn window(&mut self, words: &str) -> Window {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let windows = self.desktop.observe().await.unwrap().windows;
            let fits = |w: &&Window| w.focused && (w.app.contains(words) || w.title.contains(words));
            if let Some(window) = windows.iter().find(fits) {
                return window.clone();
            }
            assert!(Instant::now() < end, "no window `{words}` has the keyboard: {windows:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Looks until what has these words in its name is listed: some programs tell what they show only a while
    /// after their window stands still.
    pub(crate) async fn seeing(&mut self, words: &str) -> Observation {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = self.desktop.observe().await.unwrap();
            if seen.elements.iter().any(|element| element.name.contains(words)) {
                return seen;
            }
            assert!(Instant::now() < end, "`{words}` is not among {:#?} {:?}", seen.elements, seen.gaps);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Puts the window with this title there.
    pub(crate) fn place(&self, title: &str, (x, y): (u32, u32)) {
        let moved = Command::new("xdotool")
            .args(["search", "--name", title, "windowmove", &x.to_string(), &y.to_string()])
            .envs(self.display.environment())
            .status();
        assert!(moved.unwrap().success());
    }

    pub(crate) async fn type_text(&mut self, text: &str) {
        self.desktop.keyboard(&self.permit, KeyboardInput::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn tap(&mut self, chord: &str) {
        let chord = chord.parse().unwrap();
        self.desktop.keyboard(&self.permit, KeyboardInput::Tap(chord)).await.unwrap();
    }

    /// Makes a tool call, as a model would.
    pub(crate) async fn call(&mut self, tool: &str, args: serde_json::Value) -> Outcome {
        let toolbox = Toolbox::default();
        let seen = self.desktop.observe().await.unwrap();
        let action = toolbox.resolve(&ToolCall::new(tool, args), &seen).unwrap();
        let permit = gate().review(action, &seen).await.permit.unwrap();
        toolbox.perform(permit, &mut self.desktop).await.unwrap().outcome
    }

    pub(crate) async fn pointer(&mut self, input: PointerInput) {
        self.desktop.pointer(&self.permit, input).await.unwrap();
    }

    /// Waits until the file holds this text and says what it holds if it never does.
    pub(crate) async fn expect_file(&self, name: &str, want: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let found = std::fs::read(self.path(name)).unwrap_or_default();
            let found = String::from_utf8_lossy(&found).into_owned();
            if found == want {
                return;
            }
            let same = found.chars().zip(want.chars()).take_while(|(a, b)| a == b).count();
            let rest = |text: &str| text.chars().skip(same).take(80).collect::<String>();
            assert!(
                Instant::now() < end,
                "`{name}`, {} bytes, goes on after {same} characters with\n{:?}\ninstead of\n{:?}",
                found.len(),
                rest(&found),
                rest(want)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An X server and nothing else.
pub(crate) struct Server {
    pub(crate) name: String,
    child: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// The same with these arguments too.
    pub(crate) fn with(more: &[&str]) -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { name: format!(":{}", number.trim()), child }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends it and waits until it is gone.
    pub(crate) fn end(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::CONT);
            self.signal(Signal::TERM);
            self.child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
