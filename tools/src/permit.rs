//! The proof that an action was judged. There is no way to act without one: [`Gate::review`] alone
//! makes a [`Permit`], it is good for one action, and only [`Permit::redeem`], which looks at the
//! screen once more, turns it into the [`Redeemed`] that a desktop asks for.
//!
//! [`Gate::review`]: crate::gate::Gate::review
//!
//! A permit cannot be made by hand:
//! ```compile_fail
//! # fn made_up(action: freehand_tools::action::Action) {
//! let permit = freehand_tools::permit::Permit { action };
//! # }
//! ```
//! nor copied:
//! ```compile_fail
//! # fn twice(permit: freehand_tools::permit::Permit) {
//! let again = permit.clone();
//! # }
//! ```
//! nor read from a file:
//! ```compile_fail
//! # fn read(text: &str) {
//! let permit: freehand_tools::permit::Permit = serde_json::from_str(text).unwrap();
//! # }
//! ```
//! nor used a second time:
//! ```compile_fail
//! # async fn reuse(permit: freehand_tools::permit::Permit, desktop: &mut dyn freehand_tools::desktop::Desktop) {
//! # use freehand_tools::geometry::Point;
//! let first = permit.redeem(desktop).await;
//! let second = permit.redeem(desktop).await;
//! # }
//! ```
//! and without one the mouse does not move:
//! ```compile_fail
//! # async fn act(desktop: &mut dyn freehand_tools::desktop::Desktop) {
//! # use freehand_tools::{desktop::PointerInput, action::Button};
//! desktop.pointer(PointerInput::Down(Button::Left)).await;
//! # }
//! ```

use std::sync::atomic::Ordering;

use thiserror::Error;

use crate::action::{Action, ActionKind, Target, TargetElement};
use crate::desktop::{Desktop, DesktopError};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenPoint};
use crate::secret::Secret;
use crate::typed::Used;

/// How far around the target, in screen pixels, the picture must be as it was.
const VICINITY: u32 = 24;
/// The part of that square that may differ: a blinking caret, the edge of a hover effect.
const TOLERANCE: f32 = 0.04;
/// How far around the target a thing reaches that is too small to count in the whole square.
const CORE: u32 = 4;
/// The part of the core that may differ: a caret in the middle of it is a fifth.
const CORE_TOLERANCE: f32 = 0.25;

/// The right to do one action, once, on the screen it was judged on.
#[derive(Debug)]
#[must_use = "a permit that is not redeemed does nothing"]
pub struct Permit {
    action: Action,
    seen: Frame,
    used: Used,
    secret: Option<Secret>,
}

/// A permit that has been looked at again and is being used.
#[derive(Debug)]
pub struct Redeemed {
    action: Action,
    secret: Option<Secret>,
}

/// Why a permit is no longer good.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Void {
    /// Another window is in front of the target.
    #[error("{now} is in front of the target now")]
    OtherWindow {
        /// The window that is there.
        now: String,
    },
    /// The element is not there any more.
    #[error("{was} is not there any more")]
    Gone {
        /// The element that was judged.
        was: String,
    },
    /// It is there, and is something else now.
    #[error("{was} has become {now}")]
    Changed {
        /// The element that was judged.
        was: String,
        /// What stands there now.
        now: String,
    },
    /// The picture around the point is another one.
    #[error("the screen around the target has changed")]
    Pixels,
    /// Another window has the keyboard.
    #[error("the keyboard belongs to {now} now")]
    OtherFocus {
        /// What has the keyboard.
        now: String,
    },
    /// The desktop could not be looked at.
    #[error(transparent)]
    Desktop(#[from] DesktopError),
}

impl Permit {
    /// Only the gate calls this.
    pub(crate) const fn new(action: Action, seen: Frame, used: Used, secret: Option<Secret>) -> Self {
        Self { action, seen, used, secret }
    }

    /// The action that it is good for.
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Looks at the target once more and, when it is what was judged, gives the right to act.
    pub async fn redeem(self, desktop: &mut dyn Desktop) -> Result<Redeemed, Void> {
        self.recheck(desktop).await?;
        self.used.store(true, Ordering::SeqCst);
        Ok(Redeemed { action: self.action, secret: self.secret })
    }

    async fn recheck(&self, desktop: &mut dyn Desktop) -> Result<(), Void> {
        self.recheck_target(desktop).await?;
        self.recheck_end(desktop).await
    }

