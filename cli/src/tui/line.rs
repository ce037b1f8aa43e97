//! A line that the person types, and what it is for.

use freehand_agent::supervision::Intent;
use serde_json::Value;

/// What the line becomes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Purpose {
    /// A sentence more about the task.
    Say,
    /// A task.
    Start,
    /// Why not, for the question of this number.
    Deny(u64),
    /// For how many minutes yes.
    Minutes(u64),
    /// The answer to a question of the model.
    Tell(u64),
    /// The text of the call with these arguments, as it shall be.
    Text(u64, Value),
    /// All arguments of the call, as JSON.
    Arguments(u64),
}

/// A line under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) purpose: Purpose,
    letters: Vec<char>,
    at: usize,
}

impl Line {
    pub(super) fn new(purpose: Purpose, text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        Self { purpose, at: letters.len(), letters }
    }

    /// A line in which the person changes what is meant: its text, where it has one, or else all of it.
    pub(super) fn edit(question: u64, intent: &Intent) -> Self {
        match intent.args.get("text").and_then(Value::as_str) {
            Some(text) => Self::new(Purpose::Text(question, intent.args.clone()), text),
            None => Self::new(Purpose::Arguments(question), &intent.args.to_string()),
        }
    }

    pub(super) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// The text before the cursor and from it on.
    pub(super) fn parts(&self) -> (String, String) {
        let (before, after) = self.letters.split_at(self.at.min(self.letters.len()));
        (before.iter().collect(), after.iter().collect())
    }

    pub(super) fn insert(&mut self, text: &str) {
        for letter in text.chars() {
            self.letters.insert(self.at, letter);
            self.at += 1;
        }
    }

    pub(super) fn back(&mut self) {
        if let Some(before) = self.at.checked_sub(1) {
            self.letters.remove(before);
            self.at = before;
        }
    }

    pub(super) fn delete(&mut self) {
        if self.at < self.letters.len() {
            self.letters.remove(self.at);
        }
    }

    pub(super) const fn left(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    pub(super) fn right(&mut self) {
        self.at = (self.at + 1).min(self.letters.len());
    }

    pub(super) const fn home(&mut self) {
        self.at = 0;
    }

    pub(super) const fn end(&mut self) {
        self.at = self.letters.len();
    }

    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.at = 0;
    }

    /// What is asked for.
    pub(super) const fn words(&self) -> &'static str {
        match self.purpose {
            Purpose::Say => "say more about the task",
            Purpose::Start => "what is to be done?",
            Purpose::Deny(_) => "why not? the model reads it",
            Purpose::Minutes(_) => "for how many minutes",
            Purpose::Tell(_) => "your answer",
            Purpose::Text(..) => "the text, as it shall be",
            Purpose::Arguments(_) => "the arguments, as JSON",
        }
    }

    /// The number of the question that it answers.
    pub(super) const fn question(&self) -> Option<u64> {
        match self.purpose {
            Purpose::Say | Purpose::Start => None,
            Purpose::Deny(number)
            | Purpose::Minutes(number)
            | Purpose::Tell(number)
            | Purpose::Text(number, _)
            | Purpose::Arguments(number) => Some(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_in_and_out_where_the_cursor_is() {
        let mut line = Line::new(Purpose::Say, "äb");
        line.left();
        line.insert("x");
        assert_eq!(line.parts(), ("äx".into(), "b".into()));
        line.back();
        line.home();
        line.back();
        line.delete();
        assert_eq!(line.text(), "b");
        line.end();
        line.delete();
        line.right();
        line.insert("\ny");
        assert_eq!(line.text(), "b\ny");
        line.clear();
        assert_eq!(line.parts(), (String::new(), String::new()));
    }
}
