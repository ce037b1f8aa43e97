//! Answers several questions beside each other with one network, on one thread: in each round all that write
//! go on by a token, and one that still reads its prompt by a part of it; of those that choose, one weighs a
//! few of its options. The passes through the network are shared, and several tokens cost little more than
//! one.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use toktrie::TokenId;

use super::answer::Answer;
use super::choice::{Choice, Weighed};
use super::decoder::{LineId, Reading};
use super::engine::{Engine, Event, failed, say};
use super::network::Wanted;
use super::vocabulary::{Rendered, count};
use crate::backend::ModelError;
use crate::prompt::{Completion, Finish, Preference, Prompt, Usage};

/// Tokens that count as few: who has no more to read is never kept waiting.
const FEW: usize = 16;

/// What the thread is to do.
pub(super) enum Job {
    Ask(Box<Question>),
    /// Something with the engine alone, between two rounds.
    Do(Box<dyn FnOnce(&mut Engine) + Send>),
}

/// A question and the ways back to whoever asked it.
pub(super) struct Question {
    pub(super) prompt: Prompt,
    /// The texts to choose among; `None` for an answer in words.
    pub(super) options: Option<Vec<String>>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) reply: Way,
}

/// What comes of a question.
#[derive(Debug)]
pub(super) enum Reply {
    Answer(Completion),
    /// `None` if nobody listened any more.
    Choice(Option<Preference>),
}

/// The way back to whoever asked.
type Way = oneshot::Sender<Result<Reply, ModelError>>;

/// A question that is being answered.
struct Open {
    line: LineId,
    /// Tokens of its beginning that are the same in many runs.
    lasting: usize,
    work: Work,
    events: UnboundedSender<Event>,
    reply: Way,
}

enum Work {
    Answer(Box<Answer>),
    Choice(Choice),
}

/// How a question ends.
enum Ended {
    Answer(Finish),
    Choice(Vec<f64>),
    /// Nobody listens any more.
    Alone,
}

impl Ended {
    /// How a choice ends, if it does.
    fn of(weighed: Weighed) -> Option<Self> {
        match weighed {
            Weighed::Partly => None,
            Weighed::All(shares) => Some(Self::Choice(shares)),
            Weighed::Alone => Some(Self::Alone),
        }
    }
}

/// The questions of one engine.
struct Rounds {
    engine: Engine,
    waiting: VecDeque<Box<Question>>,
    open: Vec<Open>,
    /// Whose turn it is to read.
    turn: usize,
}

/// Does what comes through `jobs`, until nobody can send any more.
pub(super) fn work(engine: Engine, jobs: &Receiver<Job>) {
    let mut rounds = Rounds { engine, waiting: VecDeque::new(), open: Vec::new(), turn: 0 };
    loop {
        let is_idle = rounds.open.is_empty() && rounds.waiting.is_empty();
        let job =
            if is_idle { jobs.recv().map_err(|_| TryRecvError::Disconnected) } else { jobs.try_recv() };
        match job {
            Ok(Job::Ask(question)) => rounds.waiting.push_back(question),
            Ok(Job::Do(job)) => drop(catch_unwind(AssertUnwindSafe(|| job(&mut rounds.engine)))),
            Err(TryRecvError::Disconnected) if is_idle => return,
            Err(_) => rounds.go(),
        }
    }
}

