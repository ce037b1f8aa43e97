//! A model that says what it was told to say: for demonstrations, for replaying a run and for
//! everything that must come out the same every time. It ships with the others, because a user who
//! wants to see what a policy does needs no weights for it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use freehand_tools::picture::fit::Fit;

use super::{Capabilities, Model, ModelError, TokenSink};
use crate::prompt::{Completion, Finish, Preference, Prompt, Usage};

/// Answers from a list, one answer for each question, whatever the question is.
#[derive(Debug, Default)]
pub struct Scripted {
    script: Mutex<Script>,
    images: Option<Fit>,
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<String>,
    /// None where no choice was scripted: then the first option is the answer.
    choices: Option<VecDeque<Vec<f64>>>,
    asked: Vec<Prompt>,
    offered: Vec<(Prompt, Vec<String>)>,
}

impl Scripted {
    /// A model that gives `answers` in order and then ends with [`ModelError::ScriptEnded`].
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Self {
        let answers = answers.into_iter().map(Into::into).collect();
        Self { script: Mutex::new(Script { answers, ..Script::default() }), images: None }
    }

    /// The same for one that is shown pictures in these sizes.
    #[must_use]
    pub fn seeing(self, sizes: Fit) -> Self {
        Self { images: Some(sizes), ..self }
    }

    /// The same with these probabilities for [`Model::choose`], one list for each question. Without
    /// them the first option is always certain.
    #[must_use]
    pub fn choosing(self, choices: impl IntoIterator<Item = Vec<f64>>) -> Self {
        self.script().choices = Some(choices.into_iter().collect());
        self
    }

    /// What it was asked to complete so far.
    pub fn asked(&self) -> Vec<Prompt> {
        self.script().asked.clone()
    }

    /// What it was asked to choose from so far.
    pub fn offered(&self) -> Vec<(Prompt, Vec<String>)> {
        self.script().offered.clone()
    }

    /// How many answers are left.
    pub fn left(&self) -> usize {
        self.script().answers.len()
    }

    fn check(&self, prompt: &Prompt) -> Result<(), ModelError> {
        if prompt.has_picture() && self.images.is_none() {
            return Err(ModelError::Blind { name: self.capabilities().name });
        }
        Ok(())
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Model for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "script".into(),
            context: u32::MAX,
            constrained: false,
            likelihoods: true,
            images: self.images,
        }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        self.check(prompt)?;
        let answer = {
            let mut script = self.script();
            script.asked.push(prompt.clone());
            script.answers.pop_front().ok_or(ModelError::ScriptEnded)?
        };
        let mut text = String::new();
        let mut finish = Finish::Stop;
        // Word by word, so that one who reads along can stop it like a real model.
        for word in answer.split_inclusive(' ') {
            if sink.poll().is_break() {
                finish = Finish::Cancelled;
                break;
            }
            text.push_str(word);
            if let ControlFlow::Break(()) = sink.piece(word) {
                finish = Finish::Cancelled;
                break;
            }
        }
        Ok(Completion { text, thinking: None, finish, usage: Usage::default() })
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        self.check(prompt)?;
        let mut script = self.script();
        script.offered.push((prompt.clone(), options.to_vec()));
        let usage = Usage::default();
        let Some(choices) = &mut script.choices else {
            let first = (0..options.len()).map(|at| if at == 0 { 1.0 } else { 0.0 });
            return Ok(Preference { probabilities: first.collect(), usage });
        };
        let probabilities = choices.pop_front().ok_or(ModelError::ScriptEnded)?;
        if probabilities.len() == options.len() {
            Ok(Preference { probabilities, usage })
        } else {
            let (has, needs) = (probabilities.len(), options.len());
            Err(ModelError::Failed(format!("the script has {has} probabilities for {needs} options")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Unread;
    use crate::prompt::{Speaker, Turn};

    struct After(usize);

    impl TokenSink for After {
        fn piece(&mut self, _: &str) -> ControlFlow<()> {
            self.0 -= 1;
            if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    fn asking(text: &str) -> Prompt {
        Prompt { turns: vec![Turn::new(Speaker::User, text)], ..Prompt::default() }
    }

    #[tokio::test]
    async fn answers_in_order_then_ends() {
        let model = Scripted::new(["one", "two"]);
        for answer in ["one", "two"] {
            let given = model.complete(&asking(answer), &mut Unread).await.unwrap();
            assert_eq!((given.text.as_str(), given.finish), (answer, Finish::Stop));
        }
        assert_eq!(model.complete(&asking("three"), &mut Unread).await, Err(ModelError::ScriptEnded));
        let asked: Vec<_> =
            model.asked().into_iter().map(|prompt| prompt.turns[0].text.clone()).collect();
        assert_eq!(asked, ["one", "two", "three"]);
    }

    #[tokio::test]
    async fn stops_when_told() {
        let model = Scripted::new(["a b c d"]);
        let given = model.complete(&asking(""), &mut After(2)).await.unwrap();
        assert_eq!((given.text.as_str(), given.finish), ("a b ", Finish::Cancelled));
    }

    #[tokio::test]
    async fn chooses() {
        let options = ["yes".to_owned(), "no".to_owned()];
        let none: [&str; 0] = [];
        let model = Scripted::new(none);
        let shares = async |model: &Scripted, text| {
            model.choose(&asking(text), &options).await.map(|choice| choice.probabilities)
        };
        assert_eq!(shares(&model, "").await, Ok(vec![1.0, 0.0]));
        let model = Scripted::new(none).choosing([vec![0.2, 0.8], vec![1.0]]);
        assert_eq!(shares(&model, "q").await, Ok(vec![0.2, 0.8]));
        assert!(matches!(shares(&model, "").await, Err(ModelError::Failed(_))));
        assert_eq!(shares(&model, "").await, Err(ModelError::ScriptEnded));
        assert_eq!(model.offered()[0], (asking("q"), options.to_vec()));
    }
}
