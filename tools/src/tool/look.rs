//! The tools that only look: wait and zoom.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::action::{ActionKind, Condition, EffectClass, Target};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError};
use crate::element::Element;
use crate::geometry::{Image, Mapping, Point, Rect, ScreenRect};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Redeemed;
use crate::tool::{Act, Grounded, Performed, bad};

/// Wait a while, or until a text, an element or a window is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitInput {
    /// At most so long, in ms.
    #[serde(default = "five_seconds")]
    #[schemars(range(max = 120_000))]
    pub timeout_ms: u32,
    /// Until this text is on the screen.
    #[serde(default)]
    pub text: Option<String>,
    /// Until an element of this name is there.
    #[serde(default)]
    pub element: Option<String>,
    /// Until a window with this in its title is there.
    #[serde(default)]
    pub window: Option<String>,
    /// Until it is gone instead.
    #[serde(default)]
    pub gone: bool,
}

/// Look closely at a part of the screen, enlarged where it is small, and read all that stands there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoomInput {
    /// Left edge, in pixels of the frame.
    pub x: i32,
    /// Top edge, in pixels of the frame.
    pub y: i32,
    /// Width in pixels.
    #[schemars(range(min = 1))]
    pub width: u32,
    /// Height in pixels.
    #[schemars(range(min = 1))]
    pub height: u32,
}

const fn five_seconds() -> u32 {
    5_000
}

/// Longest wait in ms.
const MAX_WAIT: u32 = 120_000;
const POLL: Duration = Duration::from_millis(100);

impl Condition {
    /// Whether it holds on this screen. Case does not matter.
    pub fn holds(&self, seen: &Observation) -> bool {
        let has = |text: &str, wanted: &str| text.to_lowercase().contains(&wanted.to_lowercase());
        match self {
            Self::Elapsed => false,
            Self::Text(text) => {
                let says = |e: &Element| {
                    has(&e.name, text) || e.value.as_deref().is_some_and(|value| has(value, text))
                };
                seen.elements.iter().any(says) || seen.windows.iter().any(|w| has(&w.title, text))
            }
            Self::Element(name) => {
                seen.elements.iter().any(|e| has(&e.describe(), name) || has(&e.name, name))
            }
            Self::Window(title) => {
                seen.windows.iter().any(|w| has(&w.title, title) || has(&w.app, title))
            }
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Elapsed => "the time is over".into(),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Element(name) => format!("the element \"{name}\""),
            Self::Window(title) => format!("the window \"{title}\""),
        }
    }
}

/// The tool `wait`.
#[derive(Debug, Default)]
pub struct Wait;

#[async_trait]
impl Act for Wait {
    const NAME: &'static str = "wait";
    type Input = WaitInput;

    fn ground(input: WaitInput, _: &Observation) -> Result<Grounded, CallError> {
        if input.timeout_ms > MAX_WAIT {
            return Err(bad(
                Self::NAME,
                format!("`timeout_ms` is {}, at most {MAX_WAIT} go", input.timeout_ms),
            ));
        }
        let until = match (input.text, input.element, input.window) {
            (None, None, None) => Condition::Elapsed,
            (Some(text), None, None) => Condition::Text(text),
            (None, Some(name), None) => Condition::Element(name),
            (None, None, Some(title)) => Condition::Window(title),
            _ => return Err(bad(Self::NAME, "give one of `text`, `element` and `window`")),
        };
        let summary = match (&until, input.gone) {
            (Condition::Elapsed, _) => format!("wait {} ms", input.timeout_ms),
            (until, true) => format!("wait until {} is gone", until.words()),
            (until, false) => format!("wait for {}", until.words()),
        };
        let kind = ActionKind::Wait { until, gone: input.gone, timeout_ms: input.timeout_ms };
        Ok(Grounded { kind, target: Target::default(), effects: EffectClass::Nothing, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::Wait { until, gone, timeout_ms } = permit.kind() else {
            return Ok(Outcome::failed("nothing to wait for").into());
        };
        let limit = Duration::from_millis(u64::from(*timeout_ms));
        if *until == Condition::Elapsed {
            sleep(limit).await;
            return Ok(Outcome::answer(format!("waited {timeout_ms} ms")).into());
        }
        let start = Instant::now();
        loop {
            if until.holds(&desktop.observe().await?) != *gone {
                let state = if *gone { "is gone" } else { "is there" };
                return Ok(Outcome::answer(format!("{} {state}", until.words())).into());
            }
            if start.elapsed() >= limit {
                let state = if *gone { "is still there" } else { "did not come" };
                return Ok(
                    Outcome::failed(format!("{} {state} after {timeout_ms} ms", until.words())).into()
                );
            }
            sleep(POLL).await;
        }
    }
}

/// The tool `zoom`.
#[derive(Debug, Default)]
pub struct Zoom;

#[async_trait]
impl Act for Zoom {
    const NAME: &'static str = "zoom";
    type Input = ZoomInput;

    fn ground(input: ZoomInput, seen: &Observation) -> Result<Grounded, CallError> {
        let asked: Rect<Image> = Rect::new(input.x, input.y, input.width, input.height);
        let frame = Rect::of_size(seen.frame.size());
        let off = || CallError::OffScreen(asked.to_string(), frame.size().to_string());
        let shown = frame.intersect(&asked).ok_or_else(off)?;
        let map = seen.frame.mapping().ok_or_else(off)?;
        let region = region(&map, &shown);
        let summary = format!("look closely at {region}");
        Ok(Grounded {
            kind: ActionKind::Zoom { region },
            target: Target::default(),
            effects: EffectClass::Nothing,
            summary,
        })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::Zoom { region } = permit.kind() else {
            return Ok(Outcome::failed("nothing to look at").into());
        };
        let seen = desktop.observe().await?;
        let lines: Vec<String> = seen
            .elements
            .iter()
            .filter(|element| region.contains(element.bounds.center()))
            .map(|element| match &element.value {
                Some(value) => format!("{} = {value}", element.describe()),
                None => element.describe(),
            })
            .collect();
        let picture = seen.frame.crop(region);
        let text = if lines.is_empty() { "nothing that can be read".into() } else { lines.join("; ") };
        Ok(Performed { outcome: Outcome::answer(text), picture })
    }
}

fn region(map: &Mapping<Image, crate::geometry::Screen>, shown: &Rect<Image>) -> ScreenRect {
    let first = map.forward(shown.origin());
    let last =
        map.forward(Point::new(shown.right().saturating_sub(1), shown.bottom().saturating_sub(1)));
    let length = |a: i32, b: i32| u32::try_from(i64::from(b) - i64::from(a) + 1).unwrap_or(1);
    Rect::new(first.x, first.y, length(first.x, last.x), length(first.y, last.y))
}
