//! How the planner's knowledge is put to a model, and how its answer is read. A dialect is stateless:
//! the same view gives the same prompt, so that a backend can reuse the work on what has not changed.

use freehand_tools::apps::App;
use freehand_tools::call::{ToolCall, ToolSpec};
use freehand_tools::element::ElementId;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::observation::Observation;
use freehand_tools::picture::fit::Fit;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::prompt::{Completion, Prompt, Turn};

pub mod list;
pub mod numbered;
mod picture;
pub mod tools;

/// One earlier step in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStep {
    /// What was done: `typed "Paris" into textbox "City"`.
    pub did: String,
    /// What came of it, where that matters: `nothing changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Whether it was done and changed something.
    #[serde(default)]
    pub effective: bool,
    /// The command of the program that it started, or the address that it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<String>,
    /// How often it was done, one time after the other.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

impl PastStep {
    /// What was done, and how often.
    pub(crate) fn words(&self) -> String {
        if self.times > 1 { format!("{} ({} times)", self.did, self.times) } else { self.did.clone() }
    }
}

/// Which of several things a task wants, where it goes by a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// It does not go by a number.
    #[default]
    Any,
    /// The one with the smallest.
    Smallest,
    /// The one with the largest.
    Largest,
}

/// How a task compares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Which way.
    pub order: Order,
    /// By which of several numbers, where there are several: the words around it.
    pub by: Option<String>,
}

/// A question with the answers to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The question.
    pub prompt: Prompt,
    /// The answers.
    pub answers: Vec<String>,
}

impl Choice {
    /// The question that `turns` end with; the first `lasting` of them are the same in every run.
    pub fn new(turns: Vec<Turn>, lasting: usize, answers: &[&str]) -> Self {
        let prompt = Prompt { turns, lasting, max_tokens: 1, ..Prompt::default() };
        Self { prompt, answers: answers.iter().map(ToString::to_string).collect() }
    }
}

/// A choice that a form waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// What has to be done first is known.
    Known(Proposal),
    /// A question, with what each answer means to do first, which may be nothing; an answer beyond those
    /// means nothing.
    Asked(Choice, Vec<Proposal>),
}

/// One use of one element, or of the keyboard or the wheel, that makes no sense now, because it was
/// just tried here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Barred {
    /// The element; `None` for what is done to no element.
    pub id: Option<ElementId>,
    /// What was done to it.
    pub usage: Usage,
}

/// What can be done to an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usage {
    /// It is clicked.
    Click,
    /// Text is typed into it.
    Type,
    /// One of its options is chosen.
    Select,
    /// It is dragged.
    Drag,
    /// Its text is selected.
    Highlight,
    /// A key is pressed.
    Press,
    /// The wheel is turned.
    Scroll,
}

/// All that a model is shown for one step.
#[derive(Debug, Clone)]
pub struct PlanView<'a> {
    /// What the person wants.
    pub task: &'a str,
    /// What is on the screen now.
    pub seen: &'a Observation,
    /// What was done so far, oldest first.
    pub steps: &'a [PastStep],
    /// Facts that the model wanted to keep.
    pub notes: &'a [String],
    /// What the loop wants to point out, for example that nothing changed.
    pub hint: Option<&'a str>,
    /// The tools that exist.
    pub tools: &'a [ToolSpec],
    /// Programs that can be started.
    pub apps: &'a [App],
    /// The command of the one that the task needs first, where it was asked.
    pub program: Option<&'a str>,
    /// What is not offered again.
    pub barred: &'a [Barred],
    /// How the task compares.
    pub comparison: &'a Comparison,
    /// The list of what is on the screen, as [`list::screen`] makes it.
    pub list: &'a str,
    /// The sizes in which the model is shown the screen as a picture; `None` where it sees none.
    pub images: Option<Fit>,
    /// The part of the screen, in screen pixels, that it has just asked to look at closely.
    pub closeup: Option<ScreenRect>,
}

/// What the model wants to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The calls, in order.
    pub calls: Vec<ToolCall>,
    /// Why, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
}

