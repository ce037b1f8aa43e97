//! Who reads: the networks in this program, tesseract, and the Python package rapidocr. Each says what it
//! read and what that took, in time and in work of all cores.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use freehand_tools::desktop::ocr::{Line, Networks, Reader};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::truth::Phrase;

const PROGRAM: &str = include_str!("rapid.py");
/// The packages of the comparison.
pub const PACKAGES: [&str; 2] = ["rapidocr==3.10.0", "onnxruntime"];
/// As long as one picture may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the kernel counts what a process does, a second.
const TICKS: f64 = 100.0;

/// One picture, read once.
#[derive(Debug, Deserialize)]
pub struct Read {
    pub wall_ms: f64,
    /// Of all cores together.
    pub cpu_ms: f64,
    pub texts: Vec<Phrase>,
}

/// With nothing remembered; reading the files of the networks does not count.
pub async fn ours(networks: Networks, picture: RgbImage) -> Result<Read> {
    tokio::task::spawn_blocking(move || {
        let reader = Reader::open(&networks)?;
        let (start, before) = (Instant::now(), worked()?.0);
        let lines = reader.read(&picture)?;
        let wall_ms = start.elapsed().as_secs_f64() * 1000.0;
        let cpu_ms = worked()?.0 - before;
        let text = |line: Line| Phrase {
            text: line.text,
            x: line.bounds.x.into(),
            y: line.bounds.y.into(),
            width: line.bounds.width.into(),
            height: line.bounds.height.into(),
        };
        Ok(Read { wall_ms, cpu_ms, texts: lines.into_iter().map(text).collect() })
    })
    .await?
}

/// What this process and the children that it has waited for have worked so far, in ms.
fn worked() -> Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    let [user, system, children, their_system] = fields.as_slice() else {
        bail!("`/proc/self/stat` does not say what was worked");
    };
    Ok(((user + system) * 1000.0 / TICKS, (children + their_system) * 1000.0 / TICKS))
}

/// As it is meant for sparse text, with the languages that are installed.
pub struct Tesseract {
    languages: String,
    pub version: String,
}

impl Tesseract {
    /// Finds it, or says why not.
    pub async fn find() -> Result<Self> {
        let ask = |arg: &'static str| async move {
            let output = Command::new("tesseract").arg(arg).output().await;
            let output = output.context("tesseract is not there; install `tesseract-ocr`")?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let version = ask("--version").await?.lines().next().unwrap_or_default().to_owned();
        let there = ask("--list-langs").await?;
        let wanted = ["eng", "chi_sim", "chi_tra", "jpn"];
        let languages: Vec<&str> = wanted
            .into_iter()
            .filter(|wanted| there.lines().any(|line| line.trim() == *wanted))
            .collect();
        if languages.is_empty() {
            bail!("tesseract has no language; install `tesseract-ocr-eng`");
        }
        let version = format!("{version}, {}", languages.join("+"));
        Ok(Self { languages: languages.join("+"), version })
    }

    /// Reads a file. Its start counts: it is a program and not a library.
    pub async fn read(&self, file: &Path) -> Result<Read> {
        let mut command = Command::new("tesseract");
        command.arg(file).args(["stdout", "--psm", "11", "-l", &self.languages, "tsv"]);
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let (start, before) = (Instant::now(), worked()?.1);
        let output = timeout(PATIENCE, command.output()).await.context("tesseract took too long")??;
        let wall_ms = start.elapsed().as_secs_f64() * 1000.0;
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(Read {
            wall_ms,
            cpu_ms: worked()?.1 - before,
            texts: said.lines().filter_map(word).collect(),
        })
    }
}

/// One row of its table: twelve fields, with the place from the seventh on and the word at the end.
fn word(row: &str) -> Option<Phrase> {
    let fields: Vec<&str> = row.split('\t').collect();
    let [_, _, _, _, _, _, x, y, width, height, _, text] = fields.as_slice() else { return None };
    let text = text.trim();
    let number = |field: &str| field.parse::<f64>().ok();
    let (x, y, width, height) = (number(x)?, number(y)?, number(width)?, number(height)?);
    (!text.is_empty()).then(|| Phrase { text: text.to_owned(), x, y, width, height })
}

/// What it is that we are compared with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Versions {
    pub rapidocr: String,
    pub onnxruntime: String,
}

/// The Python package, started once.
pub struct Rapid {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    pub versions: Versions,
}

impl Rapid {
    pub async fn start(python: &str) -> Result<Self> {
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("`{python}` does not start"))?;
        let input = child.stdin.take().context("it takes no input")?;
        let mut output = BufReader::new(child.stdout.take().context("it gives no output")?).lines();
        let versions = serde_json::from_str(&next(&mut output).await?)?;
        Ok(Self { _child: child, input, output, versions })
    }

    pub async fn read(&mut self, file: &Path) -> Result<Read> {
        self.input.write_all(format!("{}\n", file.display()).as_bytes()).await?;
        Ok(serde_json::from_str(&next(&mut self.output).await?)?)
    }
}

async fn next(output: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let line = timeout(PATIENCE, output.next_line()).await;
    line.context("rapidocr took too long")??.context("rapidocr ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_table_is_a_word() {
        let row = "5\t1\t1\t1\t1\t1\t16\t9\t90\t22\t96.1\tHarbour";
        let found = word(row).unwrap();
        assert_eq!((found.text.as_str(), found.x, found.height), ("Harbour", 16.0, 22.0));
        assert!(word("4\t1\t1\t1\t1\t0\t16\t9\t90\t22\t-1\t").is_none());
        assert!(word("level\tpage").is_none());
    }

    #[test]
    fn work_is_counted() {
        assert!(worked().unwrap().0 >= 0.0);
    }
}
