//! The programs on the bus. What never changes of one is asked for once, when it is first met: a name
//! on the bus is never given to another program as long as the bus lives.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;

use super::bus::{Bus, Silence};
use super::node::Address;

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

/// Those that were met, with their processes.
#[derive(Debug, Default)]
pub(super) struct Programs {
    pids: HashMap<Address, u32>,
    gtk4: HashSet<Address>,
}

impl Programs {
    /// The programs that are there now.
    pub(super) async fn all(&mut self, bus: &mut Bus) -> Vec<Program> {
        let roots = bus.roots().await;
        self.pids.retain(|root, _| roots.contains(root));
        self.gtk4.retain(|root| roots.contains(root));
        bus.talk_through_the_bus(|name| !roots.iter().any(|root| root.bus == name));
        let met = {
            let bus = &*bus;
            let strangers = roots.iter().filter(|root| !self.pids.contains_key(*root));
            let meet = |root| async move {
                let (direct, pid, is_gtk4) =
                    tokio::join!(bus.wake(root), bus.pid(root), bus.is_gtk4(root));
                let is_stuck = bus.pulses().is_stuck(&root.bus);
                (root, if is_stuck { Err(Silence::Late) } else { direct }, pid, is_gtk4)
            };
            join_all(strangers.map(meet)).await
        };
        let mut silent = HashMap::new();
        for (root, direct, pid, is_gtk4) in met {
            match direct {
                Ok(Some(connection)) => bus.talk_directly(&root.bus, connection),
                Ok(None) => {}
                Err(Silence::Late | Silence::Broken) => {
                    silent.insert(root.clone(), pid);
                    continue;
                }
            }
            if let Some(pid) = pid {
                self.pids.insert(root.clone(), pid);
            }
            if is_gtk4 {
                self.gtk4.insert(root.clone());
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
}
