//! How long programs are waited for. Each question to one has its limit, which begins anew with every answer
//! that the program gives: one that works through hundreds of questions is waited for, and one that has
//! stopped in the middle of them costs one limit and no more, whatever else there was to ask.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// As long as a program may say nothing while a question to it is open.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(150);
/// The same where nobody looks: for one that may be busy with what was just done to it, or that is about to be
/// clicked.
pub(super) const LONG: Duration = Duration::from_millis(800);
/// As long as all questions of one look may take.
const LOOK: Duration = Duration::from_millis(1700);
/// As long as reading object by object may take in a look.
const WALK: Duration = Duration::from_millis(1200);
/// The limits where a program is read while nobody looks: of one question, and of all.
const UNHURRIED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(30));
/// Questions that a program may pass over while it answers others.
const PASSED_OVER: usize = 8;
/// What is said of a program that is not read to its end.
pub(super) const SLOW: &str = "answers slowly; a part of what it shows is missing";
/// What is said of one that was read while nobody looked.
pub(super) const OLD: &str = "answers slowly; what is listed of it may be some seconds old";
/// The same of one that answers nothing.
pub(super) const SILENT: &str = "does not answer; what is listed of it may be some seconds old";
/// Later than that after the end of a limit this process was held up itself.
const HELD_UP: Duration = Duration::from_millis(20);

/// What is known of one program in this look.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    patience: Duration,
    answered: Option<Instant>,
    unanswered: usize,
    is_stuck: bool,
    is_slow: bool,
}

/// Those of all programs in this look.
#[derive(Debug)]
struct Look {
    patience: Duration,
    walk: Duration,
    end: Instant,
    pulses: HashMap<String, Pulse>,
}

/// Watches over the questions of a look.
#[derive(Debug)]
pub(super) struct Pulses(Mutex<Look>);

impl Look {
    fn of(&mut self, program: &str) -> &mut Pulse {
        let new = Pulse {
            patience: self.patience,
            answered: None,
            unanswered: 0,
            is_stuck: false,
            is_slow: false,
        };
        self.pulses.entry(program.to_owned()).or_insert(new)
    }

    /// Until when an answer to what was asked at `asked` is waited for; `None` if that is over.
    fn until(&mut self, program: &str, asked: Instant, now: Instant) -> Option<Instant> {
        let end = self.end;
        let pulse = self.of(program);
        let heard = pulse.answered.filter(|at| *at > asked);
        let limit = heard.unwrap_or(asked) + pulse.patience;
        if pulse.is_stuck {
            return None;
        }
        if now < limit.min(end) {
            return Some(limit.min(end));
        }
        if now < limit {
            pulse.is_slow = true;
        } else {
            pulse.unanswered += 1;
            pulse.is_stuck = heard.is_none() || pulse.unanswered > PASSED_OVER;
        }
        None
    }
}

impl Pulses {
    /// A look that is just beginning.
    pub(super) fn new() -> Self {
        Self::lasting(HEARTBEAT, WALK, LOOK)
    }

    /// For one program that is read while nobody looks.
    pub(super) fn unhurried() -> Self {
        let (question, all) = UNHURRIED;
        Self::lasting(question, all, all)
    }

    fn lasting(patience: Duration, walk: Duration, all: Duration) -> Self {
        Self(Mutex::new(Look { patience, walk, end: Instant::now() + all, pulses: HashMap::new() }))
    }

    /// Begins another look, in which no program is stuck yet.
    pub(super) fn begin(&self, patience: Duration) {
        let mut look = self.look();
        (look.patience, look.end) = (patience, Instant::now() + LOOK);
        look.pulses.clear();
    }

    /// Has this patience with one program in this look.
    pub(super) fn have_patience_with(&self, program: &str, patience: Duration) {
        self.look().of(program).patience = patience;
    }

    /// As long as one question may take.
    pub(super) fn patience(&self) -> Duration {
        self.look().patience
    }

    /// As long as reading object by object may take.
    pub(super) fn walk(&self) -> Duration {
        self.look().walk
    }

