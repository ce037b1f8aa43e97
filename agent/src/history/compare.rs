//! Where two runs part: up to there they did the same with the same success, and from there on they did
//! not. What stood on the screen then tells whether the desktop or the model was another one.

use freehand_tools::outcome::Outcome;
use serde::Serialize;

use crate::trajectory::{Header, Step, Trajectory};

/// Lines that only one of two screens shows, of which so many are told.
const LINES: usize = 12;

/// Something that two runs were not alike in from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which part of the header.
    pub field: &'static str,
    /// In the first run.
    pub a: String,
    /// In the second.
    pub b: String,
}

/// What a run did at one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// In which step.
    pub step: u32,
    /// What, in one sentence.
    pub action: String,
    /// `done`, `failed`, `refused` or `unread`.
    pub result: &'static str,
    /// What was said of it.
    pub words: String,
}

/// Where they part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parting {
    /// What the first run did; `None` where it was over.
    pub a: Option<Move>,
    /// What the second did.
    pub b: Option<Move>,
    /// Whether the model read the same list in both.
    pub same_screen: bool,
    /// What only the first one's list had.
    pub only_a: Vec<String>,
    /// What only the second one's list had.
    pub only_b: Vec<String>,
}

/// Two runs beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What was not alike from the beginning.
    pub headers: Vec<Difference>,
    /// So many actions were done alike.
    pub alike: usize,
    /// Where they part, if they do.
    pub parting: Option<Parting>,
}

/// Compares two runs.
pub fn compare(a: &Trajectory, b: &Trajectory) -> Comparison {
    let (moves_a, moves_b) = (moves(a), moves(b));
    let same = |(a, b): &(&(Move, &Step), &(Move, &Step))| {
        (&a.0.action, a.0.result) == (&b.0.action, b.0.result)
    };
    let alike = moves_a.iter().zip(&moves_b).take_while(same).count();
    let (next_a, next_b) = (moves_a.get(alike), moves_b.get(alike));
    let parting = (next_a.is_some() || next_b.is_some()).then(|| {
        let (list_a, list_b) = (listed(next_a), listed(next_b));
        let only = |these: &[&str], those: &[&str]| {
            let new = these.iter().filter(|line| !those.contains(line)).take(LINES);
            new.map(|line| (*line).to_owned()).collect::<Vec<_>>()
        };
        let both = next_a.is_some() && next_b.is_some();
        Parting {
            a: next_a.map(|(made, _)| made.clone()),
            b: next_b.map(|(made, _)| made.clone()),
            same_screen: both && list_a == list_b,
            only_a: if both { only(&list_a, &list_b) } else { Vec::new() },
            only_b: if both { only(&list_b, &list_a) } else { Vec::new() },
        }
    });
    Comparison { headers: headers(&a.header, &b.header), alike, parting }
}

fn headers(a: &Header, b: &Header) -> Vec<Difference> {
    [
        ("task", &a.task, &b.task),
        ("model", &a.model, &b.model),
        ("dialect", &a.dialect, &b.dialect),
        ("policy", &a.policy, &b.policy),
        ("rules", &a.policy_digest, &b.policy_digest),
        ("display", &a.display, &b.display),
    ]
    .into_iter()
    .filter(|(_, a, b)| a != b)
    .map(|(field, a, b)| Difference { field, a: a.clone(), b: b.clone() })
    .collect()
}

/// What a run did, in order. A step whose answer could not be read is a move too.
fn moves(run: &Trajectory) -> Vec<(Move, &Step)> {
    let mut all = Vec::new();
    for step in &run.steps {
        if let Some(unread) = &step.unread {
            let action = "say something that cannot be read".into();
            let made = Move { step: step.index, action, result: "unread", words: unread.clone() };
            all.push((made, step));
        }
        for judged in &step.actions {
            let told = judged.action.as_ref().map(|action| action.summary.clone());
            let action = told.unwrap_or_else(|| format!("{} {}", judged.call.tool, judged.call.args));
            let (result, words) = match &judged.outcome {
                Outcome::Done { answer, .. } => ("done", answer.clone().unwrap_or_default()),
                Outcome::Failed { reason, .. } => ("failed", reason.clone()),
                Outcome::Refused { reason } => ("refused", reason.clone()),
            };
            all.push((Move { step: step.index, action, result, words }, step));
        }
    }
    all
}

fn listed<'s>(next: Option<&(Move, &'s Step)>) -> Vec<&'s str> {
    next.map(|(_, step)| step.list.lines().map(unnumbered).collect()).unwrap_or_default()
}

/// A line of the list without its number, which says nothing from run to run.
fn unnumbered(line: &str) -> &str {
    let line = line.trim_start();
    line.strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map_or(line, |(_, rest)| rest.trim_start())
}
