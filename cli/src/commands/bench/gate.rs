//! `freehand bench gate`: what judging one action costs, under a policy with many rules, and what it costs to write
//! down the verdict, synced to the disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use freehand_policies::audit::Audit;
use freehand_policies::cases::Cases;
use freehand_policies::layers::Layers;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_policies::rulebook::Rulebook;
use freehand_policies::rules::{Kind, RuleSet};
use freehand_tools::action::Action;
use freehand_tools::gate::{Decision, Policy as _, Verdict, Witness as _};
use serde::Serialize;

use super::spread::Spread;
use crate::args::BenchGateArgs;
use crate::exit::Code;
use crate::terminal;

/// Rounds that do not count.
const WARM: u32 = 50;
/// Entries of the log that are written: the disk is asked each time.
const ENTRIES: u32 = 300;

/// What is judged, as in a file of cases.
const ACTIONS: &str = r#"
[[case]]
name = "press a button"
expect = "allow"
tool = "click"
app = "mousepad"
title = "Untitled 1"
role = "button"
element = "Save"

[[case]]
name = "yes in a dialog that deletes"
expect = "allow"
tool = "click"
app = "thunar"
title = "Attention"
role = "button"
element = "Yes"
words = ["Do you want to permanently delete this folder and all that is in it?"]

[[case]]
name = "type a line of text"
expect = "allow"
tool = "type_text"
app = "mousepad"
role = "textbox"
text = "Buy milk, and do not forget the bread this time."

[[case]]
name = "run a pipeline in a terminal"
expect = "allow"
tool = "type_text"
app = "xterm"
text = "find . -name '*.log' -mtime +7 | xargs rm -f && echo \"done $(date)\""
submit = true
"#;

#[derive(Serialize)]
struct Line {
    what: String,
    us: Spread,
}

/// Runs the command.
pub fn run(args: &BenchGateArgs) -> Result<Code> {
    let rules = RuleSet::parse("bench", Kind::Base, &policy(args.rules), Path::new("bench"))?;
    let all = rules.rules().len();
    let book = Rulebook::new(rules, DisplayTrust::Own);
    let layers = Layers::new(vec![Box::new(book)]);
    let mut lines = Vec::new();
    let mut last = None;
    for (what, action) in Cases::parse(ACTIONS, Path::new("bench"))?.actions() {
        let mut times = Vec::new();
        for round in 0..args.rounds + WARM {
            let start = Instant::now();
            let said = layers.evaluate(std::hint::black_box(&action));
            let time = start.elapsed();
            std::hint::black_box(said);
            if round >= WARM {
                times.push(time.as_secs_f64() * 1e6);
            }
        }
        let us = Spread::of(times.into_iter()).context("there was no round")?;
        lines.push(Line { what, us });
        last = Some(action);
    }
    let us = written(&last.context("there is no case")?)?;
    lines.push(Line { what: "write the verdict down, synced".into(), us });
    if args.json {
        terminal::answer_json(&lines);
        return Ok(Code::Done);
    }
    terminal::answer(&format!("| judged under {all} rules, µs | min | median | p90 |"));
    terminal::answer("| --- | --- | --- | --- |");
    for Line { what, us: Spread { min, median, p90 } } in lines {
        terminal::answer(&format!("| {what} | {min:.0} | {median:.0} | {p90:.0} |"));
    }
    Ok(Code::Done)
}

/// What an entry of the log takes, in a folder for temporary files.
fn written(action: &Action) -> Result<Spread> {
    let folder = tempfile::tempdir()?;
    let mut audit = Audit::new(folder.path().join("audit.jsonl"), "virtual".into(), "bench".into());
    let verdict = Verdict {
        decision: Decision::Allow,
        reasons: Vec::new(),
        approval: None,
        earlier: false,
        allowed: true,
    };
    let mut times = Vec::new();
    for _ in 0..ENTRIES {
        let start = Instant::now();
        audit.judged(action, &verdict).map_err(anyhow::Error::msg)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Spread::of(times.into_iter()).context("nothing was written")
}

/// So many rules: those of `supervised`, and rules on single programs, titles, texts and commands.
fn policy(rules: u32) -> String {
    let mut source = Preset::Supervised.source().to_owned();
    let known = u32::try_from(source.matches("@id").count()).unwrap_or(u32::MAX);
    for i in 0..rules.saturating_sub(known) {
        let rule = match i % 5 {
            0 => format!("forbid (principal, action, resource in Application::\"program{i}\")"),
            1 => format!(
                "forbid (principal, action in Action::\"input\", resource)\n\
                 when {{ resource is Element && resource.name like \"*word{i}*\" }}"
            ),
            2 => format!(
                "forbid (principal is Agent, action == Action::\"type_text\", resource)\n\
                 when {{ context.text like \"*secret{i}*\" }}"
            ),
            3 => format!(
                "forbid (principal, action == Action::\"run_command\", resource)\n\
                 when {{ resource is Shell && resource.programs.contains(\"tool{i}\") }}"
            ),
            _ => format!(
                "forbid (principal, action in [Action::\"click\", Action::\"open\"], resource)\n\
                 when {{ resource is Url && resource.host like \"*.site{i}.org\" }}"
            ),
        };
        let _ = write!(source, "\n@id(\"rule{i}\") @reason(\"for the benchmark\")\n{rule};\n");
    }
    source
}
