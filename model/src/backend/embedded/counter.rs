//! How many tokens a text is for a model, told from its file without reading its weights.

use std::path::Path;

use super::gguf::{Gguf, useless};
use super::vocabulary::Vocabulary;
use crate::backend::ModelError;

/// Counts the tokens of texts as one model cuts them.
#[derive(Debug)]
pub struct Counter(Vocabulary);

impl Counter {
    /// Reads the vocabulary of the GGUF file at `path`.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let gguf = Gguf::open(path)?;
        let vocabulary = gguf.rows("token_embd.weight").and_then(|count| Vocabulary::read(&gguf, count));
        vocabulary.map(Self).map_err(|reason| useless(path, &reason))
    }

    /// The number of tokens of `text`.
    pub fn count(&self, text: &str) -> Result<usize, ModelError> {
        self.0.encode(text).map(|ids| ids.len())
    }
}
