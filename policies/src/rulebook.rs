//! All rules of a run: a base that says what is allowed, and layers that only take away from it. Every
//! layer is asked about every action, and the strictest answer holds; so the order does not matter, and
//! no layer can lift what another says.

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

use freehand_tools::action::Action;
use freehand_tools::gate::{Decision, Evaluation, Policy};

use crate::PolicyError;
use crate::preset::DisplayTrust;
use crate::request::{Case, Undecidable};
use crate::rules::{Kind, RuleSet, action_words};
use crate::shell::program_name;
use crate::tiers::Tiers;
use crate::vocabulary::{text, uid};

const TIERS: &str = include_str!("../layers/tiers.cedar");
/// What the rules rest on that is not in them: it decides as well, so it is part of the digest.
const GROUND: [&str; 2] = [include_str!("builtin.rs"), include_str!("../data/risks.toml")];

/// The rules of a run, for a display.
#[derive(Debug, Clone)]
pub struct Rulebook {
    display: DisplayTrust,
    tiers: Tiers,
    sets: Vec<RuleSet>,
}

impl Rulebook {
    /// Rules that say what is allowed.
    pub fn new(base: RuleSet, display: DisplayTrust) -> Self {
        Self { display, tiers: Tiers::default(), sets: vec![base] }
    }

    /// The same, narrowed by `layer`.
    #[must_use]
    pub fn under(mut self, layer: RuleSet) -> Self {
        self.sets.push(layer);
        self
    }

    /// The same, with what the user said of programs and sites.
    pub fn with_tiers(mut self, tiers: Tiers) -> Result<Self, PolicyError> {
        if self.tiers.is_empty() && !tiers.is_empty() {
            let file = Path::new("tiers.cedar");
            self.sets.push(RuleSet::parse("tiers", Kind::Narrowing, TIERS, file)?);
        }
        self.tiers = self.tiers.and(tiers);
        Ok(self)
    }

    /// The sets of rules, the base first.
    pub fn sets(&self) -> &[RuleSet] {
        &self.sets
    }

    /// Names all that decides: the rules, the tiers, the display, and what they rest on.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(&text());
        GROUND.into_iter().for_each(&mut part);
        part(self.display.word());
        part(&self.tiers.to_string());
        for set in &self.sets {
            part(set.name());
            part(if set.kind() == Kind::Base { "base" } else { "narrowing" });
            part(set.source());
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Policy for Rulebook {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let case = match Case::of(action, self.display, &self.tiers) {
            Ok(case) => case,
            Err(Undecidable(why)) => {
                let because = format!("it cannot be judged: {why}");
                return Evaluation::by(Decision::Deny, "built-in:undecidable", because);
            }
        };
        let judged = self.sets.iter().map(|set| set.judge(&case));
        judged.reduce(Evaluation::and).unwrap_or_else(|| {
            Evaluation::by(Decision::Deny, "built-in:no-policy", "no policy is loaded")
        })
    }
}

impl fmt::Display for Rulebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.sets {
            let what = match set.kind() {
                Kind::Base => "what is allowed",
                Kind::Narrowing => "a layer that narrows it",
            };
            writeln!(f, "// {}: {what}\n\n{}\n", set.name(), set.source().trim())?;
        }
        if !self.tiers.is_empty() {
            writeln!(f, "// tiers of programs and sites\n")?;
            for line in self.tiers.to_string().lines() {
                writeln!(f, "// {line}")?;
            }
        }
        Ok(())
    }
}

/// A layer in which only these programs are operated.
pub fn only_apps(names: &[String]) -> Result<RuleSet, PolicyError> {
    let names: Vec<String> = names.iter().map(|name| program_name(name.trim()).to_lowercase()).collect();
    let fits: Vec<String> = names
        .iter()
        .filter_map(|name| uid("Application", name))
        .map(|program| format!("resource in {program}"))
        .collect();
    let listed = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let source = format!(
        "@id(\"allow-app\")\n@reason(\"only these programs may be operated: {listed}\")\n\
         forbid (principal, action in [Action::\"input\", Action::\"open\", Action::\"risk\"], resource)\n\
         unless {{ {} }};\n",
        fits.join(" || ")
    );
    RuleSet::parse("command-line", Kind::Narrowing, &source, Path::new("--allow-app"))
}

/// A layer in which these actions and effects are forbidden.
pub fn without(words: &[String]) -> Result<RuleSet, PolicyError> {
    let mut source = String::new();
    for word in words {
        if !action_words().contains(&word.as_str()) {
            let known = action_words().join(", ");
            return Err(PolicyError::UnknownAction { word: word.clone(), known });
        }
        let _ = write!(
            source,
            "@id(\"deny-{word}\")\n@reason(\"you forbade `{word}` for this run\")\n\
             forbid (principal, action in Action::\"{word}\", resource);\n\n"
        );
    }
    RuleSet::parse("command-line", Kind::Narrowing, &source, Path::new("--deny"))
}

/// A name within a text of Cedar's.
fn quoted(name: &str) -> String {
    cedar_policy::EntityId::new(name).escaped().to_string()
}

#[cfg(test)]
mod tests;
