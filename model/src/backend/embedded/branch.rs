//! The tokens that a network remembers, in their order. A new prompt keeps what it has in common with
//! them, which in a run of an agent is most of it.

use std::ops::ControlFlow;

use candle_core::Result;
use toktrie::TokenId;

use super::cache::Cache;
use super::network::{Network, Part, Wanted};

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

    /// Becomes the first `len` tokens of another branch.
    pub(super) fn copy(&mut self, other: &Self, len: usize) {
        self.ids.clear();
        self.ids.extend(other.ids.iter().take(len));
        self.cache.copy(&other.cache, self.ids.len());
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

    /// Reads on, all of these in one pass, and gives the wanted logits of each, row by row; `None`, and nothing
    /// read, if `go_on` says to break off.
    pub(super) fn read(
        network: &Network,
        parts: &mut [(&mut Self, &[TokenId], Wanted)],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        let mut passed: Vec<Part<'_>> = parts
            .iter_mut()
            .map(|(branch, ids, wanted)| {
                // The ids say what counts: forgetting cuts only them, and a panic may leave the cache longer.
                branch.cache.set_len(branch.ids.len());
                Part { cache: &mut branch.cache, ids, wanted: *wanted }
            })
            .collect();
        let logits = network.read_on(&mut passed, go_on)?;
        if logits.is_some() {
            for (branch, ids, _) in parts.iter_mut() {
                branch.ids.extend_from_slice(ids);
            }
        }
        Ok(logits)
    }

    /// The logits after each token of each of `ways` to go on. Nothing of them is remembered.
    pub(super) fn foresee(
        &mut self,
        network: &Network,
        ways: &[&[TokenId]],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        self.cache.set_len(self.ids.len());
        network.foresee(&mut self.cache, ways, go_on)
    }
}
