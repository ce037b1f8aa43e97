//! What people use otherwise: Python with mss and PyAutoGUI, and `scrot` where it is installed. Measured
//! on the same screen, in turn with our own rounds, so that a busy machine disturbs both alike.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::geometry::ScreenPoint;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const PROGRAM: &str = include_str!("peer.py");
/// What is compared with; `scrot` is a program of its own.
pub const PACKAGES: [&str; 3] = ["mss==10.2.0", "PyAutoGUI==0.9.54", "Pillow"];
/// As long as one answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// What it is that we are compared with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Versions {
    /// Python itself.
    pub python: String,
    /// The library for pictures.
    pub mss: String,
    /// The library for the mouse.
    pub pyautogui: String,
    /// What it takes its pictures with.
    pub pillow: String,
}

/// One round of the others, in ms.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// A picture in RGB, by mss.
    pub mss_picture: f64,
    /// A picture in RGB, by Pillow.
    pub pillow_picture: f64,
    /// A picture in RGB, by PyAutoGUI, which needs `scrot` for it.
    pub pyautogui_picture: Option<f64>,
    /// A picture as a PNG file, by mss.
    pub mss_png: f64,
    /// A picture as a PNG file, by the program `scrot`, where it is installed.
    pub scrot_png: Option<f64>,
    /// A click without the pause that PyAutoGUI makes after each call.
    pub pyautogui_click: f64,
    /// A click as it comes.
    pub pyautogui_click_pause: f64,
}

/// Clicks of one round.
pub const CLICKS: u32 = 2;

/// A Python that runs on one display.
pub struct Python {
    scrot: Command,
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it runs.
    pub versions: Versions,
}

impl Python {
    /// Starts it on a display; what it writes goes to `folder`.
    pub async fn start(python: &str, display: &VirtualDisplay, folder: &Path) -> Result<Self> {
        let dressed = |program: &str| {
            let mut command = Command::new(program);
            command.envs(display.environment()).env_remove("WAYLAND_DISPLAY").current_dir(folder);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            command
        };
        let mut scrot = dressed("scrot");
        scrot.args(["--overwrite", "scrot.png"]);
        let mut child = dressed(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{python}` does not start"))?;
        let input = child.stdin.take().context("it takes no input")?;
        let mut output = BufReader::new(child.stdout.take().context("it gives no output")?).lines();
        let line = next(&mut output).await?;
        let versions = serde_json::from_str(&line).context("it does not say what it is")?;
        Ok(Self { scrot, _child: child, input, output, versions })
    }

    /// Does everything once; the clicks go to `point`.
    pub async fn round(&mut self, point: ScreenPoint) -> Result<Round> {
        let ScreenPoint { x, y, .. } = point;
        Ok(Round {
            mss_picture: self.ask("mss_picture").await?,
            pillow_picture: self.ask("pillow_picture").await?,
            pyautogui_picture: self.ask("pyautogui_picture").await.ok(),
            mss_png: self.ask("mss_png").await?,
            scrot_png: self.scrot().await,
            pyautogui_click: self.ask(&format!("pyautogui_click {x} {y}")).await?,
            pyautogui_click_pause: self.ask(&format!("pyautogui_click_pause {x} {y}")).await?,
        })
    }

    async fn ask(&mut self, what: &str) -> Result<f64> {
        self.input.write_all(format!("{what}\n").as_bytes()).await?;
        let answer = next(&mut self.output).await?;
        answer.parse().map_err(|_| anyhow!("{what}: {answer}"))
    }

    async fn scrot(&mut self) -> Option<f64> {
        let start = Instant::now();
        let ended = timeout(ANSWER, self.scrot.status()).await.ok()?.ok()?;
        ended.success().then(|| start.elapsed().as_secs_f64() * 1000.0)
    }
}

async fn next(output: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let line = timeout(ANSWER, output.next_line()).await;
    let line = line.with_context(|| format!("no answer within {} s", ANSWER.as_secs()))??;
    line.context("it ended")
}
