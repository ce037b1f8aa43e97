//! `freehand policy`: the rules that are in force and what was allowed for good, whether a file of rules is
//! sound, whether it does what its cases say, and which rules decide about the actions of a record.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::reader;
use freehand_policies::cases::{Cases, Tried};
use freehand_policies::grants::{self, Grant};
use freehand_policies::layers::Layers;
use freehand_policies::preset::Preset;
use freehand_policies::question::covered;
use freehand_policies::risk::Findings;
use freehand_policies::rules::{Kind, RuleSet};
use freehand_policies::tiers::Tiers;
use freehand_policies::vocabulary;
use freehand_tools::gate::{Decision, Evaluation, Policy};
use freehand_tools::visible::visible;

use crate::args::{ExplainArgs, GateArgs, PolicyCommand};
use crate::config::Config;
use crate::exit::{Code, usage};
use crate::places;
use crate::ruling::{stem, text};
use crate::terminal::{self, Tone};
use crate::work::{Terms, recorded};

mod diff;

/// Characters of a text of the screen that are shown.
const MOST: usize = 2_000;

/// Runs the command.
pub fn run(command: PolicyCommand) -> Result<Code> {
    match command {
        PolicyCommand::Show { gate, schema } => show(&gate, schema),
        PolicyCommand::Check { files } => check(&files),
        PolicyCommand::Test { files } => test(&files),
        PolicyCommand::Explain(args) => explain(&args),
        PolicyCommand::Forget { number } => forget(number),
        PolicyCommand::Diff { old, new, run, gate } => diff::run([&old, &new], run.as_deref(), &gate),
    }
}

fn show(gate: &GateArgs, schema: bool) -> Result<Code> {
    if schema {
        terminal::answer_text(&vocabulary::text());
        return Ok(Code::Done);
    }
    let terms = Terms::settle(gate, &Config::load()?, None)?;
    terminal::answer_text(terms.book.to_string().trim_end());
    let path = places::grants()?;
    let grants = grants::read(&path)?;
    if !grants.is_empty() {
        terminal::answer(&format!(
            "\n// what you have answered with \"always\" (`{}`):",
            path.display()
        ));
    }
    for (n, Grant { since, scope, .. }) in grants.iter().enumerate() {
        let since =
            if since.is_empty() { String::new() } else { format!(", since {}", visible(since, 40)) };
        terminal::answer(&format!("// {}. {}{since}", n + 1, covered(scope)));
        let rules: Vec<String> = scope.rules.iter().map(|rule| visible(rule, MOST)).collect();
        terminal::answer(&format!("//    answers {}", rules.join(", ")));
    }
    terminal::answer(&format!("\n// digest of all of it, as records name it: {}", terms.book.digest()));
    Ok(Code::Done)
}

fn forget(number: usize) -> Result<Code> {
    let removed = grants::remove(&places::grants()?, number)?;
    terminal::answer(&format!("asked again from now on: {}", covered(&removed.scope)));
    Ok(Code::Done)
}

/// Reads a file of rules as what it is: one that allows nothing is a layer.
fn read(path: &Path) -> Result<RuleSet> {
    let (name, text) = (stem(path), text(path)?);
    match RuleSet::parse(&name, Kind::Narrowing, &text, path) {
        Ok(layer) => Ok(layer),
        Err(_) => Ok(RuleSet::parse(&name, Kind::Base, &text, path)?),
    }
}

fn check(files: &[PathBuf]) -> Result<Code> {
    for file in files {
        let shown = file.display();
        if file.extension().is_some_and(|end| end == "toml") {
            Tiers::parse(&text(file)?, file)?;
            terminal::answer_in(Tone::Good, "sound", &format!(": `{shown}`"));
            continue;
        }
        let rules = read(file)?;
        let what = match rules.kind() {
            Kind::Base => "it says what is allowed",
            Kind::Narrowing => "a layer, which only narrows",
        };
        terminal::answer_in(
            Tone::Good,
            "sound",
            &format!(": `{shown}`, {} rules, {what}", rules.rules().len()),
        );
        for (line, warning) in rules.warnings() {
            terminal::answer_in(Tone::Strong, "odd", &format!(": `{shown}`, line {line}: {warning}"));
        }
    }
    Ok(Code::Done)
}

fn test(files: &[PathBuf]) -> Result<Code> {
    let mut wrong = 0;
    if files.is_empty() {
        for preset in Preset::ALL {
            let cases = Cases::parse(preset.cases(), Path::new(preset.file()))?;
            wrong += tell(preset.name(), &cases.run(&preset.rules()?)?);
        }
    }
    for file in files {
        let beside = file.with_extension("cases.toml");
        let cases = Cases::parse(&text(&beside)?, &beside)?;
        wrong += tell(&file.display().to_string(), &cases.run(&read(file)?)?);
    }
    if wrong > 0 {
        return Err(usage(format!("{wrong} cases came out otherwise; change the rules or the cases")));
    }
    Ok(Code::Done)
}

/// Says what became of the cases of one policy; gives how many came out otherwise.
fn tell(policy: &str, tried: &[Tried]) -> usize {
    let wrong: Vec<&Tried> = tried.iter().filter(|one| !one.is_right()).collect();
    let right = tried.len() - wrong.len();
    let (tone, end) = if wrong.is_empty() { (Tone::Good, "right") } else { (Tone::Bad, "wrong") };
    let all = tried.len();
    terminal::answer_in(tone, end, &format!(": `{policy}`, {right} of {all} cases came out as written"));
    for Tried { case, said } in &wrong {
        let named = case.rule.as_ref().map(|rule| format!(" by the rule `{rule}`")).unwrap_or_default();
        let expected = word(case.expect);
        terminal::answer(&format!("  {}: expected {expected}{named}, and it is", case.name));
        for line in reasons(said) {
            terminal::answer(&format!("    {line}"));
        }
    }
    wrong.len()
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Ask => "ask",
        Decision::Deny => "deny",
    }
}

fn reasons(said: &Evaluation) -> Vec<String> {
    let decision = word(said.decision);
    let because = said
        .reasons
        .iter()
        .map(|reason| format!("{} ({})", visible(&reason.because, MOST), visible(&reason.rule, MOST)));
    std::iter::once(decision.to_owned()).chain(because).collect()
}

fn explain(args: &ExplainArgs) -> Result<Code> {
    let record = reader::read(&args.dir)?;
    let terms = Terms::settle(&args.gate, &Config::load()?, Some(recorded(&record.header)?))?;
    let digest = terms.book.digest();
    if !record.header.policy_digest.is_empty() && record.header.policy_digest != digest {
        terminal::say(
            Tone::Strong,
            "the rules are not those of the run: what follows is what they say now",
        );
    }
    let policy = Layers::new(vec![Box::new(terms.book)]);
    let steps = record.steps.iter().filter(|step| args.step.is_none_or(|wanted| wanted == step.index));
    let mut some = false;
    for step in steps {
        for action in step.actions.iter().filter_map(|judged| judged.action.as_ref()) {
            some = true;
            terminal::answer(&format!("step {}: {}", step.index, visible(&action.summary, MOST)));
            for line in reasons(&policy.evaluate(action)) {
                terminal::answer(&format!("  {line}"));
            }
            let found = Findings::of(action);
            for effect in found.effects {
                let why = visible(&effect.why, MOST);
                terminal::answer(&format!("  it would {}: {why}", effect.risk.phrase()));
            }
            for what in found.unclear {
                terminal::answer(&format!("  not understood: {}", visible(&what, MOST)));
            }
        }
    }
    some.then_some(Code::Done).context("there is no action in that part of the record")
}