    async fn recheck_target(&self, desktop: &mut dyn Desktop) -> Result<(), Void> {
        let target = &self.action.target;
        // To bring a window forward is to name one that has no keyboard yet.
        if self.action.kind == ActionKind::FocusWindow {
            return Ok(());
        }
        let Some(window) = &target.window else {
            self.still_nobody(desktop).await?;
            return self.same_pixels(desktop, target.point).await;
        };
        let key = target.element.as_ref().map(|element| &element.key);
        let hit = desktop.element_at(target.point, key).await?;
        let (there, void): (_, fn(String) -> Void) = match target.point {
            Some(_) => (hit.window.as_ref(), |now| Void::OtherWindow { now }),
            None => (hit.keyboard.as_ref(), |now| Void::OtherFocus { now }),
        };
        if there.is_none_or(|there| there.id != window.id) {
            return Err(void(there.map_or_else(|| "no window".into(), |w| format!("`{}`", w.title))));
        }
        match (&target.element, hit.element) {
            // The same element, read afresh: its look may change, what it is may not.
            (Some(was), Some(now)) if was.key == now.key => {
                // Keys go to whatever has the keyboard, and that may be another field by now.
                if target.point.is_none() && !now.states.focused {
                    return Err(Void::OtherFocus { now: "something else".into() });
                }
                if was.role == now.role && was.name == now.name {
                    return Ok(());
                }
                Err(Void::Changed { was: name(target), now: now.describe() })
            }
            (Some(_), _) => Err(Void::Gone { was: name(target) }),
            (None, _) => self.same_pixels(desktop, target.point).await,
        }
    }

    /// Where no window took the action when it was judged, none may take it now.
    async fn still_nobody(&self, desktop: &mut dyn Desktop) -> Result<(), Void> {
        let point = self.action.target.point;
        let by_keys =
            matches!(self.action.kind, ActionKind::TypeText { .. } | ActionKind::PressKeys { .. });
        if point.is_none() && !by_keys {
            return Ok(());
        }
        let hit = desktop.element_at(point, None).await?;
        match (point, hit.window, hit.keyboard) {
            (Some(_), Some(now), _) => Err(Void::OtherWindow { now: format!("`{}`", now.title) }),
            (None, _, Some(now)) => Err(Void::OtherFocus { now: format!("`{}`", now.title) }),
            _ => Ok(()),
        }
    }

    /// A drag is rechecked where it is dropped as well as where it begins.
    async fn recheck_end(&self, desktop: &mut dyn Desktop) -> Result<(), Void> {
        let ActionKind::Drag { path, .. } = &self.action.kind else { return Ok(()) };
        let Some(end) = path.last().copied() else { return Ok(()) };
        if let Some(was) = &self.action.target.destination {
            let hit = desktop.element_at(Some(end), Some(&was.key)).await?;
            let named = was.describe();
            match hit.element {
                Some(now) if now.key == was.key && now.role == was.role && now.name == was.name => {}
                Some(now) if now.key == was.key => {
                    return Err(Void::Changed { was: named, now: now.describe() });
                }
                _ => return Err(Void::Gone { was: named }),
            }
        }
        self.same_pixels(desktop, Some(end)).await
    }

    async fn same_pixels(
        &self,
        desktop: &mut dyn Desktop,
        point: Option<ScreenPoint>,
    ) -> Result<(), Void> {
        let Some(point) = point else { return Ok(()) };
        let around = |radius| self.seen.bounds().intersect(&Rect::around(point, radius));
        let (Some(near), Some(core)) = (around(VICINITY), around(CORE)) else {
            return Err(Void::Pixels);
        };
        let now = desktop.capture(Some(near)).await?;
        let same = now.difference(&self.seen, &near) <= TOLERANCE
            && now.difference(&self.seen, &core) <= CORE_TOLERANCE;
        if same { Ok(()) } else { Err(Void::Pixels) }
    }
}

impl Redeemed {
    /// The action that is being done.
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// The secret that it types, in the place of its name.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// What would be done.
    pub const fn kind(&self) -> &ActionKind {
        &self.action.kind
    }

    /// Where.
    pub const fn target(&self) -> &Target {
        &self.action.target
    }
}

fn name(target: &Target) -> String {
    target.element.as_ref().map_or_else(|| "the target".into(), TargetElement::describe)
}
