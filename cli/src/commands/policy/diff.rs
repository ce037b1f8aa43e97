//! `freehand policy diff`: which rules two policies do not share, and which actions of a record they
//! judge otherwise. Both stand under the layers that are in force here.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use freehand_agent::trajectory::reader;
use freehand_policies::layers::Layers;
use freehand_policies::rules::Rule;
use freehand_tools::gate::{Decision, Policy as _};
use freehand_tools::visible::visible;

use super::{MOST, reasons, word};
use crate::args::{GateArgs, LayerArgs};
use crate::exit::Code;
use crate::ruling::Ruling;
use crate::terminal::{self, Tone};
use crate::work::recorded;

/// Runs the command.
pub(super) fn run(both: [&Ruling; 2], run: Option<&Path>, args: &LayerArgs) -> Result<Code> {
    rules(both)?;
    if let Some(dir) = run {
        actions(both, dir, args)?;
    }
    Ok(Code::Done)
}

/// The rules of a policy by their names without its own, so that a copy under another name compares.
fn by_name(ruling: &Ruling) -> Result<BTreeMap<String, Rule>> {
    let set = ruling.rules()?;
    let own = format!("{}:", set.name());
    let named = |rule: &Rule| {
        let name = rule.name.strip_prefix(&own).unwrap_or(&rule.name).to_owned();
        (name, Rule { line: 0, name: String::new(), ..rule.clone() })
    };
    Ok(set.rules().into_iter().map(named).collect())
}

fn rules([old, new]: [&Ruling; 2]) -> Result<()> {
    let (before, after) = (by_name(old)?, by_name(new)?);
    let told = |rule: &Rule| {
        let because = visible(&rule.because, MOST);
        format!("{}: {because}", word(rule.decision))
    };
    let mut same = 0;
    for (name, rule) in &before {
        match after.get(name) {
            None => terminal::answer_in(Tone::Bad, "-", &format!(" {name}, {}", told(rule))),
            // What it fits is not compared as text: the record shows what it comes to.
            Some(other) if other == rule => same += 1,
            Some(other) => terminal::answer_in(
                Tone::Strong,
                "~",
                &format!(" {name}, {} -> {}", told(rule), told(other)),
            ),
        }
    }
    for (name, rule) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        terminal::answer_in(Tone::Good, "+", &format!(" {name}, {}", told(rule)));
    }
    terminal::answer(&format!(
        "{same} rules of `{old}` have the same name, decision and reason in `{new}`"
    ));
    Ok(())
}

fn actions([old, new]: [&Ruling; 2], dir: &Path, args: &LayerArgs) -> Result<()> {
    let record = reader::read(dir)?;
    let (display, _) = recorded(&record.header)?;
    let trust = args.display.clone().unwrap_or(display).trust(args.trust_display);
    let layers = GateArgs::default();
    let [before, after] = [old, new]
        .map(|ruling| anyhow::Ok(Layers::new(vec![Box::new(ruling.rulebook(&layers, trust)?)])));
    let (before, after) = (before?, after?);
    let (mut all, mut changed) = (0, 0);
    for step in &record.steps {
        for action in step.actions.iter().filter_map(|judged| judged.action.as_ref()) {
            all += 1;
            let [was, is] = [before.evaluate(action), after.evaluate(action)];
            if was.decision == is.decision {
                continue;
            }
            changed += 1;
            let tone = if is.decision == Decision::Allow { Tone::Bad } else { Tone::Strong };
            let words = format!("{} -> {}", word(was.decision), word(is.decision));
            let summary = visible(&action.summary, MOST);
            terminal::answer_in(tone, &words, &format!(", step {}: {summary}", step.index));
            for (ruling, said) in [(old, &was), (new, &is)] {
                for line in reasons(said).iter().skip(1) {
                    terminal::answer(&format!("  {ruling}: {line}"));
                }
            }
        }
    }
    terminal::answer(&format!("{changed} of {all} actions are judged otherwise"));
    Ok(())
}
