//! `freehand model recommend`: which model suits this machine, and why not the others.

use anyhow::Result;
use freehand_model::store::{Advice, Entry, Machine, Pick, Served, Verdict};
use serde::Serialize;

use crate::args::RecommendArgs;
use crate::exit::Code;
use crate::machine;
use crate::places;
use crate::terminal::{self, Tone};

/// One model, as JSON.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    runs: &'static str,
    suits: bool,
    recommended: bool,
    against: Option<&'a str>,
    licence: &'a str,
    bytes: u64,
    judged: Option<&'a str>,
    pinned: bool,
}

/// Runs the command.
pub fn run(args: &RecommendArgs) -> Result<Code> {
    let machine = machine::described(args.memory, args.cores, args.graphics);
    let store = places::store()?;
    let advice = store.catalogue().advise(&machine);
    if args.json {
        let is_first = |name: &str| match &advice.first {
            Some((Pick::Here(model), _)) => model.name == name,
            Some((Pick::Served(model), _)) => model.name == name,
            None => false,
        };
        for verdict in &advice.here {
            let recommended = is_first(&verdict.model.name);
            terminal::answer_json(&Row { recommended, ..here_row(verdict) });
        }
        for verdict in &advice.served {
            let recommended = is_first(&verdict.model.name);
            terminal::answer_json(&Row { recommended, ..served_row(verdict) });
        }
        return Ok(Code::Done);
    }
    terminal::say(Tone::Faint, &words(&machine));
    first(&advice);
    let told = usize::from(matches!(advice.first, Some((Pick::Here(_), _))));
    let others = advice.here.iter().skip(told);
    terminal::answer("\nothers that run in Freehand itself:");
    for Verdict { model, against } in others {
        let word = against.as_ref().map_or_else(|| "suits too".into(), |why| format!("no: {why}"));
        terminal::answer(&format!("  {}  {word}", model.name));
        terminal::answer(&format!("    {}", judged(model)));
    }
    terminal::answer("\nwith a server of their own (`--model http://…/v1`):");
    for Verdict { model, against } in &advice.served {
        let word = against.as_ref().map_or_else(|| "suits".into(), |why| format!("no: {why}"));
        let sees = if model.sees { "sees images" } else { "reads text" };
        terminal::answer(&format!("  {}  {word}", model.name));
        terminal::answer(&format!(
            "    {sees}, about {} MB, {}; {}",
            model.bytes / 1_000_000,
            model.licence,
            model.judged
        ));
        terminal::answer(&format!("    from {}: {}", model.source, model.start));
    }
    Ok(Code::Done)
}

/// Prints what is recommended.
fn first(advice: &Advice<'_>) {
    match &advice.first {
        Some((Pick::Here(model), why)) => {
            terminal::answer(&format!("{}: `freehand model pull {}`", model.name, model.name));
            terminal::answer(&format!("    {why}"));
            terminal::answer(&format!("    {}", judged(model)));
        }
        Some((Pick::Served(model), why)) => {
            terminal::answer(&format!("{}, with a server of its own: {}", model.name, model.start));
            terminal::answer(&format!("    {why}"));
            terminal::answer(&format!("    {}", model.judged));
            if let Some(Verdict { model, .. }) = advice.here.iter().find(|v| v.against.is_none()) {
                let name = &model.name;
                terminal::answer(&format!("without a server {name}: `freehand model pull {name}`"));
            }
        }
        None => {
            terminal::answer("none of the catalogue suits this machine; use a server on another one");
        }
    }
}

/// What it is, and how good.
fn judged(model: &Entry) -> String {
    let Entry { summary, bytes, licence, sha256, judged, .. } = model;
    let about = if sha256.is_some() { "" } else { "about " };
    let pinned = if sha256.is_some() {
        ""
    } else {
        "; not pinned: its hash is taken from the hub at the first pull"
    };
    let judged = judged.as_deref().unwrap_or_default();
    format!("{summary}, {about}{} MB, {licence}{pinned}; {judged}", bytes / 1_000_000)
}

fn words(machine: &Machine) -> String {
    let Machine { memory_mb, cores, graphics } = machine;
    let graphics = graphics.as_ref().map_or_else(
        || "no graphics card that models run on".into(),
        |card| format!("{} with {} MB", card.name, card.memory_mb),
    );
    format!("for {memory_mb} MB of memory, {cores} cores, {graphics}")
}

fn here_row<'a>(verdict: &'a Verdict<'_, Entry>) -> Row<'a> {
    let Entry { name, licence, bytes, judged, sha256, .. } = verdict.model;
    Row {
        name,
        runs: "here",
        suits: verdict.against.is_none(),
        recommended: false,
        against: verdict.against.as_deref(),
        licence,
        bytes: *bytes,
        judged: judged.as_deref(),
        pinned: sha256.is_some(),
    }
}

fn served_row<'a>(verdict: &'a Verdict<'_, Served>) -> Row<'a> {
    let Served { name, licence, bytes, judged, .. } = verdict.model;
    Row {
        name,
        runs: "server",
        suits: verdict.against.is_none(),
        recommended: false,
        against: verdict.against.as_deref(),
        licence,
        bytes: *bytes,
        judged: Some(judged),
        pinned: false,
    }
}
