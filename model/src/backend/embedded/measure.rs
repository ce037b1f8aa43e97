//! How long reading and writing take with nothing remembered, for benchmarks.

use std::ops::ControlFlow;
use std::time::Instant;

use toktrie::TokenId;

use super::Embedded;
use super::engine::{failed, milliseconds};
use super::network::Wanted;
use crate::backend::ModelError;

/// What one question took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// From the tokens to the logits after the last, in ms.
    pub read_ms: f64,
    /// The tokens that followed, each the likeliest.
    pub written: Vec<TokenId>,
    /// From the first of these to the last, in ms.
    pub write_ms: f64,
}

impl Embedded {
    /// Reads `ids` anew and writes `count` tokens after them, whatever they are. It blocks the thread.
    pub fn time(&self, ids: &[TokenId], count: usize) -> Result<Timing, ModelError> {
        let mut engine = self.engine.blocking_lock();
        let most = engine.context();
        let decoder = engine.decoder();
        let (longest, width) = (decoder.context(), decoder.vocabulary());
        if ids.is_empty() || ids.iter().any(|id| *id as usize >= width) {
            return Err(ModelError::Failed(format!("tokens are numbered from 0 to {}", width - 1)));
        }
        if ids.len() + count > longest {
            let prompt = super::vocabulary::count(ids.len() + count);
            return Err(ModelError::TooLong { prompt, context: most });
        }
        decoder.cut(0);
        let mut read = |ids: &[TokenId]| -> Result<TokenId, ModelError> {
            let logits = decoder.read(ids, Wanted::Last, &|| ControlFlow::Continue(()));
            let logits = logits.map_err(failed)?.unwrap_or_default();
            let best = (0..).zip(logits).max_by(|(_, a), (_, b)| a.total_cmp(b));
            Ok(best.map_or(0, |(id, _)| id))
        };
        let start = Instant::now();
        let mut next = read(ids)?;
        let read_ms = milliseconds(start);
        let start = Instant::now();
        let mut written = Vec::with_capacity(count);
        for _ in 0..count {
            written.push(next);
            next = read(&[next])?;
        }
        Ok(Timing { read_ms, written, write_ms: milliseconds(start) })
    }
}
