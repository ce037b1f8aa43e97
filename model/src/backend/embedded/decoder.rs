//! What turns tokens into logits and remembers them: the network of this crate, or one of candle's for the
//! families that it does not compute itself.

use std::fmt;
use std::ops::ControlFlow;

use candle_core::{Result as Computed, bail};
use toktrie::TokenId;

use super::branch::Branch;
use super::branches::Branches;
use super::network::{Network, Wanted};
use super::prefixes::Prefixes;

/// Tokens read at a time: enough to keep the processor busy, few enough that a stop waits for one layer of
/// them and no longer than some ten milliseconds.
const AT_ONCE: usize = 64;

/// A line of tokens that is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineId(pub(super) usize);

/// Tokens to be read on one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) line: LineId,
    pub(super) ids: &'a [TokenId],
    pub(super) wanted: Wanted,
}

/// Reads tokens on and on, on a few lines beside each other, and gives logits.
pub(super) trait Decoder: fmt::Debug + Send {
    /// Tokens of a line that it can look back on.
    fn context(&self) -> usize;

    /// Tokens that it has logits for.
    fn vocabulary(&self) -> usize;

    /// Lines that can be open at a time.
    fn lines(&self) -> usize;

    /// Tokens that are best read in one pass.
    fn at_once(&self) -> usize;

    /// Opens a line with what `ids` have in common with what is remembered. The first `lasting` of them are
    /// those of a lasting beginning; what is kept of it elsewhere is fetched unless `go_on` says to break off.
    /// Gives the line and the tokens that are on it.
    fn open(
        &mut self,
        ids: &[TokenId],
        lasting: usize,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> (LineId, usize);

    /// Reads on, in one pass, and gives the wanted logits of each, row by row; `None` if `go_on` says to break
    /// off.
    fn read(
        &mut self,
        parts: &[Reading<'_>],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>>;

    /// The logits after each token of each of `ways` to go on with a line, which stays as it was.
    fn foresee(
        &mut self,
        line: LineId,
        ways: &[&[TokenId]],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>>;

    /// Forgets all but the first `len` tokens of a line.
    fn cut(&mut self, line: LineId, len: usize);

    /// Closes a line, and keeps the work on its first `lasting` tokens for later runs, where it can and until
    /// `go_on` says to break off.
    fn close(&mut self, line: LineId, lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>);
}

/// The network of this crate, with all that it remembers.
#[derive(Debug)]
pub(super) struct Own {
    network: Network,
    branches: Branches,
    prefixes: Option<Prefixes>,
    lines: usize,
}

impl Own {
    /// Remembers nothing yet, and will have `lines` lines open at a time.
    pub(super) fn new(network: Network, prefixes: Option<Prefixes>, lines: usize) -> Self {
        Self { network, branches: Branches::default(), prefixes, lines }
    }
}

impl Decoder for Own {
    fn context(&self) -> usize {
        self.network.sizes.context
    }

    fn vocabulary(&self) -> usize {
        self.network.sizes.vocabulary
    }

    fn lines(&self) -> usize {
        self.lines
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    fn open(
        &mut self,
        ids: &[TokenId],
        lasting: usize,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> (LineId, usize) {
        let line = self.branches.open(&self.network, ids, lasting);
        let Some(branch) = self.branches.get(line) else { return (line, 0) };
        if let (Some(prefixes), Some(lasting)) = (&mut self.prefixes, ids.get(..lasting))
            && branch.common(lasting) < lasting.len()
        {
            prefixes.take(lasting, branch, go_on);
        }
        (line, branch.keep(ids))
    }

    fn read(
        &mut self,
        parts: &[Reading<'_>],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let place = |line| parts.iter().position(|part| part.line == line);
        let branches = self.branches.all().filter_map(|(line, branch)| Some((place(line)?, branch)));
        let mut branches: Vec<(usize, &mut Branch)> = branches.collect();
        branches.sort_by_key(|(at, _)| *at);
        let parts = branches.into_iter().zip(parts);
        let mut parts: Vec<_> =
            parts.map(|((_, branch), part)| (branch, part.ids, part.wanted)).collect();
        Branch::read(&self.network, &mut parts, go_on)
    }

    fn foresee(
        &mut self,
        line: LineId,
        ways: &[&[TokenId]],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let Some(branch) = self.branches.get(line) else { bail!("the line is closed") };
        branch.foresee(&self.network, ways, go_on)
    }

    fn cut(&mut self, line: LineId, len: usize) {
        if let Some(branch) = self.branches.get(line) {
            branch.cut(len);
        }
    }

    fn close(&mut self, line: LineId, lasting: usize, go_on: &dyn Fn() -> ControlFlow<()>) {
        if let (Some(prefixes), Some(branch)) = (&mut self.prefixes, self.branches.get(line)) {
            prefixes.keep(branch, lasting, go_on);
        }
        self.branches.close(line);
    }
}
