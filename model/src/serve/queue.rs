//! Who is answered next. There is one engine, which answers a few at a time, so questions wait in lines, one for
//! each client, and the lines take turns: who asks a lot waits for those who ask little, not the other way round. Lines are
//! bounded; who comes when they are full is told when to come again.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use super::fault::Fault;
use super::request::Question;
use super::work::Event;

/// The longest time, in s, after which one who found no room is asked to come again.
const LONGEST_WAIT: u64 = 60;
/// What an answer takes before any has been given.
const FIRST_GUESS: Duration = Duration::from_secs(4);

/// A question that waits, and the way back to whoever asked it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) question: Question,
    /// Closed once the client has gone.
    pub(super) reply: UnboundedSender<Event>,
    pub(super) since: Instant,
}

/// The lines.
#[derive(Debug)]
pub(super) struct Queue {
    lines: Mutex<Lines>,
    arrived: Notify,
    most: usize,
    /// As many as one client may have in it.
    most_each: usize,
    /// Questions that are answered beside each other.
    parallel: u32,
}

#[derive(Debug)]
struct Lines {
    /// The next client first.
    clients: VecDeque<(String, VecDeque<Job>)>,
    closed: bool,
    /// What an answer takes, of late.
    usual: Duration,
}

impl Queue {
    /// Lines with room for `most` questions together and `most_each` of one client, of which `parallel` are
    /// answered beside each other.
    pub(super) fn new(most: usize, most_each: usize, parallel: usize) -> Self {
        let lines = Lines { clients: VecDeque::new(), closed: false, usual: FIRST_GUESS };
        let parallel = u32::try_from(parallel).unwrap_or(u32::MAX).max(1);
        Self { lines: Mutex::new(lines), arrived: Notify::new(), most, most_each, parallel }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a question at the end of its client's line.
    pub(super) fn push(&self, client: &str, job: Job) -> Result<(), Fault> {
        let mut lines = self.lines();
        if lines.closed {
            return Err(Fault::stopping());
        }
        lines.forget_the_gone();
        let own = lines.clients.iter().find(|(name, _)| name == client);
        let own = own.map_or(0, |(_, jobs)| jobs.len());
        if lines.waiting() >= self.most || own >= self.most_each {
            let ahead = u32::try_from(lines.waiting()).unwrap_or(u32::MAX);
            let wait = lines.usual.saturating_mul(ahead.div_ceil(self.parallel)).as_secs();
            return Err(Fault::busy(wait.clamp(1, LONGEST_WAIT)));
        }
        match lines.clients.iter_mut().find(|(name, _)| name == client) {
            Some((_, jobs)) => jobs.push_back(job),
            None => lines.clients.push_back((client.to_owned(), VecDeque::from([job]))),
        }
        drop(lines);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next question of one who is still there; `None` once the queue is closed.
    pub(super) async fn next(&self) -> Option<Job> {
        loop {
            // Listens before it looks, so that of several who look none misses its call.
            let mut arrived = pin!(self.arrived.notified());
            arrived.as_mut().enable();
            {
                let mut lines = self.lines();
                if lines.closed {
                    return None;
                }
                if let Some(job) = lines.take() {
                    return Some(job);
                }
            }
            arrived.await;
        }
    }

    /// Takes note of how long an answer took.
    pub(super) fn took(&self, time: Duration) {
        let mut lines = self.lines();
        lines.usual = (lines.usual * 7 + time) / 8;
    }

    /// Questions that wait.
    pub(super) fn waiting(&self) -> usize {
        let mut lines = self.lines();
        lines.forget_the_gone();
        lines.waiting()
    }

    /// Takes no more questions, and tells those who wait.
    pub(super) fn close(&self) {
        let mut lines = self.lines();
        lines.closed = true;
        for job in lines.clients.drain(..).flat_map(|(_, jobs)| jobs) {
            let _ = job.reply.send(Event::Failed(Fault::stopping()));
        }
        drop(lines);
        self.arrived.notify_waiters();
    }
}

impl Lines {
    fn waiting(&self) -> usize {
        self.clients.iter().map(|(_, jobs)| jobs.len()).sum()
    }

    fn forget_the_gone(&mut self) {
        for (_, jobs) in &mut self.clients {
            jobs.retain(|job| !job.reply.is_closed());
        }
        self.clients.retain(|(_, jobs)| !jobs.is_empty());
    }

    /// Takes the first question of the first line, which then goes to the end.
    fn take(&mut self) -> Option<Job> {
        self.forget_the_gone();
        let (client, mut jobs) = self.clients.pop_front()?;
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.clients.push_back((client, jobs));
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::super::request;
    use super::*;

    fn job(text: &str) -> (Job, UnboundedReceiver<Event>) {
        let body = serde_json::json!({ "prompt": text }).to_string();
        let question = request::plain(body.as_bytes(), "m").unwrap();
        let (reply, events) = unbounded_channel();
        (Job { question, reply, since: Instant::now() }, events)
    }

    fn said(job: &Job) -> &str {
        &job.question.prompt.turns[0].text
    }

    #[tokio::test]
    async fn clients_take_turns() {
        let queue = Queue::new(10, 4, 1);
        let mut kept = Vec::new();
        for (client, text) in
            [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]
        {
            let (job, events) = job(text);
            queue.push(client, job).unwrap();
            kept.push(events);
        }
        assert_eq!(queue.waiting(), 6);
        let mut order = Vec::new();
        for _ in 0..6 {
            order.push(said(&queue.next().await.unwrap()).to_owned());
        }
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[tokio::test]
    async fn each_of_several_gets_its_own_and_all_are_told_of_the_end() {
        let queue = std::sync::Arc::new(Queue::new(9, 9, 3));
        let next = || {
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.next().await.map(|job| said(&job).to_owned()) }
            })
        };
        let workers = [next(), next(), next(), next()];
        tokio::task::yield_now().await;
        let mut kept = Vec::new();
        for text in ["one", "two"] {
            let (job, events) = job(text);
            queue.push("a", job).unwrap();
            kept.push(events);
        }
        tokio::task::yield_now().await;
        queue.close();
        let mut got = Vec::new();
        for worker in workers {
            got.push(worker.await.unwrap());
        }
        got.sort();
        assert_eq!(got, [None, None, Some("one".into()), Some("two".into())]);
    }

    #[tokio::test]
    async fn is_bounded_and_forgets_the_gone() {
        let queue = Queue::new(3, 2, 1);
        let mut kept = Vec::new();
        for (client, fits) in [("a", true), ("a", true), ("a", false), ("b", true), ("c", false)] {
            let (job, events) = job(client);
            let pushed = queue.push(client, job);
            assert_eq!(pushed.is_ok(), fits, "{client}");
            if let Err(fault) = pushed {
                assert_eq!(fault.status.as_u16(), 429);
            }
            kept.push(events);
        }
        kept.drain(..2);
        assert_eq!(queue.waiting(), 1);
        assert_eq!(said(&queue.next().await.unwrap()), "b");
    }

    #[tokio::test]
    async fn closing_tells_all_who_wait() {
        let queue = Queue::new(3, 2, 1);
        let (first, mut events) = job("a");
        queue.push("a", first).unwrap();
        queue.close();
        assert!(matches!(events.recv().await, Some(Event::Failed(fault)) if fault == Fault::stopping()));
        assert!(queue.next().await.is_none());
        let (late, _events) = job("b");
        assert_eq!(queue.push("b", late), Err(Fault::stopping()));
    }
}
