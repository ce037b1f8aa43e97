//! What turns tokens into logits and remembers them: the network of this crate, or one of candle's for the
//! families that it does not compute itself.

use std::fmt;
use std::ops::ControlFlow;

use candle_core::Result as Computed;
use toktrie::TokenId;

use super::branches::Branches;
use super::network::{Network, Wanted};
use super::prefixes::Prefixes;

/// Reads tokens on and on, and gives logits.
pub(super) trait Decoder: fmt::Debug + Send {
    /// Tokens that it can look back on.
    fn context(&self) -> usize;

    /// Tokens that it has logits for.
    fn vocabulary(&self) -> usize;

    /// Finds what `ids` have in common with what it remembers, and forgets what else is on that line. The
    /// first `lasting` of them are those of a lasting beginning; what is kept of it elsewhere is fetched unless
    /// `go_on` says to break off. Gives the tokens found.
    fn recall(&mut self, ids: &[TokenId], lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>) -> usize;

    /// Reads on and gives the wanted logits, row by row; `None` if `go_on` says to break off.
    fn read(
        &mut self,
        ids: &[TokenId],
        wanted: Wanted,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<f32>>>;

    /// Forgets all but the first `len` tokens.
    fn cut(&mut self, len: usize);

    /// Keeps the work on the first `lasting` tokens for later runs, where it can and until `go_on` says to
    /// break off.
    fn keep(&mut self, lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>);
}

/// The network of this crate, with all that it remembers.
#[derive(Debug)]
pub(super) struct Own {
    network: Network,
    branches: Branches,
    prefixes: Option<Prefixes>,
}

impl Own {
    /// Remembers nothing yet.
    pub(super) fn new(network: Network, prefixes: Option<Prefixes>) -> Self {
        Self { branches: Branches::new(&network), network, prefixes }
    }
}

impl Decoder for Own {
    fn context(&self) -> usize {
        self.network.sizes.context
    }

    fn vocabulary(&self) -> usize {
        self.network.sizes.vocabulary
    }

    fn recall(&mut self, ids: &[TokenId], lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>) -> usize {
        self.branches.choose(&self.network, ids, lasting);
        let branch = &mut self.branches.current;
        if let (Some(prefixes), Some(lasting)) = (&mut self.prefixes, ids.get(..lasting))
            && branch.common(lasting) < lasting.len()
        {
            prefixes.take(lasting, branch, go_on);
        }
        branch.keep(ids)
    }

    fn read(
        &mut self,
        ids: &[TokenId],
        wanted: Wanted,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<f32>>> {
        self.branches.current.read(&self.network, ids, wanted, go_on)
    }

    fn cut(&mut self, len: usize) {
        self.branches.current.cut(len);
    }

    fn keep(&mut self, lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>) {
        if let Some(prefixes) = &mut self.prefixes {
            prefixes.keep(&self.branches.current, lasting, go_on);
        }
    }
}
