//! The tools of the mouse: click, move, drag, scroll.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, Button, EffectClass, Target};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError, KeyboardInput, PointerInput};
use crate::geometry::ScreenPoint;
use crate::key::{Key, Modifier};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Redeemed;
use crate::quote::ticked;
use crate::tool::target::Place;
use crate::tool::{Act, Grounded, MAX_HOLD, Performed, bad};

/// Click something.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClickInput {
    /// What to click.
    pub target: Place,
    /// Which button.
    #[serde(default)]
    pub button: Button,
    /// 2 for a double click, 3 for a triple click.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 3))]
    pub count: u8,
    /// Keys held meanwhile.
    #[serde(default)]
    pub modifiers: Vec<Modifier>,
    /// How long the button of a single click is held, in ms.
    #[serde(default)]
    #[schemars(range(max = 10_000))]
    pub hold_ms: u32,
}

/// Put the pointer on something without clicking, for example to open a menu that opens by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveInput {
    /// Where to.
    pub target: Place,
}

/// Drag something: press the button on `target`, move through `path`, release at its end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DragInput {
    /// What to drag.
    pub target: Place,
    /// Where to, one place or several.
    #[schemars(length(min = 1, max = 64))]
    pub path: Vec<Place>,
    /// Which button.
    #[serde(default)]
    pub button: Button,
    /// Keys held meanwhile.
    #[serde(default)]
    pub modifiers: Vec<Modifier>,
}

/// Turn the wheel over something, in notches: `dy` 3 goes down, -3 up, `dx` to the right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrollInput {
    /// Over what; without it, under the pointer or in the middle of the active window.
    #[serde(default)]
    pub target: Option<Place>,
    /// Notches to the right.
    #[serde(default)]
    #[schemars(range(min = -100, max = 100))]
    pub dx: i32,
    /// Notches down.
    #[serde(default)]
    #[schemars(range(min = -100, max = 100))]
    pub dy: i32,
    /// Keys held meanwhile.
    #[serde(default)]
    pub modifiers: Vec<Modifier>,
}

const fn one() -> u8 {
    1
}

/// How an input at a target is classed: one to a pixel that nothing is known about is blind.
pub(crate) fn input_class(target: &Target) -> EffectClass {
    if target.is_known() { EffectClass::Input } else { EffectClass::BlindInput }
}

/// How a sentence names a target.
pub(crate) fn place_name(target: &Target) -> String {
    let window = target.window.as_ref().map(|w| format!(" in {}", ticked(&w.title))).unwrap_or_default();
    match (&target.element, target.point) {
        (Some(element), _) => format!("{}{window}", element.describe()),
        (None, Some(point)) => format!("the point {point}{window}"),
        (None, None) => format!("what has the keyboard{window}"),
    }
}

/// One part of what the mouse does for a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Input(PointerInput),
    Pause(Duration),
}