/// Why an answer cannot be read. The model is told and asked again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    /// It ended before it was whole.
    #[error("the answer was cut off")]
    Cut,
    /// It holds no JSON object.
    #[error("the answer holds no JSON object")]
    NoJson,
    /// Its JSON does not fit.
    #[error("the answer does not fit: {0}")]
    Misfit(String),
}

/// The way one kind of model is spoken to.
pub trait Dialect: Send + Sync + std::fmt::Debug {
    /// Its name, for the log.
    fn name(&self) -> &'static str;

    /// The question for the next action.
    fn render(&self, view: &PlanView<'_>) -> Prompt;

    /// The question whether the task is done. Its first answer says that it is.
    fn ask_done(&self, view: &PlanView<'_>) -> Choice;

    /// Whether the screen offers something that the task names and that was not used yet.
    fn leaves(&self, view: &PlanView<'_>) -> bool;

    /// Whether the task wants something saved in a file that no window shows yet.
    fn is_unsaved(&self, _: &PlanView<'_>) -> bool {
        false
    }

    /// What the task names, each with whether it was used: texts, names and the file that is to be saved. Nothing
    /// where the dialect does not look for that.
    fn parts(&self, _: &PlanView<'_>) -> Vec<(String, bool)> {
        Vec::new()
    }

    /// The question which way the task compares, if there is anything to compare.
    fn ask_order(&self, view: &PlanView<'_>) -> Option<Choice>;

    /// What the likelihoods of the answers to [`Dialect::ask_order`] mean.
    fn order(&self, shares: &[f64]) -> Order;

    /// The question by which of several numbers the task compares, with what each answer stands for; `None`
    /// where there is but one.
    fn ask_column(&self, view: &PlanView<'_>) -> Option<(Choice, Vec<String>)>;

    /// The question which program the task needs first, with the command that each answer stands for;
    /// `None` where none is to be started, or only one can be.
    fn ask_program(&self, _: &PlanView<'_>) -> Option<(Choice, Vec<String>)> {
        None
    }

    /// What a form still waits for, where `proposal` would send it.
    fn picks(&self, _: &PlanView<'_>, _: &Proposal) -> Vec<Pick> {
        Vec::new()
    }

    /// The question whether the task would be done after `proposal`, where it looks as if it came too
    /// early, and what is not to be done if it would not. The first answer says that it would.
    fn ask_leap(&self, view: &PlanView<'_>, proposal: &Proposal) -> Option<(Choice, Barred)>;

    /// Reads the answer to [`Dialect::render`] of the same view.
    fn parse(&self, completion: &Completion, view: &PlanView<'_>) -> Result<Proposal, ParseError>;

    /// The beginnings that its questions have in every run, for a model that remembers what it has read.
    fn lasting(&self) -> Vec<Prompt> {
        Vec::new()
    }

    /// Whether the model may end the run by itself. A small one never does: the loop asks.
    fn ends_by_itself(&self) -> bool;
}

/// The last balanced JSON object in a text, which is where a model that talks first puts its answer.
pub fn last_object(text: &str) -> Option<serde_json::Value> {
    let mut starts: Vec<usize> = text.match_indices('{').map(|(at, _)| at).take(200).collect();
    let mut best: Option<(usize, serde_json::Value)> = None;
    starts.reverse();
    for start in starts {
        let tail = text.get(start..)?;
        let mut stream = serde_json::Deserializer::from_str(tail).into_iter::<serde_json::Value>();
        if let Some(Ok(value)) = stream.next()
            && value.is_object()
        {
            let end = start + stream.byte_offset();
            // An object inside a later one ends before it: the outermost of the last wins.
            if best.as_ref().is_none_or(|(known, _)| end >= *known) {
                best = Some((end, value));
            }
        }
    }
    best.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn finds_the_last_whole_object() {
        assert_eq!(last_object(r#"so {"a":1} then {"b":{"c":2}} ok"#), Some(json!({"b":{"c":2}})));
        assert_eq!(last_object(r#"{"a":1} {"b":"#), Some(json!({"a":1})));
        assert_eq!(last_object("none"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[{}\"a:,é\\\\]{0,60}") {
            let _ = last_object(&text);
        }
    }
}
