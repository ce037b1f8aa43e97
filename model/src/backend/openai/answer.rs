//! An answer while it is written: what has come so far, and what of it the one who reads along sees.

use std::ops::ControlFlow;

use tokio::time::Instant;

use super::think::{self, Echo, Filter, Parts};
use super::thinking::Thought;
use super::wire::{self, Calls, Reply};
use crate::backend::TokenSink;
use crate::prompt::{Completion, Finish, Usage};

/// Characters of a token at the most, mostly.
const CHARACTERS: usize = 6;

/// How the answer is shown and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it comes.
    Plain,
    /// As a JSON string that stands for the text in it.
    Quoted,
}

/// What has come so far.
#[derive(Debug)]
pub(super) struct Answer {
    form: Form,
    started: Instant,
    first: Option<Instant>,
    content: String,
    thought: String,
    calls: Calls,
    shown: Filter,
    finish: Option<Finish>,
    usage: Usage,
    /// Tokens that may be thought.
    allowance: u32,
    /// What was sent of it with the question.
    echo: Echo,
    /// Events that held a piece of a thought, and characters in them.
    thought_in: (usize, usize),
    /// Whether anything of the answer itself has come.
    answers: bool,
}

impl Answer {
    /// Nothing yet. What does not begin as JSON is taken for a thought, if `presumes`; `allowance` tokens may
    /// be thought. It was `begun` in the question, if it was.
    pub(super) fn new(form: Form, presumes: bool, allowance: u32, begun: &str) -> Self {
        Self {
            form,
            allowance,
            echo: Echo::of(begun),
            thought_in: (0, 0),
            answers: false,
            started: Instant::now(),
            first: None,
            content: String::new(),
            thought: String::new(),
            calls: Calls::default(),
            shown: Filter::new(presumes),
            finish: None,
            usage: Usage::default(),
        }
    }

    /// Whether a token has come.
    pub(super) fn begun(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the server has ended it.
    pub(super) fn ended(&self) -> bool {
        self.finish.is_some()
    }

    /// Ends it, where nothing has ended it before.
    pub(super) fn end(&mut self, finish: Finish) {
        self.finish.get_or_insert(finish);
    }

    /// Takes the next part of the reply.
    pub(super) fn take(&mut self, reply: &Reply, sink: &mut dyn TokenSink) -> ControlFlow<()> {
        reply.count(&mut self.usage);
        let thought = reply.thought();
        self.thought.push_str(thought);
        reply.calls(&mut self.calls);
        let content = self.echo.push(reply.content());
        if reply.has_token() {
            self.first.get_or_insert_with(Instant::now);
        }
        self.content.push_str(&content);
        if let Some(finish) = reply.finish() {
            self.end(finish);
        }
        let Parts { thought: inline, answer } = self.shown.push(&content);
        let length = thought.chars().count() + inline.chars().count();
        self.thought_in.0 += usize::from(length > 0);
        self.thought_in.1 += length;
        self.answers |= !answer.is_empty() || self.calls.any();
        for thought in [thought, &inline] {
            if !thought.is_empty() {
                sink.thought(thought)?;
            }
        }
        // A quoted answer is shown at the end, when it can be read.
        if answer.is_empty() || self.form == Form::Quoted { sink.poll() } else { sink.piece(&answer) }
    }

    /// Tokens that were thought, as far as can be told: an event holds one mostly, and some servers send a few
    /// at a time.
    fn thought_tokens(&self) -> u32 {
        let (events, characters) = self.thought_in;
        u32::try_from(events.max(characters / CHARACTERS)).unwrap_or(u32::MAX)
    }

    /// Whether it has thought for longer than it may, or until there was no room, and has not begun to answer.
    pub(super) fn thinks_too_long(&self) -> bool {
        let tokens = self.thought_tokens();
        let too_long = match self.finish {
            None => tokens > self.allowance,
            Some(finish) => finish == Finish::Length,
        };
        too_long && tokens > 0 && !self.answers
    }

    /// What was thought so far, where nothing else has come.
    pub(super) fn thought(mut self) -> Thought {
        self.time();
        let tokens = self.thought_tokens();
        let sampled = if self.usage.sampled == 0 { tokens } else { self.usage.sampled };
        let usage = Usage { sampled, thought: tokens, ..self.usage };
        let inline = || think::opened(&self.content);
        let text = if self.thought.is_empty() { inline() } else { &self.thought };
        Thought { text: text.trim().to_owned(), usage }
    }

    /// Takes the time where the server tells none.
    fn time(&mut self) {
        let now = Instant::now();
        let first = self.first.unwrap_or(now);
        if self.usage.prefill_ms == 0.0 && self.usage.decode_ms == 0.0 {
            self.usage.prefill_ms = (first - self.started).as_secs_f64() * 1e3;
            self.usage.decode_ms = (now - first).as_secs_f64() * 1e3;
        }
    }

    /// The whole answer; what was held back is shown now.
    pub(super) fn complete(mut self, sink: &mut dyn TokenSink) -> Completion {
        self.time();
        let (inline, mut text) = think::split(&self.content);
        if text.trim().is_empty()
            && let Some(calls) = self.calls.text()
        {
            text = calls;
        }
        let thought = self.thought.trim();
        let thinking = if thought.is_empty() { inline } else { Some(thought.to_owned()) };
        let finish = self.finish.unwrap_or(Finish::Cancelled);
        let (text, held) = match self.form {
            Form::Plain => {
                let held = self.shown.finish(&text);
                (text, held)
            }
            Form::Quoted => {
                let text = wire::unquote(&text);
                (text.clone(), text)
            }
        };
        if finish != Finish::Cancelled && !held.is_empty() {
            // It has ended already: there is nothing left to stop.
            let _ = sink.piece(&held);
        }
        Completion { text, thinking, finish, usage: self.usage }
    }
}
