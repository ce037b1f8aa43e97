//! An answer while it is written: what has come so far, and what of it the one who reads along sees.

use std::ops::ControlFlow;

use tokio::time::Instant;

use super::think::{self, Filter, Parts};
use super::wire::{self, Calls, Reply};
use crate::backend::TokenSink;
use crate::prompt::{Completion, Finish, Usage};

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
}

impl Answer {
    /// Nothing yet. What does not begin as JSON is taken for a thought, if `presumes`.
    pub(super) fn new(form: Form, presumes: bool) -> Self {
        Self {
            form,
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
        let content = reply.content();
        if reply.has_token() {
            self.first.get_or_insert_with(Instant::now);
        }
        self.content.push_str(&content);
        if let Some(finish) = reply.finish() {
            self.end(finish);
        }
        let Parts { thought: inline, answer } = self.shown.push(&content);
        for thought in [thought, &inline] {
            if !thought.is_empty() {
                sink.thought(thought)?;
            }
        }
        // A quoted answer is shown at the end, when it can be read.
        if answer.is_empty() || self.form == Form::Quoted { sink.poll() } else { sink.piece(&answer) }
    }

    /// The whole answer; what was held back is shown now.
    pub(super) fn complete(mut self, sink: &mut dyn TokenSink) -> Completion {
        let now = Instant::now();
        let first = self.first.unwrap_or(now);
        if self.usage.prefill_ms == 0.0 && self.usage.decode_ms == 0.0 {
            self.usage.prefill_ms = (first - self.started).as_secs_f64() * 1e3;
            self.usage.decode_ms = (now - first).as_secs_f64() * 1e3;
        }
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