impl Rounds {
    /// A round, which a fault in the computation ends for all that take part.
    fn go(&mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.round())).is_err() {
            for Open { line, .. } in self.open.drain(..) {
                // Without a word on the way back, they know.
                self.engine.decoder.close(line, 0, &|| ControlFlow::Break(()));
            }
        }
    }

    fn round(&mut self) {
        self.admit();
        let gone = |open: &Open| open.events.is_closed();
        while let Some(at) = self.open.iter().position(gone) {
            self.end(at, Ok(Ended::Alone));
        }
        self.read();
        self.weigh();
        self.turn = self.turn.wrapping_add(1);
    }

    /// One pass for all who have something to read.
    fn read(&mut self) {
        let unread: Vec<usize> = self.open.iter().map(|open| open.work.unread().len()).collect();
        let shares = shares(&unread, self.engine.decoder.at_once(), self.turn);
        let parts = self.open.iter().zip(&shares).map(|(open, share)| {
            let unread = open.work.unread();
            let wanted = if *share == unread.len() { Wanted::Last } else { Wanted::Nothing };
            Reading { line: open.line, ids: unread.get(..*share).unwrap_or_default(), wanted }
        });
        let parts: Vec<_> = parts.filter(|part| !part.ids.is_empty()).collect();
        if parts.is_empty() {
            return;
        }
        // It goes on as long as anybody listens, and all are told that it does.
        let go_on = || {
            let heard = self.open.iter().map(|open| say(&open.events, Event::Working));
            match heard.filter(ControlFlow::is_continue).count() {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        match self.engine.decoder.read(&parts, &go_on) {
            Ok(None) => {}
            Ok(Some(logits)) => self.hand_out(&shares, logits),
            Err(error) => {
                let error = failed(error);
                (0..self.open.len()).rev().for_each(|at| self.end(at, Err(error.clone())));
            }
        }
    }

    /// One pass for a choice whose prompt is read, one of them after the other.
    fn weigh(&mut self) {
        let is_read =
            |open: &Open| matches!(&open.work, Work::Choice(choice) if choice.unread.is_empty());
        let ready = (0..).zip(&self.open).filter(|(_, open)| is_read(open));
        let ready: Vec<usize> = ready.map(|(at, _)| at).collect();
        let Some(at) = ready.get(self.turn % ready.len().max(1)).copied() else { return };
        let Some(open) = self.open.get_mut(at) else { return };
        let Open { line, work: Work::Choice(choice), events, .. } = open else { return };
        match choice.weigh(self.engine.decoder.as_mut(), *line, events) {
            Ok(weighed) => {
                if let Some(ended) = Ended::of(weighed) {
                    self.end(at, Ok(ended));
                }
            }
            Err(error) => self.end(at, Err(error)),
        }
    }

    /// Opens lines for those who wait, as many as there are.
    fn admit(&mut self) {
        self.waiting.retain(|question| say(&question.events, Event::Working).is_continue());
        while self.open.len() < self.engine.decoder.lines() {
            let Some(question) = self.waiting.pop_front() else { return };
            if let Err((reply, error)) = self.begin(*question) {
                let _ = reply.send(Err(error));
            }
        }
    }

    fn begin(&mut self, question: Question) -> Result<(), (Way, ModelError)> {
        let Question { mut prompt, options, events, reply } = question;
        let started = Instant::now();
        if options.is_some() {
            // What it would think first is not known, so it is asked without.
            prompt.thinking = 0;
        }
        let engine = &self.engine;
        let prepared = engine.vocabulary.render(&prompt, engine.context()).and_then(|rendered| {
            let work = match options {
                Some(options) => Work::Choice(Choice::new(engine, &rendered, &options, started)?),
                None => Work::Answer(Box::new(Answer::new(engine, prompt, &rendered, started)?)),
            };
            Ok((rendered, work))
        });
        let (Rendered { ids, lasting, .. }, mut work) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Err((reply, error)),
        };
        // All but the last token, whose logits are needed.
        let (_, beginning) = ids.split_last().unwrap_or((&0, &[]));
        let go_on = || say(&events, Event::Working);
        let (line, reused) = self.engine.decoder.open(beginning, lasting, &go_on);
        work.skip(reused);
        work.usage().reused = count(reused);
        self.open.push(Open { line, lasting, work, events, reply });
        let at = self.open.len() - 1;
        match self.force(at) {
            Ok(None) => {}
            Ok(Some(finish)) => self.end(at, Ok(Ended::Answer(finish))),
            Err(error) => self.end(at, Err(error)),
        }
        Ok(())
    }

    /// Takes what an answer begins with by its rules.
    fn force(&mut self, at: usize) -> Result<Option<Finish>, ModelError> {
        match self.open.get_mut(at) {
            Some(Open { work: Work::Answer(answer), events, .. }) => {
                answer.force(&self.engine.vocabulary, events)
            }
            _ => Ok(None),
        }
    }

    /// Gives each the logits after its share, and ends those that are done.
    fn hand_out(&mut self, shares: &[usize], logits: Vec<Vec<f32>>) {
        let served = shares.iter().enumerate().filter(|(_, share)| **share > 0);
        let served: Vec<_> = served.zip(logits).collect();
        // From the end, so that who ends moves nobody who is still to come.
        for ((at, share), logits) in served.into_iter().rev() {
            let Some(open) = self.open.get_mut(at) else { continue };
            open.work.skip(*share);
            if !open.work.unread().is_empty() {
                continue;
            }
            match self.take(at, logits) {
                Ok(None) => {}
                Ok(Some(ended)) => self.end(at, Ok(ended)),
                Err(error) => self.end(at, Err(error)),
            }
        }
    }

    fn take(&mut self, at: usize, logits: Vec<f32>) -> Result<Option<Ended>, ModelError> {
        self.engine.check(&logits)?;
        let Some(Open { work, events, .. }) = self.open.get_mut(at) else { return Ok(None) };
        match work {
            Work::Answer(answer) => {
                let finish = answer.take(&self.engine.vocabulary, logits, events)?;
                Ok(finish.map(Ended::Answer))
            }
            Work::Choice(choice) => Ok(Ended::of(choice.begin(&logits))),
        }
    }

    /// Closes the line of a question and sends what came of it.
    fn end(&mut self, at: usize, ended: Result<Ended, ModelError>) {
        if at >= self.open.len() {
            return;
        }
        let Open { line, lasting, work, events, reply } = self.open.remove(at);
        let lasting = if ended.is_ok() { lasting } else { 0 };
        self.engine.decoder.close(line, lasting, &|| say(&events, Event::Working));
        let came = ended.map(|ended| match (ended, work) {
            (Ended::Choice(shares), Work::Choice(choice)) => Reply::Choice(Some(choice.finish(shares))),
            (_, Work::Choice(_)) => Reply::Choice(None),
            (Ended::Answer(finish), Work::Answer(answer)) => {
                Reply::Answer(answer.finish(finish, &events))
            }
            (Ended::Alone | Ended::Choice(_), Work::Answer(answer)) => {
                Reply::Answer(answer.finish(Finish::Cancelled, &events))
            }
        });
        let _ = reply.send(came);
    }
}

