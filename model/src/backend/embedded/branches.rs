//! A few lines of tokens beside each other: those of questions that are being answered, and those of earlier
//! ones, so that kinds of question that take turns do not make the network forget each other's beginning.

use toktrie::TokenId;

use super::branch::Branch;
use super::decoder::LineId;
use super::network::Network;

/// Branches that are remembered at a time: there are six kinds of question in a run.
const MOST: usize = 6;
/// Tokens that are sooner copied from a branch in use than read again.
const WORTH: usize = 16;

/// The branches of one network.
#[derive(Debug, Default)]
pub(super) struct Branches {
    /// Those in use, by the number of their line.
    open: Vec<Option<Branch>>,
    /// The others, the one used last at the end.
    idle: Vec<Branch>,
}

impl Branches {
    /// Opens a line for `ids`: that branch which has most in common with them, if it has all of their first
    /// `lasting` tokens, else a new one or the one that was not used for longest. It may still hold other
    /// tokens than `ids`.
    pub(super) fn open(&mut self, network: &Network, ids: &[TokenId], lasting: usize) -> LineId {
        let least = lasting.max(1);
        let idle = self.idle.iter().map(|branch| branch.common(ids)).enumerate();
        let best = idle.filter(|(_, common)| *common >= least).max_by_key(|(_, common)| *common);
        let used = self.open.iter().flatten().map(|branch| (branch.common(ids), branch));
        let used = used.max_by_key(|(common, _)| *common);
        let least = best.map_or(0, |(_, common)| common) + WORTH;
        let copied = used.filter(|(common, _)| *common >= least);
        let mut branch = match best {
            Some((at, _)) if copied.is_none() => self.idle.remove(at),
            _ if self.idle.is_empty() || self.idle.len() + self.open.iter().flatten().count() < MOST => {
                Branch::new(network)
            }
            _ => self.idle.remove(0),
        };
        if let Some((common, other)) = copied {
            branch.copy(other, common);
        }
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        match self.open.get_mut(free) {
            Some(slot) => *slot = Some(branch),
            None => self.open.push(Some(branch)),
        }
        LineId(free)
    }

    /// The branch of an open line.
    pub(super) fn get(&mut self, line: LineId) -> Option<&mut Branch> {
        self.open.get_mut(line.0)?.as_mut()
    }

    /// The branches of open lines with their numbers.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (LineId, &mut Branch)> {
        let branches = self.open.iter_mut().enumerate();
        branches.filter_map(|(at, branch)| Some((LineId(at), branch.as_mut()?)))
    }

    /// Closes a line, whose tokens stay remembered.
    pub(super) fn close(&mut self, line: LineId) {
        self.idle.extend(self.open.get_mut(line.0).and_then(Option::take));
    }
}
