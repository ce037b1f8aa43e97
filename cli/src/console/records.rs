//! What runs have left behind: the list of past ones, their reports, and of the one under way whatever a
//! page wants to know of a single step.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use axum::extract::{Path as Named, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use freehand_agent::trajectory::reader::{Entry, FILE, Reader};
use freehand_agent::trajectory::{Exit, Step, report};
use serde::Serialize;

use super::Served;

/// Runs that are listed, the newest first.
const LISTED: usize = 200;
/// Bytes at the end of a record in which its last line is looked for.
const END: u64 = 64 * 1024;
/// The report brings its own style and its pictures, and nothing else.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A past run.
#[derive(Serialize)]
pub(super) struct Past {
    name: String,
    task: String,
    started_ms: u64,
    model: String,
    exit: Option<Exit>,
}

pub(super) async fn list(State(served): State<Served>) -> Response {
    let runs = served.runs.to_path_buf();
    let found = tokio::task::spawn_blocking(move || past(&runs)).await.unwrap_or_default();
    json(&found)
}

fn past(runs: &Path) -> Vec<Past> {
    let folders = std::fs::read_dir(runs).into_iter().flatten().flatten();
    // They are named by their date.
    let mut names: Vec<String> =
        folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    let known = names.into_iter().filter_map(|name| {
        let folder = runs.join(&name);
        let (_, header) = Reader::open(&folder).ok()?;
        let exit = last(&folder.join(FILE));
        Some(Past { name, task: header.task, started_ms: header.started_ms, model: header.model, exit })
    });
    known.take(LISTED).collect()
}

/// How a run ended, from the last line of its record.
fn last(path: &Path) -> Option<Exit> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    serde_json::from_str(text.lines().last()?).ok()
}

pub(super) async fn report(State(served): State<Served>, Named(run): Named<String>) -> Response {
    let Some(folder) = folder(&served, &run) else { return absent() };
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    let read = tokio::task::spawn_blocking(move || {
        let page = folder.join(report::FILE);
        if !page.is_file() {
            // It was killed, or goes on.
            report::write(&folder).ok()?;
        }
        std::fs::read(page).ok()
    });
    read.await.ok().flatten().map_or_else(absent, |page| (headers, page).into_response())
}

pub(super) async fn frame(
    State(served): State<Served>,
    Named((run, file)): Named<(String, String)>,
) -> Response {
    match folder(&served, &run) {
        Some(folder) => picture(&folder, &file).await,
        None => absent(),
    }
}

pub(super) async fn current_frame(State(served): State<Served>, Named(file): Named<String>) -> Response {
    match served.current.get() {
        Some(folder) => picture(&folder, &file).await,
        None => absent(),
    }
}

/// A step of the run under way, as it stands in the record.
pub(super) async fn step(State(served): State<Served>, Named(number): Named<u32>) -> Response {
    let Some(folder) = served.current.get() else { return absent() };
    let found = tokio::task::spawn_blocking(move || find(&folder, number)).await.ok().flatten();
    found.map_or_else(absent, |step| json(&step))
}

fn find(folder: &Path, number: u32) -> Option<Box<Step>> {
    let (mut reader, _) = Reader::open(folder).ok()?;
    while let Ok(Some(Entry::Step(step))) = reader.entry() {
        if step.index == number {
            return Some(step);
        }
    }
    None
}

async fn picture(folder: &Path, file: &str) -> Response {
    let digest = file.strip_suffix(".png").unwrap_or_default();
    if digest.is_empty() || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
        return absent();
    }
    match tokio::fs::read(folder.join("frames").join(file)).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "image/png")], bytes).into_response(),
        Err(_) => absent(),
    }
}

/// The folder of a run by its name, which is no path.
fn folder(served: &Served, run: &str) -> Option<PathBuf> {
    let plain =
        !run.starts_with('.') && run.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let folder = served.runs.join(run);
    (plain && folder.join(FILE).is_file()).then_some(folder)
}

fn json(value: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    serde_json::to_vec(value).map_or_else(|_| absent(), |bytes| (headers, bytes).into_response())
}

fn absent() -> Response {
    (StatusCode::NOT_FOUND, "there is no such record").into_response()
}
