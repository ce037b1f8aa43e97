//! One question asked of the model, and what comes back on the way to the client. Whoever asked may leave
//! at any moment: then the model stops within a token.

use std::ops::ControlFlow;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::fault::Fault;
use super::request::Question;
use super::tools::{self, Calls};
use super::watch_calls::{Seen, Watch};
use crate::backend::{Model, TokenSink};
use crate::prompt::{Chosen, Completion, Constraint, Finish, Preference, Prompt, Usage};

/// What becomes of a question, in order. The last one is `Ended`, `Chose` or `Failed`.
#[derive(Debug)]
pub(super) enum Event {
    /// The next piece of what is thought before the answer.
    Thought(String),
    /// The next piece of the answer, with the tokens that it is made of where they were asked for.
    Text(String, Vec<Chosen>),
    /// A call: the function's name and its arguments as JSON.
    Call(String, String),
    /// The answer is whole.
    Ended(Ended),
    /// The options are weighed.
    Chose(Preference),
    /// There is no answer, or no more of it.
    Failed(Fault),
}

/// How an answer ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// Why, in the words of the protocol.
    pub(super) reason: &'static str,
    pub(super) usage: Usage,
    /// What the model thought before.
    pub(super) thinking: Option<String>,
    /// Tokens after the last piece.
    pub(super) tokens: Vec<Chosen>,
}

/// What came of a question, for the count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) usage: Usage,
    /// When the first piece came.
    pub(super) first: Option<Instant>,
    pub(super) outcome: Outcome,
}

/// How it ended, for the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Left,
    Failed,
}

/// Asks the model and tells the client what comes of it. Ends early once `hurry` holds.
pub(super) async fn answer(
    model: &dyn Model,
    question: &Question,
    reply: &UnboundedSender<Event>,
    hurry: &watch::Receiver<bool>,
) -> Done {
    let mut line = Line {
        reply,
        hurry,
        ear: Ear::Open,
        tokens: Vec::new(),
        thought: false,
        called: None,
        first: None,
    };
    let last = if question.options.is_empty() {
        match ask(model, question, &mut line).await {
            Ok(ended) => Event::Ended(ended),
            Err(fault) => Event::Failed(fault),
        }
    } else {
        choose(model, question, reply, hurry).await
    };
    let outcome = match &last {
        _ if reply.is_closed() => Outcome::Left,
        Event::Failed(_) => Outcome::Failed,
        Event::Ended(_) | Event::Chose(_) | Event::Thought(_) | Event::Text(..) | Event::Call(..) => {
            Outcome::Answered
        }
    };
    let usage = match &last {
        Event::Ended(ended) => ended.usage,
        Event::Chose(choice) => choice.usage,
        Event::Failed(_) | Event::Thought(_) | Event::Text(..) | Event::Call(..) => Usage::default(),
    };
    let first = line.first;
    let _ = reply.send(last);
    Done { usage, first, outcome }
}

/// Weighs the options, unless the client has gone before that or the server is to end: the model notices
/// that nobody waits for it.
async fn choose(
    model: &dyn Model,
    question: &Question,
    reply: &UnboundedSender<Event>,
    hurry: &watch::Receiver<bool>,
) -> Event {
    let mut hurry = hurry.clone();
    let ends = async { drop(hurry.wait_for(|is_time| *is_time).await) };
    tokio::select! {
        chosen = model.choose(&question.prompt, &question.options) => match chosen {
            Ok(choice) => Event::Chose(choice),
            Err(error) => Event::Failed(error.into()),
        },
        () = reply.closed() => Event::Failed(Fault::stopping()),
        () = ends => Event::Failed(Fault::stopping()),
    }
}

async fn ask(model: &dyn Model, question: &Question, line: &mut Line<'_>) -> Result<Ended, Fault> {
    let Question { prompt, calls, .. } = question;
    match calls {
        Calls::Never => Ok(ended(line.complete(model, prompt).await?, line)),
        Calls::Must(_) => call(model, question, None, line).await,
        Calls::May(_) => {
            line.ear = Ear::Watching(Watch::new(question.calls.names().map(str::to_owned)));
            let said = line.complete(model, prompt).await?;
            if let Some(Called { name }) = line.called.take() {
                let mut ended = call(model, question, name.as_deref(), line).await?;
                // The prompt is one and the same.
                ended.usage += Usage { prompt: 0, reused: 0, ..said.usage };
                (ended.usage.prompt, ended.usage.reused) = (said.usage.prompt, said.usage.reused);
                ended.thinking = ended.thinking.or(said.thinking);
                return Ok(ended);
            }
            if let Ear::Watching(watch) = std::mem::replace(&mut line.ear, Ear::Open) {
                let _ = line.send(watch.finish());
            }
            Ok(ended(said, line))
        }
    }
}

