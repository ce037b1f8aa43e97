//! One side of the benchmark, seen from the one who asks: a process that is given questions and answers.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::worker::{Answer, Loaded, Question};

/// llama.cpp, as a program that answers like [`super::worker`].
const PEER: &str = include_str!("peer.py");
/// As long as one answer may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// This program.
    Freehand,
    /// llama.cpp, within this Python.
    LlamaCpp(&'a str),
}

/// A process that answers.
pub struct Side {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it said it is.
    pub version: String,
    started: Instant,
    /// The last line that it said beside its answers: why it ended, where it did.
    complaint: Arc<Mutex<String>>,
}

impl Side {
    /// Starts it; it reads the model now.
    pub async fn start(who: Who<'_>, model: &Path, threads: u32, context: u32) -> Result<Self> {
        let mut command = match who {
            Who::Freehand => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["model", "bench-worker"]).arg(model).arg(context.to_string());
                command
            }
            Who::LlamaCpp(python) => {
                let mut command = Command::new(python);
                command.args(["-c", PEER]).arg(model);
                command.args([threads.to_string(), context.to_string()]);
                command
            }
        };
        command.env("RAYON_NUM_THREADS", threads.to_string());
        command.env("CANDLE_NUM_THREADS", threads.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn().context("a side of the benchmark does not start")?;
        let input = child.stdin.take().ok_or_else(|| anyhow!("no input"))?;
        let output = child.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let output = BufReader::new(output).lines();
        let complaint = listen(child.stderr.take());
        let version = String::new();
        let mut side = Self { _child: child, input, output, version, started, complaint };
        let loaded: Loaded = serde_json::from_value(side.line().await?)?;
        side.version = loaded.version;
        Ok(side)
    }

    /// Since it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Puts a question.
    pub async fn ask(&mut self, question: &Question) -> Result<Answer> {
        self.ask_as(&serde_json::to_value(question)?).await
    }

    /// Puts a question in a form of its own.
    pub async fn ask_as(&mut self, question: &Value) -> Result<Answer> {
        self.input.write_all(format!("{question}\n").as_bytes()).await?;
        self.input.flush().await?;
        let answer = self.line().await?;
        if let Some(error) = answer.get("error") {
            bail!("a side of the benchmark says {error}");
        }
        Ok(serde_json::from_value(answer)?)
    }

    async fn line(&mut self) -> Result<Value> {
        loop {
            let line = timeout(PATIENCE, self.output.next_line()).await;
            let line = line.context("a side of the benchmark does not answer")??;
            let line = line.ok_or_else(|| {
                let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone();
                anyhow!("a side of the benchmark ended: {complaint}")
            })?;
            // Libraries print things of their own.
            if line.starts_with('{') {
                return Ok(serde_json::from_str(&line)?);
            }
        }
    }
}

/// Keeps the last line of what a process says beside its answers.
fn listen(errors: Option<ChildStderr>) -> Arc<Mutex<String>> {
    let last = Arc::new(Mutex::new("it did not say why".to_owned()));
    if let Some(errors) = errors {
        let last = Arc::clone(&last);
        tokio::spawn(async move {
            let mut lines = BufReader::new(errors).split(b'\n');
            while let Ok(Some(line)) = lines.next_segment().await {
                let line = String::from_utf8_lossy(&line);
                let line: String = line.trim().chars().filter(|c| !c.is_control()).take(300).collect();
                if !line.is_empty() {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = line;
                }
            }
        });
    }
    last
}
