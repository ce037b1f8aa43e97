//! The tokens that a network remembers, in their order. A new prompt keeps what it has in common with
//! them, which in a run of an agent is most of it.

use std::ops::ControlFlow;

use candle_core::Result;
use toktrie::TokenId;

use super::cache::Cache;
use super::network::{Network, Wanted};

/// Tokens read at a time: enough to keep the processor busy, few enough that a stop waits for one layer of
/// them and no longer than some ten milliseconds.
const AT_ONCE: usize = 64;

/// One line of tokens with the cache that remembers them.
#[derive(Debug)]
pub(super) struct Branch {
    ids: Vec<TokenId>,
    cache: Cache,
}

impl Branch {
    /// An empty branch of this network.
    pub(super) fn new(network: &Network) -> Self {
        Self { ids: Vec::new(), cache: network.cache() }
    }

    /// Its tokens.
    pub(super) fn ids(&self) -> &[TokenId] {
        &self.ids
    }

    /// Tokens that it begins with as `ids` do.
    pub(super) fn common(&self, ids: &[TokenId]) -> usize {
        self.ids.iter().zip(ids).take_while(|(a, b)| a == b).count()
    }

    /// The work on its first `len` tokens, in the form of [`Branch::take_up`].
    pub(super) fn beginning(&self, len: usize) -> impl Iterator<Item = &[u8]> {
        self.cache.beginning(len)
    }

    /// Becomes `ids`, with the work that `bytes` hold, if they fit.
    pub(super) fn take_up(&mut self, ids: &[TokenId], bytes: &[u8]) -> bool {
        self.ids.clear();
        let fits = self.cache.take_up(ids.len(), bytes);
        if fits {
            self.ids.extend_from_slice(ids);
        }
        fits
    }

    /// Forgets all that is not a beginning of `ids`; gives the tokens that are left.
    pub(super) fn keep(&mut self, ids: &[TokenId]) -> usize {
        let common = self.common(ids);
        self.cut(common);
        common
    }

    /// Forgets all but the first `len` tokens.
    pub(super) fn cut(&mut self, len: usize) {
        self.ids.truncate(len);
    }

    /// Reads on and gives the wanted logits, row by row; `None` if `go_on` says to break off. What was
    /// read until then is remembered.
    pub(super) fn read(
        &mut self,
        network: &Network,
        ids: &[TokenId],
        wanted: Wanted,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<Option<Vec<f32>>> {
        // The ids say what counts: forgetting cuts only them, and a panic may leave the cache longer.
        self.cache.set_len(self.ids.len());
        let mut logits = Vec::new();
        let mut left = ids;
        while !left.is_empty() {
            let (part, rest) = left.split_at(left.len().min(AT_ONCE));
            let wanted =
                if wanted == Wanted::Last && !rest.is_empty() { Wanted::Nothing } else { wanted };
            match network.read_on(&mut self.cache, part, wanted, go_on)? {
                Some(rows) => logits.extend(rows),
                None => return Ok(None),
            }
            self.ids.extend_from_slice(part);
            left = rest;
        }
        Ok(Some(logits))
    }
}
