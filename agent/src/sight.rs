//! One look at the screen with the list that the model reads, and when to look again: pixels, tree and
//! programs do not change at the same moment, and a model that thinks for seconds thinks of the past.

use std::time::{Duration, Instant};

use freehand_model::dialect::list;
use freehand_tools::desktop::{Desktop, DesktopError};
use freehand_tools::element::{Element, ElementId, Role};
use freehand_tools::observation::Observation;

/// The accessibility tree may come in after the pixels; it is read again at most so often.
const TREE_READS: u32 = 4;
const TREE_WAIT: Duration = Duration::from_millis(60);

/// What is on the screen, and how the model reads it.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) seen: Observation,
    pub(crate) list: String,
    /// When it was looked at.
    pub(crate) at: Instant,
}

impl Sight {
    /// Looks; while the list is still the `stale` one, a little later again.
    pub(crate) async fn look(
        desktop: &mut dyn Desktop,
        task: &str,
        stale: Option<&str>,
    ) -> Result<Self, DesktopError> {
        let mut sight = Self::once(desktop, task).await?;
        for _ in 1..TREE_READS {
            if stale != Some(&sight.list) {
                break;
            }
            tokio::time::sleep(TREE_WAIT).await;
            sight = Self::once(desktop, task).await?;
        }
        Ok(sight)
    }

    /// A newer look, where what can be used is not what it was in this one.
    pub(crate) async fn outdated(
        &self,
        desktop: &mut dyn Desktop,
        task: &str,
    ) -> Result<Option<Self>, DesktopError> {
        let frame = desktop.capture(Some(self.seen.bounds())).await?;
        if frame.digest() == self.seen.frame.digest() {
            return Ok(None);
        }
        let newer = Self::once(desktop, task).await?;
        Ok((usable(&newer.seen).ne(usable(&self.seen))).then_some(newer))
    }

    async fn once(desktop: &mut dyn Desktop, task: &str) -> Result<Self, DesktopError> {
        let at = Instant::now();
        let seen = desktop.observe().await?;
        let list = list::screen(&seen, task, list::BUDGET);
        Ok(Self { seen, list, at })
    }
}

/// What can be used, whatever it holds: a clock or a counter is no reason to think again.
fn usable(seen: &Observation) -> impl Iterator<Item = (ElementId, Role, &str)> {
    let used = |element: &&Element| element.role.takes_clicks() && !element.states.disabled;
    seen.elements.iter().filter(used).map(|element| (element.id, element.role, element.name.as_str()))
}