/// Has a call written, in the only form that it may have.
async fn call(
    model: &dyn Model,
    question: &Question,
    name: Option<&str>,
    line: &mut Line<'_>,
) -> Result<Ended, Fault> {
    let prompt = Prompt {
        constraint: Constraint::JsonSchema(question.calls.schema(name)),
        stop: Vec::new(),
        likelihoods: None,
        // It has thought already where it began to call.
        thinking: if line.thought { 0 } else { question.prompt.thinking },
        ..question.prompt.clone()
    };
    line.ear = Ear::Shut;
    let said = line.complete(model, &prompt).await?;
    match (tools::call(&said.text), said.finish) {
        (Some((name, arguments)), _) => {
            let _ = line.reply.send(Event::Call(name, arguments));
            Ok(Ended { reason: "tool_calls", ..ended(said, line) })
        }
        (None, Finish::Length) => Ok(ended(said, line)),
        (None, Finish::Stop | Finish::Cancelled) => {
            Err(Fault::broken("the model wrote a call that is none; ask again"))
        }
    }
}

fn ended(said: Completion, line: &mut Line<'_>) -> Ended {
    let reason = match said.finish {
        Finish::Length => "length",
        Finish::Stop | Finish::Cancelled => "stop",
    };
    let tokens = std::mem::take(&mut line.tokens);
    Ended { reason, usage: said.usage, thinking: said.thinking, tokens }
}

/// The line to the client while the model writes.
struct Line<'a> {
    reply: &'a UnboundedSender<Event>,
    hurry: &'a watch::Receiver<bool>,
    ear: Ear,
    /// Tokens that were not sent yet.
    tokens: Vec<Chosen>,
    /// Whether it has thought aloud.
    thought: bool,
    /// A call that has begun.
    called: Option<Called>,
    first: Option<Instant>,
}

/// A call that has begun.
struct Called {
    /// The function, if it is clear already.
    name: Option<String>,
}

/// What is done with what the model writes.
enum Ear {
    /// It is sent.
    Open,
    /// It is sent if it is not a call.
    Watching(Watch),
    /// It is read at the end.
    Shut,
}

impl Line<'_> {
    async fn complete(&mut self, model: &dyn Model, prompt: &Prompt) -> Result<Completion, Fault> {
        let said = model.complete(prompt, self).await?;
        let broken_off = said.finish == Finish::Cancelled && self.called.is_none();
        if broken_off && !self.reply.is_closed() { Err(Fault::stopping()) } else { Ok(said) }
    }

    fn send(&mut self, text: String) -> ControlFlow<()> {
        if text.is_empty() {
            return self.poll();
        }
        let tokens = std::mem::take(&mut self.tokens);
        match self.reply.send(Event::Text(text, tokens)) {
            Ok(()) => self.poll(),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl TokenSink for Line<'_> {
    fn piece(&mut self, text: &str) -> ControlFlow<()> {
        self.first.get_or_insert_with(Instant::now);
        match &mut self.ear {
            Ear::Open => self.send(text.to_owned()),
            Ear::Shut => self.poll(),
            Ear::Watching(watch) => match watch.push(text) {
                Seen::Text(text) => self.send(text),
                Seen::Call { before, name } => {
                    self.called = Some(Called { name });
                    let _ = self.send(before);
                    ControlFlow::Break(())
                }
            },
        }
    }

    fn thought(&mut self, text: &str) -> ControlFlow<()> {
        self.first.get_or_insert_with(Instant::now);
        self.thought = true;
        match self.reply.send(Event::Thought(text.to_owned())) {
            Ok(()) => self.poll(),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn token(&mut self, chosen: Chosen) {
        self.tokens.push(chosen);
    }

    fn poll(&mut self) -> ControlFlow<()> {
        if self.reply.is_closed() || *self.hurry.borrow() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
