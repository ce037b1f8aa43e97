//! The tools that touch nothing on the screen: note, ask_user, finish. What they mean is up to the
//! loop that runs them; here they are read and checked.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, EffectClass, Status, Target};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError};
use crate::observation::Observation;
use crate::outcome::{Effect, Outcome};
use crate::permit::Redeemed;
use crate::tool::{Act, Grounded, Performed, bad};

/// Remember a fact that a later step needs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    /// The fact; or your plan, a line for each part: `[x] done`, `[ ] to do`.
    #[schemars(length(max = 1000))]
    pub text: String,
}

/// Ask the person something that the screen does not say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskUserInput {
    /// The question.
    #[schemars(length(max = 1000))]
    pub question: String,
}

/// Say that the task is done, or that it cannot be done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishInput {
    /// How it ended.
    pub status: Status,
    /// Texts on the screen that show it.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub evidence: Vec<String>,
    /// What the person is told.
    #[serde(default)]
    pub answer: String,
}

fn quiet(kind: ActionKind, summary: String) -> Grounded {
    Grounded { kind, target: Target::default(), effects: EffectClass::Nothing, summary }
}

const DONE: Outcome = Outcome::Done { effect: Effect::Confirmed, answer: None };

/// The tool `note`.
#[derive(Debug, Default)]
pub struct Note;

#[async_trait]
impl Act for Note {
    const NAME: &'static str = "note";
    type Input = NoteInput;

    fn ground(input: NoteInput, _: &Observation) -> Result<Grounded, CallError> {
        if input.text.chars().count() > 1000 {
            return Err(bad(Self::NAME, "`text` has over 1000 characters"));
        }
        let summary = format!("note: {}", input.text);
        Ok(quiet(ActionKind::Note { text: input.text }, summary))
    }

    async fn act(_: &Redeemed, _: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        Ok(DONE.into())
    }
}

/// The tool `ask_user`.
#[derive(Debug, Default)]
pub struct AskUser;

#[async_trait]
impl Act for AskUser {
    const NAME: &'static str = "ask_user";
    type Input = AskUserInput;

    fn ground(input: AskUserInput, _: &Observation) -> Result<Grounded, CallError> {
        if input.question.trim().is_empty() || input.question.chars().count() > 1000 {
            return Err(bad(Self::NAME, "`question` needs 1 to 1000 characters"));
        }
        let summary = format!("ask: {}", input.question);
        Ok(quiet(ActionKind::AskUser { question: input.question }, summary))
    }

    async fn act(_: &Redeemed, _: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        Ok(DONE.into())
    }
}

/// The tool `finish`.
#[derive(Debug, Default)]
pub struct Finish;

#[async_trait]
impl Act for Finish {
    const NAME: &'static str = "finish";
    type Input = FinishInput;

    fn ground(input: FinishInput, _: &Observation) -> Result<Grounded, CallError> {
        if input.evidence.len() > 10 {
            return Err(bad(Self::NAME, "`evidence` has over 10 entries"));
        }
        let summary = match input.status {
            Status::Success => "the task is done".into(),
            Status::Failure => format!("the task cannot be done: {}", input.answer),
        };
        let kind =
            ActionKind::Finish { status: input.status, evidence: input.evidence, answer: input.answer };
        Ok(quiet(kind, summary))
    }

    async fn act(_: &Redeemed, _: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        Ok(DONE.into())
    }
}