/// Does the parts with the modifiers held. Whatever goes wrong, what was pressed is let go.
async fn gesture(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    modifiers: &[Modifier],
    parts: &[Part],
) -> Result<Performed, DesktopError> {
    let mut result = Ok(());
    for m in modifiers {
        if result.is_ok() {
            result = desktop.keyboard(permit, KeyboardInput::Down(Key::Modifier(*m))).await;
        }
    }
    for part in parts {
        let lets_go = matches!(part, Part::Input(PointerInput::Up(_)));
        if result.is_err() && !lets_go {
            continue;
        }
        let done = match part {
            Part::Input(input) => desktop.pointer(permit, *input).await,
            Part::Pause(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
        };
        result = result.and(done);
    }
    for m in modifiers.iter().rev() {
        let up = desktop.keyboard(permit, KeyboardInput::Up(Key::Modifier(*m))).await;
        result = result.and(up);
    }
    result.map(|()| Outcome::sent().into())
}

/// The tool `click`.
#[derive(Debug, Default)]
pub struct Click;

#[async_trait]
impl Act for Click {
    const NAME: &'static str = "click";
    type Input = ClickInput;

    fn ground(input: ClickInput, seen: &Observation) -> Result<Grounded, CallError> {
        if !(1..=3).contains(&input.count) {
            return Err(bad(Self::NAME, format!("`count` is {}, expected 1 to 3", input.count)));
        }
        if input.hold_ms > MAX_HOLD || (input.hold_ms > 0 && input.count > 1) {
            let reason = format!("`hold_ms` goes up to {MAX_HOLD}, and only with a `count` of 1");
            return Err(bad(Self::NAME, reason));
        }
        let target = input.target.ground(seen)?;
        let verb = match (input.button, input.count) {
            (Button::Left, 1) => "click",
            (Button::Left, 2) => "double-click",
            (Button::Left, _) => "triple-click",
            (Button::Right, _) => "right-click",
            (Button::Middle, _) => "middle-click",
            (Button::Back | Button::Forward, _) => "thumb-click",
        };
        let held =
            if input.hold_ms == 0 { String::new() } else { format!(", held for {} ms", input.hold_ms) };
        let summary = format!("{verb} {}{held}", place_name(&target));
        let ClickInput { button, count, modifiers, hold_ms, .. } = input;
        let kind = ActionKind::Click { button, count, modifiers, hold_ms };
        Ok(Grounded { kind, effects: input_class(&target), target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(point), ActionKind::Click { button, count, modifiers, hold_ms }) =
            (permit.target().point, permit.kind())
        else {
            return Ok(Outcome::failed("nothing to click").into());
        };
        let mut parts = vec![Part::Input(PointerInput::MoveTo(point))];
        if *hold_ms == 0 {
            parts.push(Part::Input(PointerInput::Click(*button, *count)));
        } else {
            parts.push(Part::Input(PointerInput::Down(*button)));
            parts.push(Part::Pause(Duration::from_millis((*hold_ms).into())));
            parts.push(Part::Input(PointerInput::Up(*button)));
        }
        gesture(permit, desktop, modifiers, &parts).await
    }
}

/// The tool `move`.
#[derive(Debug, Default)]
pub struct Move;

#[async_trait]
impl Act for Move {
    const NAME: &'static str = "move";
    type Input = MoveInput;

    fn ground(input: MoveInput, seen: &Observation) -> Result<Grounded, CallError> {
        let target = input.target.ground(seen)?;
        let summary = format!("move the pointer to {}", place_name(&target));
        Ok(Grounded { kind: ActionKind::Move, effects: input_class(&target), target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        if let Some(point) = permit.target().point {
            desktop.pointer(permit, PointerInput::MoveTo(point)).await?;
        }
        Ok(Outcome::sent().into())
    }
}

/// The tool `drag`.
#[derive(Debug, Default)]
pub struct Drag;

#[async_trait]
impl Act for Drag {
    const NAME: &'static str = "drag";
    type Input = DragInput;

    fn ground(input: DragInput, seen: &Observation) -> Result<Grounded, CallError> {
        if input.path.is_empty() || input.path.len() > 64 {
            return Err(bad(Self::NAME, "`path` needs 1 to 64 places"));
        }
        let mut target = input.target.ground(seen)?;
        let stops = input.path.iter().map(|p| p.ground(seen)).collect::<Result<Vec<Target>, _>>()?;
        let path: Vec<ScreenPoint> = stops.iter().filter_map(|stop| stop.point).collect();
        let last = stops.last().map(place_name).unwrap_or_default();
        let summary = format!("drag {} to {last}", place_name(&target));
        target.destination = stops.into_iter().next_back().and_then(|stop| stop.element);
        let kind = ActionKind::Drag { path, button: input.button, modifiers: input.modifiers };
        Ok(Grounded { kind, effects: input_class(&target), target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(start), ActionKind::Drag { path, button, modifiers }) =
            (permit.target().point, permit.kind())
        else {
            return Ok(Outcome::failed("nothing to drag").into());
        };
        gesture(permit, desktop, modifiers, &drag(start, path, *button)).await
    }
}

/// Applications see a drag only when the pointer is seen to travel.
const STRIDES: i32 = 12;
const STRIDE: Duration = Duration::from_millis(8);

fn drag(start: ScreenPoint, path: &[ScreenPoint], button: Button) -> Vec<Part> {
    let mut parts =
        vec![Part::Input(PointerInput::MoveTo(start)), Part::Input(PointerInput::Down(button))];
    let mut from = start;
    for to in path {
        for i in 1..=STRIDES {
            let part = |a: i32, b: i32| {
                let way = (i64::from(b) - i64::from(a)) * i64::from(i) / i64::from(STRIDES);
                a.saturating_add(i32::try_from(way).unwrap_or(0))
            };
            let at = ScreenPoint::new(part(from.x, to.x), part(from.y, to.y));
            parts.extend([Part::Input(PointerInput::MoveTo(at)), Part::Pause(STRIDE)]);
        }
        from = *to;
    }
    parts.extend([Part::Pause(STRIDE * 4), Part::Input(PointerInput::Up(button))]);
    parts
}

/// Where the wheel is turned when nobody says where: under the pointer, unless the pointer is
/// outside the window that has the keyboard.
fn resting_place(seen: &Observation) -> ScreenPoint {
    match seen.focused_window() {
        Some(window) if !window.bounds.contains(seen.cursor) => window.bounds.center(),
        _ => seen.cursor,
    }
}

/// The tool `scroll`.
#[derive(Debug, Default)]
pub struct Scroll;

#[async_trait]
impl Act for Scroll {
    const NAME: &'static str = "scroll";
    type Input = ScrollInput;

    fn ground(input: ScrollInput, seen: &Observation) -> Result<Grounded, CallError> {
        if (input.dx, input.dy) == (0, 0) || input.dx.abs() > 100 || input.dy.abs() > 100 {
            return Err(bad(Self::NAME, "`dx` and `dy` are notches from -100 to 100, not both 0"));
        }
        let target = match input.target {
            Some(place) => place.ground(seen)?,
            None => Target::at(resting_place(seen), seen),
        };
        let way = match (input.dx, input.dy) {
            (_, dy) if dy > 0 => "down",
            (_, dy) if dy < 0 => "up",
            (dx, _) if dx > 0 => "right",
            _ => "left",
        };
        let summary = format!("scroll {way} over {}", place_name(&target));
        let kind = ActionKind::Scroll { dx: input.dx, dy: input.dy, modifiers: input.modifiers };
        Ok(Grounded { kind, effects: EffectClass::Input, target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(point), ActionKind::Scroll { dx, dy, modifiers }) =
            (permit.target().point, permit.kind())
        else {
            return Ok(Outcome::failed("nowhere to scroll").into());
        };
        let parts = [PointerInput::MoveTo(point), PointerInput::Scroll(*dx, *dy)].map(Part::Input);
        gesture(permit, desktop, modifiers, &parts).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drag_goes_through_every_place_and_ends_with_the_release() {
        let stops = [ScreenPoint::new(100, 0), ScreenPoint::new(100, 7)];
        let parts = drag(ScreenPoint::new(0, 0), &stops, Button::Left);
        assert_eq!(parts.get(1), Some(&Part::Input(PointerInput::Down(Button::Left))));
        assert_eq!(parts.last(), Some(&Part::Input(PointerInput::Up(Button::Left))));
        for stop in stops {
            assert!(parts.contains(&Part::Input(PointerInput::MoveTo(stop))), "{stop}");
        }
    }
}