impl Work {
    fn unread(&self) -> &[TokenId] {
        match self {
            Self::Answer(answer) => &answer.unread,
            Self::Choice(choice) => &choice.unread,
        }
    }

    fn usage(&mut self) -> &mut Usage {
        match self {
            Self::Answer(answer) => &mut answer.usage,
            Self::Choice(choice) => &mut choice.usage,
        }
    }

    /// Leaves out the next `count` tokens, which are on the line.
    fn skip(&mut self, count: usize) {
        let unread = match self {
            Self::Answer(answer) => &mut answer.unread,
            Self::Choice(choice) => &mut choice.unread,
        };
        unread.drain(..count.min(unread.len()));
    }
}

/// How many of its unread tokens each may have read in a round of `most`: who has few all of them, and of the
/// others the one whose turn it is as many as there is still room for, then the next.
fn shares(unread: &[usize], most: usize, turn: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = unread.iter().map(|n| if *n <= FEW { *n } else { 0 }).collect();
    let mut room = most.saturating_sub(shares.iter().sum()).max(FEW);
    let long: Vec<usize> = (0..unread.len()).filter(|at| unread.get(*at) > Some(&FEW)).collect();
    let first = if long.is_empty() { 0 } else { turn % long.len() };
    for at in long.iter().cycle().skip(first).take(long.len()) {
        if let (Some(share), Some(unread)) = (shares.get_mut(*at), unread.get(*at)) {
            *share = room.min(*unread);
            room -= *share;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_are_never_kept_waiting_and_readers_take_turns() {
        let cases: [(&[usize], usize, &[usize]); 8] = [
            (&[], 0, &[]),
            (&[1], 5, &[1]),
            (&[500], 3, &[64]),
            (&[1, 500, 1], 0, &[1, 62, 1]),
            (&[500, 400], 0, &[64, 0]),
            (&[500, 400], 1, &[0, 64]),
            (&[500, 30, 1], 1, &[33, 30, 1]),
            (&[16, 16, 16, 500], 0, &[16, 16, 16, 16]),
        ];
        for (unread, turn, right) in cases {
            assert_eq!(shares(unread, 64, turn), right, "{unread:?} at turn {turn}");
        }
        assert_eq!(shares(&[9000], usize::MAX, 7), [9000]);
    }
}
