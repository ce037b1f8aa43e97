//! The programs on the bus. What never changes of one is asked for once, when it is first met: a name
//! on the bus is never given to another program as long as the bus lives.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;

use super::bus::{Bus, Gtk, Silence};
use super::later::Later;
use super::line::Line;
use super::node::Address;
use super::pulse::{HEARTBEAT, LONG};

/// A program on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) root: Address,
    pub(super) pid: Option<u32>,
    /// Whether it has answered when it was met; until then it is met again at each look.
    pub(super) answers: bool,
    /// GTK 4 gives places within the window instead of those on the screen, and says of nothing but
    /// its windows that it shows.
    pub(super) is_gtk4: bool,
}

/// What never changes of a program.
#[derive(Debug)]
pub(super) struct Met {
    /// The line that leads to it directly, where it offers one.
    pub(super) direct: Result<Option<Line>, Silence>,
    pub(super) pid: Option<u32>,
    pub(super) gtk: Option<Gtk>,
}

/// Asks what never changes of a program.
pub(super) async fn meet(bus: &Bus, root: &Address) -> Met {
    let (direct, pid, gtk) = tokio::join!(bus.wake(root), bus.pid(root), bus.gtk(root));
    let is_stuck = bus.pulses().is_stuck(&root.bus);
    Met { direct: if is_stuck { Err(Silence::Late) } else { direct }, pid, gtk }
}

/// Those that were met, with their processes.
#[derive(Debug, Default)]
pub(super) struct Programs {
    /// All that are there, as the registry said last.
    roots: Vec<Address>,
    pids: HashMap<Address, u32>,
    gtk4: HashSet<Address>,
}

impl Programs {
    /// The programs that are there now. Those that are met while nobody looks are not asked.
    pub(super) async fn all(&mut self, bus: &mut Bus, later: &mut Later) -> Vec<Program> {
        // It may have to be started first.
        let patience = if self.roots.is_empty() { LONG } else { HEARTBEAT };
        if let Some(roots) = bus.roots(patience).await {
            self.roots = roots;
        } else {
            // The registry may only be busy.
            if !bus.answers().await {
                self.roots.clear();
            }
            bus.pulses().begin(HEARTBEAT);
        }
        let roots = self.roots.clone();
        self.pids.retain(|root, _| roots.contains(root));
        self.gtk4.retain(|root| roots.contains(root));
        later.retain(|root| roots.contains(root));
        bus.talk_through_the_bus(|name| !roots.iter().any(|root| root.bus == name));
        let mut silent = HashMap::new();
        let mut met = Vec::new();
        let mut strangers = Vec::new();
        for root in roots.iter().filter(|root| !self.pids.contains_key(*root)) {
            if let Some(known) = later.met(root) {
                met.push((root.clone(), known));
            } else if later.is_open(root) {
                silent.insert(root.clone(), later.pid(root));
            } else {
                strangers.push(root.clone());
            }
        }
        let asked = strangers.into_iter().map(|root| async {
            let met = meet(bus, &root).await;
            (root, met)
        });
        met.extend(join_all(asked).await);
        for (root, Met { direct, pid, gtk }) in met {
            match direct {
                Ok(Some(line)) => bus.talk_directly(&root.bus, line),
                Ok(None) => {}
                Err(Silence::Late | Silence::Broken) => {
                    silent.insert(root.clone(), pid);
                    continue;
                }
            }
            if let Some(pid) = pid {
                self.pids.insert(root.clone(), pid);
            }
            match gtk {
                Some(Gtk::Three) => bus.ask_first(&root.bus),
                Some(Gtk::Four) => drop(self.gtk4.insert(root.clone())),
                None => {}
            }
        }
        let program = |root: Address| {
            let answers = !silent.contains_key(&root);
            let pid = self.pids.get(&root).copied().or_else(|| silent.get(&root).copied().flatten());
            let is_gtk4 = self.gtk4.contains(&root);
            Program { root, pid, answers, is_gtk4 }
        };
        roots.into_iter().map(program).collect()
    }

    /// Meets these programs anew at the next look.
    pub(super) fn forget(&mut self, root: &Address) {
        self.pids.remove(root);
    }

    /// The root of the program that runs in that process.
    pub(super) fn of(&self, process: u32) -> Option<&Address> {
        self.pids.iter().find(|(_, pid)| **pid == process).map(|(root, _)| root)
    }
}
