//! How long programs are waited for. Each question to one has its limit, which begins anew with every answer
//! that the program gives: one that works through hundreds of questions is waited for, and one that has
//! stopped in the middle of them costs one limit and no more, whatever else there was to ask.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::node::Address;

/// As long as a program may say nothing while a question to it is open.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(150);
/// The same for one that nothing can be done without, and that may be busy with what was just done to it.
pub(super) const LONG: Duration = Duration::from_millis(800);
/// As long as all questions of one look may take.
const LOOK: Duration = Duration::from_millis(1700);
/// Questions that a program may pass over while it answers others.
const PASSED_OVER: usize = 8;
/// What is said of a program that is not read to its end.
pub(super) const SLOW: &str = "answers slowly; a part of what it shows is missing";
/// Looks after which one that has the keyboard and did not answer is waited for longer again.
const AGAIN: u32 = 3;
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
    end: Instant,
    pulses: HashMap<String, Pulse>,
}

/// Watches over the questions of a look.
#[derive(Debug)]
pub(super) struct Pulses(Mutex<Look>);

impl Look {
    fn of(&mut self, program: &str) -> &mut Pulse {
        // What has a name of its own is the bus or its registry, and no program.
        let patience = if program.starts_with(':') { self.patience } else { LONG };
        let new = Pulse { patience, answered: None, unanswered: 0, is_stuck: false, is_slow: false };
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
        let (patience, end) = (HEARTBEAT, Instant::now() + LOOK);
        Self(Mutex::new(Look { patience, end, pulses: HashMap::new() }))
    }

    /// Begins another look, in which no program is stuck yet.
    pub(super) fn begin(&self, patience: Duration) {
        let mut look = self.look();
        (look.patience, look.end) = (patience, Instant::now() + LOOK);
        look.pulses.clear();
    }

    /// Has more patience with one program in this look.
    pub(super) fn wait_long_for(&self, program: &str) {
        self.look().of(program).patience = LONG;
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

/// When a program that has the keyboard is waited for longer. Most that do not answer are only busy, above all while
/// they start; one that hangs for good is not to cost that at every look.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<Address, u32>);

impl Turns {
    /// Whether it is waited for longer in the look that begins.
    pub(super) fn is_due(&self, root: &Address) -> bool {
        self.0.get(root).is_none_or(|looks| *looks >= AGAIN)
    }

    /// The look is over, and these had the keyboard and did not answer.
    pub(super) fn pass<'a>(&mut self, late: impl Iterator<Item = &'a Address>) {
        let looks = |root: &Address| {
            self.0.get(root).filter(|looks| **looks < AGAIN).map_or(1, |looks| looks + 1)
        };
        self.0 = late.map(|root| (root.clone(), looks(root))).collect();
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
        (Look { patience: HEARTBEAT, end: start + LOOK, pulses: HashMap::new() }, at)
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
        assert_eq!(look.until("org.a11y.atspi.Registry", at(160), at(160)), Some(at(960)));
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

    #[test]
    fn one_that_is_late_gets_longer_at_every_third_look() {
        let root = Address { bus: ":1.5".into(), path: "/root".into() };
        let mut turns = Turns::default();
        let mut look = || {
            let due = turns.is_due(&root);
            turns.pass(std::iter::once(&root));
            due
        };
        assert_eq!([(); 7].map(|()| look()), [true, false, false, true, false, false, true]);
        turns.pass(std::iter::empty());
        assert!(turns.is_due(&root), "it has answered meanwhile");
    }
}
