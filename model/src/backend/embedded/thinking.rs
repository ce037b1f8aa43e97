//! What a model thinks aloud before it answers: read apart, so many tokens and no more, and ended by force
//! where the model does not end it.

use toktrie::TokenId;

use super::text::Text;
use super::vocabulary::Vocabulary;
use crate::backend::ModelError;

/// Thoughts while they are thought.
#[derive(Debug)]
pub(super) struct Thinking {
    text: Text,
    /// Tokens that it may still take.
    left: usize,
    end: TokenId,
    /// What the model is used to see after its thoughts.
    after: Vec<TokenId>,
    /// What stands before an end that comes by force.
    before: Vec<TokenId>,
}

/// What a token is among thoughts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Thought {
    /// One of them; the tokens that the model goes on with.
    More(Vec<TokenId>),
    /// Their end; the tokens that the model goes on with.
    Over(Vec<TokenId>),
}

impl Thinking {
    /// Thoughts of `budget` tokens at most, if the model has such.
    pub(super) fn new(vocabulary: &Vocabulary, budget: usize) -> Result<Option<Self>, ModelError> {
        let Some([_, end]) = vocabulary.thinks() else { return Ok(None) };
        Ok(Some(Self {
            text: Text::new(Vec::new()),
            left: budget,
            end,
            after: vocabulary.encode("\n\n")?,
            before: vocabulary.encode("\n")?,
        }))
    }

    /// Makes all tokens impossible that have no place among thoughts.
    pub(super) fn mask(&self, vocabulary: &Vocabulary, logits: &mut [f32]) {
        let begin = vocabulary.thinks().map(|[begin, _]| begin);
        for id in vocabulary.banned().iter().copied().chain(begin).filter(|id| *id != self.end) {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    /// Takes the token that was chosen.
    pub(super) fn take(&mut self, vocabulary: &Vocabulary, id: TokenId) -> Thought {
        let over =
            |before: Vec<TokenId>| Thought::Over([before, vec![self.end], self.after.clone()].concat());
        // The end of all that is to be said is the end of thinking, too.
        if id == self.end || vocabulary.is_end(id) {
            return over(Vec::new());
        }
        self.text.push(vocabulary.bytes(id));
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return Thought::More(vec![id]);
        }
        over([vec![id], self.before.clone()].concat())
    }

    /// What can be shown since the last time.
    pub(super) fn piece(&mut self) -> Option<String> {
        self.text.piece().map(str::to_owned)
    }

    /// All of it.
    pub(super) fn into_text(mut self) -> String {
        let _ = self.text.finish();
        self.text.into_text().trim().to_owned()
    }
}
