//! How long reading and writing take with nothing remembered, for benchmarks.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Instant;

use toktrie::TokenId;

use super::decoder::Reading;
use super::engine::{Engine, failed, milliseconds};
use super::network::Wanted;
use super::rounds::Job;
use super::{Embedded, broken};
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
        let ids = ids.to_vec();
        let (sender, timed) = mpsc::channel();
        self.send(Job::Do(Box::new(move |engine| {
            let _ = sender.send(time(engine, &ids, count));
        })))?;
        timed.recv().unwrap_or_else(|_| Err(broken()))
    }
}

fn time(engine: &mut Engine, ids: &[TokenId], count: usize) -> Result<Timing, ModelError> {
    let most = engine.context();
    let decoder = &mut *engine.decoder;
    let width = decoder.vocabulary();
    if ids.is_empty() || ids.iter().any(|id| *id as usize >= width) {
        return Err(ModelError::Failed(format!("tokens are numbered from 0 to {}", width - 1)));
    }
    if ids.len() + count > decoder.context() {
        let prompt = super::vocabulary::count(ids.len() + count);
        return Err(ModelError::TooLong { prompt, context: most });
    }
    let go_on = || ControlFlow::Continue(());
    let (line, _) = decoder.open(&[], 0, &go_on);
    let mut read = |ids: &[TokenId]| -> Result<TokenId, ModelError> {
        let mut last = Vec::new();
        for ids in ids.chunks(decoder.at_once()) {
            let part = Reading { line, ids, wanted: Wanted::Last };
            let logits = decoder.read(&[part], &go_on).map_err(failed)?;
            last = logits.unwrap_or_default().concat();
        }
        let best = (0..).zip(last).max_by(|(_, a), (_, b)| a.total_cmp(b));
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
    let write_ms = milliseconds(start);
    decoder.close(line, 0, &go_on);
    Ok(Timing { read_ms, written, write_ms })
}
