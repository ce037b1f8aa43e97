//! What goes into a model and what comes out of it, the same for every backend.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks a turn of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The rules of the conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub speaker: Speaker,
    /// What is said.
    pub text: String,
    /// What is shown beside it, to a model that sees. It is not written down with the rest.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

impl Turn {
    /// What `speaker` says.
    pub fn new(speaker: Speaker, text: impl Into<String>) -> Self {
        Self { speaker, text: text.into(), picture: None }
    }

    /// The same with a picture beside it.
    #[must_use]
    pub fn showing(self, picture: Option<Picture>) -> Self {
        Self { picture, ..self }
    }
}

/// A picture with what is to be said about it; a model that is not shown the one is not told the other.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// A PNG file.
    pub png: Arc<[u8]>,
    /// What goes before the text of its turn.
    pub words: Arc<str>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} bytes, {:?})", self.png.len(), self.words)
    }
}

/// What an answer must look like. A backend enforces it token by token where it can.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Anything.
    #[default]
    Free,
    /// One JSON value that fits this schema.
    JsonSchema(Value),
    /// A text of this grammar, in the Lark form of llguidance. Only the embedded backend knows it.
    Lark(String),
    /// One of these texts, word for word.
    OneOf(Vec<String>),
}

impl Constraint {
    /// The schema, if it is one.
    pub const fn schema(&self) -> Option<&Value> {
        if let Self::JsonSchema(schema) = self { Some(schema) } else { None }
    }
}

/// How hard a model may think, in the words of OpenAI, with the tokens that this comes to.
pub(crate) const EFFORTS: [(&str, u32); 5] =
    [("none", 0), ("minimal", 128), ("low", 512), ("medium", 2048), ("high", 8192)];

/// One question to a model. What is the same in every step of a run comes first, so that a backend
/// can reuse its work on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prompt {
    /// The conversation so far.
    pub turns: Vec<Turn>,
    /// The first so many turns are the same in every run, so that a backend may keep its work on them.
    pub lasting: usize,
    /// What the answer must look like.
    pub constraint: Constraint,
    /// As many tokens as the answer may have.
    pub max_tokens: u32,
    /// As many tokens as a model that does so may think aloud for before its answer; with 0 it is asked
    /// not to.
    pub thinking: u32,
    /// 0 takes the likeliest token each time.
    pub temperature: f32,
    /// Makes a temperature above 0 repeatable.
    pub seed: u64,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// Takes from the likeliest tokens that have this share of the probability together; all where it is
    /// not set.
    pub top_p: Option<f32>,
    /// Tells the one who reads along how likely each token was, beside so many others.
    pub likelihoods: Option<u8>,
    /// Reads the turns as they stand, without the template that marks who speaks.
    pub plain: bool,
}

impl Prompt {
    /// Whether only a model that sees can be asked this.
    pub fn has_picture(&self) -> bool {
        self.turns.iter().any(|turn| turn.picture.is_some())
    }
}

/// A token of an answer and how likely it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The token.
    pub token: Likely,
    /// The likeliest tokens in its place, the likeliest first.
    pub others: Vec<Likely>,
}

/// A token and how likely it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Likely {
    /// The bytes of its text, which may be half a character.
    pub bytes: Vec<u8>,
    /// The natural logarithm of its probability among the tokens that the constraint allows.
    pub logprob: f64,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model or the constraint ended it.
    Stop,
    /// It reached `max_tokens` or the end of the context.
    Length,
    /// The one who reads along ended it.
    Cancelled,
}

/// What an answer cost, in tokens and milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Of these, tokens whose work was reused from an earlier question.
    pub reused: u32,
    /// Tokens of the answer that the model chose.
    pub sampled: u32,
    /// Of these, tokens of what was thought aloud before.
    pub thought: u32,
    /// Tokens of the answer that the constraint left no choice about.
    pub forced: u32,
    /// Tokens of given texts whose likelihood was worked out; none of them was written.
    #[serde(skip_serializing_if = "is_none")]
    pub scored: u32,
    /// Time for reading the prompt, in ms.
    pub prefill_ms: f64,
    /// Time for writing the answer, or for weighing given ones, in ms.
    pub decode_ms: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        for (sum, count) in [
            (&mut self.prompt, other.prompt),
            (&mut self.reused, other.reused),
            (&mut self.sampled, other.sampled),
            (&mut self.thought, other.thought),
            (&mut self.forced, other.forced),
            (&mut self.scored, other.scored),
        ] {
            *sum = sum.saturating_add(count);
        }
        self.prefill_ms += other.prefill_ms;
        self.decode_ms += other.decode_ms;
    }
}

/// How likely each of some given texts is as the beginning of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Preference {
    /// The probability of each, in their order; they sum to 1.
    pub probabilities: Vec<f64>,
    /// What it cost.
    pub usage: Usage,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer, without the thinking before it.
    pub text: String,
    /// What the model thought aloud first, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    /// Why it ended.
    pub finish: Finish,
    /// What it cost.
    pub usage: Usage,
}
