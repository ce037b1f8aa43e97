//! What runs have left behind: the list of past ones, their reports, and of the one under way whatever a
//! page wants to know of a single step.

use std::path::{Path, PathBuf};

use axum::extract::{Path as Named, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use freehand_agent::history;
use freehand_agent::trajectory::reader::{Entry, FILE, Reader};
use freehand_agent::trajectory::{Step, report};
use serde::Serialize;

use super::Served;

/// Runs that are listed, the newest first.
const LISTED: usize = 200;
/// The report brings its own style and its pictures, and nothing else.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(super) async fn list(State(served): State<Served>) -> Response {
    let runs = served.runs.to_path_buf();
    let found = tokio::task::spawn_blocking(move || history::list(&runs)).await;
    match found {
        Ok(Ok(mut all)) => {
            all.truncate(LISTED);
            json(&all)
        }
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(_) => absent(),
    }
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