    /// The answer to a question to `program`; `None` when it is not waited for any longer.
    pub(super) async fn answer<T>(&self, program: &str, question: impl Future<Output = T>) -> Option<T> {
        let mut asked = Instant::now();
        let mut question = pin!(question);
        loop {
            let until = self.look().until(program, asked, Instant::now())?;
            if let Ok(answer) = timeout_at(until, question.as_mut()).await {
                self.look().of(program).answered = Some(Instant::now());
                return Some(answer);
            }
            let now = Instant::now();
            if now.saturating_duration_since(until) > HELD_UP {
                asked = now;
            }
        }
    }

    /// Whether `program` has stopped answering.
    pub(super) fn is_stuck(&self, program: &str) -> bool {
        self.look().of(program).is_stuck
    }

    /// Why something of `program` may be missing.
    pub(super) fn missing(&self, program: &str) -> Option<&'static str> {
        let pulse = *self.look().of(program);
        if pulse.is_stuck {
            return Some("does not answer any more; a part of what it shows is missing");
        }
        let is_slow = pulse.is_slow || pulse.unanswered > 0;
        is_slow.then_some(SLOW)
    }

    /// Whether anything is stuck besides `programs`: a part of one may be a process of its own.
    pub(super) fn others_stuck<'a>(&self, programs: impl Iterator<Item = &'a str>) -> bool {
        let known: Vec<&str> = programs.collect();
        let look = self.look();
        look.pulses.iter().any(|(name, pulse)| pulse.is_stuck && !known.contains(&name.as_str()))
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// A look, and a clock that begins with it.
    fn look() -> (Look, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let at = move |ms: u64| start + Duration::from_millis(ms);
        (Look { patience: HEARTBEAT, walk: WALK, end: start + LOOK, pulses: HashMap::new() }, at)
    }

    #[test]
    fn one_that_goes_on_answering_is_waited_for() {
        let (mut look, at) = look();
        for ms in (0..1500).step_by(100) {
            assert_eq!(look.until(":1", at(0), at(ms)), Some(at(if ms == 0 { 150 } else { ms + 50 })));
            look.of(":1").answered = Some(at(ms));
        }
        assert!(!look.of(":1").is_slow && !look.of(":1").is_stuck);
    }

    #[test]
    fn one_that_stops_costs_one_limit() {
        let (mut look, at) = look();
        look.of(":1").answered = Some(at(5));
        assert_eq!(look.until(":1", at(10), at(10)), Some(at(160)));
        assert_eq!(look.until(":1", at(10), at(160)), None);
        assert!(look.of(":1").is_stuck);
        assert_eq!(look.until(":1", at(160), at(160)), None, "nothing else is asked of it");
        assert_eq!(look.until(":2", at(160), at(160)), Some(at(310)));
        assert_eq!(look.until("org.a11y.atspi.Registry", at(160), at(160)), Some(at(310)));
    }

    #[test]
    fn one_question_that_is_passed_over_is_missing_alone_and_many_are_not() {
        let (mut look, at) = look();
        look.of(":1").answered = Some(at(50));
        for passed in 1..=PASSED_OVER {
            assert_eq!(look.until(":1", at(0), at(200)), None);
            assert_eq!((look.of(":1").unanswered, look.of(":1").is_stuck), (passed, false));
        }
        assert_eq!(look.until(":1", at(0), at(200)), None);
        assert!(look.of(":1").is_stuck);
    }

    #[test]
    fn the_whole_has_an_end() {
        let (mut look, at) = look();
        look.of(":1").answered = Some(at(1650));
        assert_eq!(look.until(":1", at(1600), at(1690)), Some(at(1700)));
        assert_eq!(look.until(":1", at(1600), at(1700)), None);
        assert!(look.of(":1").is_slow && !look.of(":1").is_stuck);
    }

    #[tokio::test]
    async fn what_hangs_is_not_asked_again_before_the_next_look() {
        let pulses = Pulses::new();
        assert!(pulses.answer(":1", pending::<()>()).await.is_none());
        assert!(pulses.is_stuck(":1") && pulses.missing(":1").is_some());
        assert!(pulses.answer(":1", async {}).await.is_none());
        assert!(pulses.answer(":2", async {}).await.is_some() && pulses.missing(":2").is_none());
        assert!(pulses.others_stuck([":2"].into_iter()) && !pulses.others_stuck([":1"].into_iter()));
        pulses.begin(HEARTBEAT);
        assert!(pulses.answer(":1", async {}).await.is_some());
    }
}
