//! Programs that did not answer in the time of a look. Each is read on while nobody looks, with more patience, so
//! that one that is only busy is in one of the next lists, and one that hangs costs no look more than one limit.

use std::collections::HashMap;

use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout_at};

use super::asking;
use super::bus::{Bus, Gtk, Silence};
use super::node::{Address, Tree};
use super::programs::{Met, Program, meet};
use super::pulse::{HEARTBEAT, OLD, SILENT};
use super::reading::Cuts;

/// One that has not answered for so long is not waited for any more.
const HANGS: Duration = Duration::from_secs(2);
/// One that takes so long to tell all is not asked while somebody looks.
const SLOW: Duration = Duration::from_millis(400);
/// As long as what was told late is taken for what there is.
pub(super) const LASTS: Duration = Duration::from_secs(10);

/// What was told while nobody looked.
#[derive(Debug)]
struct Told {
    /// What never changes of it, where it was met for the first time.
    met: Option<Met>,
    tree: Result<(Tree, Cuts), Silence>,
    took: Duration,
}

/// A program that is read later.
#[derive(Debug)]
struct Reading {
    program: Program,
    /// Since when it has not told anything.
    since: Instant,
    task: Option<JoinHandle<Told>>,
    /// What came of it.
    told: Option<(Tree, Cuts)>,
    met: Option<Met>,
    /// Whether it needs more time than a look has to tell all.
    is_slow: bool,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Reading {
    fn is_waited_for(&self) -> bool {
        self.task.is_some() && self.since.elapsed() < HANGS
    }

    /// Reads it, unless that goes on already.
    fn begin(&mut self, bus: &Bus) {
        if self.task.is_none() {
            self.task = Some(tokio::spawn(read(bus.unhurried(), self.program.clone())));
        }
    }

    /// Takes what was told, as soon as all of it is.
    async fn end(&mut self, until: Instant) {
        let Some(task) = &mut self.task else { return };
        let Ok(told) = timeout_at(until, task).await else { return };
        self.task = None;
        let Ok(told) = told else { return };
        self.met = told.met.or(self.met.take());
        if let Ok((tree, cuts)) = told.tree {
            self.is_slow = told.took > SLOW;
            self.since = Instant::now();
            self.told = Some((tree, cuts));
        }
    }
}

/// Those that are read while nobody looks, and what all have told last.
#[derive(Debug, Default)]
pub(super) struct Later {
    open: HashMap<Address, Reading>,
    last: HashMap<Address, (Tree, Cuts, Instant)>,
}

impl Later {
    /// Waits a little for those that were only just asked, and takes what all others have told meanwhile. Gives how
    /// long that took.
    pub(super) async fn wait(&mut self, most: Duration) -> Duration {
        let start = Instant::now();
        for (root, reading) in &mut self.open {
            let until = if reading.is_waited_for() { start + most } else { start };
            reading.end(until).await;
            if let Some((tree, cuts)) = reading.told.take() {
                self.last.insert(root.clone(), (tree, cuts, Instant::now()));
            }
        }
        start.elapsed()
    }

    /// Whether it has not told yet what it was asked when nobody looked.
    pub(super) fn is_open(&self, root: &Address) -> bool {
        self.open.get(root).is_some_and(|reading| reading.task.is_some())
    }

    /// Whether it is not asked in the look that begins.
    pub(super) fn is_left_out(&self, root: &Address) -> bool {
        self.open.get(root).is_some_and(|reading| reading.task.is_some() || reading.is_slow)
    }

    /// Waits for one, unless it hangs, until it has told what there is from now on. Says whether it is read at all.
    pub(super) async fn wait_for(&mut self, root: &Address, bus: &Bus, most: Duration) -> bool {
        let Some(reading) = self.open.get_mut(root) else { return false };
        let until = Instant::now() + most;
        if reading.is_waited_for() {
            reading.end(until).await;
        }
        if reading.is_slow && reading.task.is_none() {
            reading.begin(bus);
            reading.end(until).await;
        }
        reading.is_slow || reading.task.is_some()
    }

    /// The process that it runs in.
    pub(super) fn pid(&self, root: &Address) -> Option<u32> {
        self.open.get(root)?.program.pid
    }

    /// What never changes of one that was met when nobody looked.
    pub(super) fn met(&mut self, root: &Address) -> Option<Met> {
        self.open.get_mut(root)?.met.take()
    }

    /// What it told last, when that is not long ago, and what is said of it then.
    pub(super) fn told(&self, root: &Address) -> Option<(Tree, Cuts, &'static str)> {
        let (tree, cuts, at) = self.last.get(root)?;
        let is_slow = self.open.get(root).is_some_and(|reading| reading.is_slow);
        let gap = if is_slow { OLD } else { SILENT };
        (at.elapsed() < LASTS).then(|| (tree.clone(), *cuts, gap))
    }

    /// What is left of the patience of a look that has waited for so long.
    pub(super) fn patience_with(&self, root: &Address, waited: Duration) -> Duration {
        if self.open.contains_key(root) { HEARTBEAT.saturating_sub(waited) } else { HEARTBEAT }
    }

    /// Reads one that has not answered in time.
    pub(super) fn begin(&mut self, bus: &Bus, program: &Program) {
        let (task, told, met) = (None, None, None);
        let new =
            Reading { program: program.clone(), since: Instant::now(), task, told, met, is_slow: false };
        let reading = self.open.entry(program.root.clone()).or_insert(new);
        reading.program = program.clone();
        reading.begin(bus);
    }

    /// It has answered, and told this.
    pub(super) fn end(&mut self, root: &Address, told: Option<(Tree, Cuts)>) {
        self.open.remove(root);
        match told {
            Some((tree, cuts)) => self.last.insert(root.clone(), (tree, cuts, Instant::now())),
            None => self.last.remove(root),
        };
    }

    /// Only those are still there.
    pub(super) fn retain(&mut self, is_there: impl Fn(&Address) -> bool) {
        self.open.retain(|root, _| is_there(root));
        self.last.retain(|root, _| is_there(root));
    }
}

/// All of one program, which is met first where it has not been yet.
async fn read(mut bus: Bus, mut program: Program) -> Told {
    let start = Instant::now();
    let mut met = None;
    if !program.answers {
        let stranger = meet(&bus, &program.root).await;
        let direct = match &stranger.direct {
            Ok(direct) => direct.clone(),
            Err(silence) => return Told { met, tree: Err(*silence), took: start.elapsed() },
        };
        if let Some(line) = direct {
            bus.talk_directly(&program.root.bus, line);
        }
        if stranger.gtk == Some(Gtk::Three) {
            bus.ask_first(&program.root.bus);
        }
        (program.answers, program.is_gtk4) = (true, stranger.gtk == Some(Gtk::Four));
        program.pid = stranger.pid.or(program.pid);
        met = Some(stranger);
    }
    let tree = if bus.lives(&program.root).await {
        asking::tree(&bus, &program).await
    } else {
        Err(Silence::Late)
    };
    Told { met, tree, took: start.elapsed() }
}
