//! The tools of the mouse: click, move, drag, scroll.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, Button, EffectClass, Target, TargetElement};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError, KeyboardInput, PointerInput};
use crate::geometry::ScreenPoint;
use crate::key::{Key, Modifier};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Redeemed;
use crate::tool::target::Place;
use crate::tool::{Act, Grounded, Performed, bad};

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
}

const fn one() -> u8 {
    1
}

/// How an input at a target is classed: one to a pixel that nothing is known about is blind.
pub(crate) const fn input_class(target: &Target) -> EffectClass {
    if target.point.is_some() && target.element.is_none() {
        EffectClass::BlindInput
    } else {
        EffectClass::Input
    }
}

/// How a sentence names a target.
pub(crate) fn place_name(target: &Target) -> String {
    let window = target.window.as_ref().map(|w| format!(" in `{}`", w.title)).unwrap_or_default();
    match (&target.element, target.point) {
        (Some(TargetElement { role, name, .. }), _) => format!("{} \"{name}\"{window}", role.word()),
        (None, Some(point)) => format!("the point {point}{window}"),
        (None, None) => format!("what has the keyboard{window}"),
    }
}

/// Holds the modifiers down, does `inner`, and lets them go whatever came of it.
async fn holding<'a>(
    permit: &'a Redeemed,
    desktop: &'a mut dyn Desktop,
    modifiers: &'a [Modifier],
    inputs: &'a [PointerInput],
) -> Result<(), DesktopError> {
    for m in modifiers {
        desktop.keyboard(permit, KeyboardInput::Down(Key::Modifier(*m))).await?;
    }
    let mut result = Ok(());
    for input in inputs {
        result = desktop.pointer(permit, *input).await;
        if result.is_err() {
            break;
        }
    }
    for m in modifiers.iter().rev() {
        desktop.keyboard(permit, KeyboardInput::Up(Key::Modifier(*m))).await?;
    }
    result
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
        let target = input.target.ground(seen)?;
        let verb = match (input.button, input.count) {
            (Button::Left, 1) => "click",
            (Button::Left, 2) => "double-click",
            (Button::Left, _) => "triple-click",
            (Button::Right, _) => "right-click",
            (Button::Middle, _) => "middle-click",
            (Button::Back | Button::Forward, _) => "thumb-click",
        };
        let summary = format!("{verb} {}", place_name(&target));
        let kind =
            ActionKind::Click { button: input.button, count: input.count, modifiers: input.modifiers };
        Ok(Grounded { kind, effects: input_class(&target), target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(point), ActionKind::Click { button, count, modifiers }) =
            (permit.target().point, permit.kind())
        else {
            return Ok(Outcome::failed("nothing to click").into());
        };
        let inputs = [PointerInput::MoveTo(point), PointerInput::Click(*button, *count)];
        holding(permit, desktop, modifiers, &inputs).await?;
        Ok(Outcome::sent().into())
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
        for m in modifiers {
            desktop.keyboard(permit, KeyboardInput::Down(Key::Modifier(*m))).await?;
        }
        let result = drag(permit, desktop, start, path, *button).await;
        for m in modifiers.iter().rev() {
            desktop.keyboard(permit, KeyboardInput::Up(Key::Modifier(*m))).await?;
        }
        result.map(|()| Outcome::sent().into())
    }
}

/// Applications see a drag only when the pointer is seen to travel.
const STRIDES: i32 = 12;
const STRIDE: std::time::Duration = std::time::Duration::from_millis(8);

async fn drag(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    start: ScreenPoint,
    path: &[ScreenPoint],
    button: Button,
) -> Result<(), DesktopError> {
    desktop.pointer(permit, PointerInput::MoveTo(start)).await?;
    desktop.pointer(permit, PointerInput::Down(button)).await?;
    let result = travel(permit, desktop, start, path).await;
    tokio::time::sleep(STRIDE * 4).await;
    desktop.pointer(permit, PointerInput::Up(button)).await?;
    result
}

async fn travel(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    start: ScreenPoint,
    path: &[ScreenPoint],
) -> Result<(), DesktopError> {
    let mut from = start;
    for to in path {
        for i in 1..=STRIDES {
            let part = |a: i32, b: i32| {
                let way = (i64::from(b) - i64::from(a)) * i64::from(i) / i64::from(STRIDES);
                a.saturating_add(i32::try_from(way).unwrap_or(0))
            };
            let at = ScreenPoint::new(part(from.x, to.x), part(from.y, to.y));
            desktop.pointer(permit, PointerInput::MoveTo(at)).await?;
            tokio::time::sleep(STRIDE).await;
        }
        from = *to;
    }
    Ok(())
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
        let kind = ActionKind::Scroll { dx: input.dx, dy: input.dy };
        Ok(Grounded { kind, effects: EffectClass::Input, target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(point), ActionKind::Scroll { dx, dy }) = (permit.target().point, permit.kind()) else {
            return Ok(Outcome::failed("nowhere to scroll").into());
        };
        desktop.pointer(permit, PointerInput::MoveTo(point)).await?;
        desktop.pointer(permit, PointerInput::Scroll(*dx, *dy)).await?;
        Ok(Outcome::sent().into())
    }
}
