//! Where an action went, in words that hold on another day: what the element is called, what it is and
//! what it stands in, or the pixel where nothing is known about it.

use freehand_tools::action::{Action, ActionKind, TargetElement};
use freehand_tools::element::{Element, Window, WindowId};
use freehand_tools::geometry::ScreenPoint;
use freehand_tools::observation::Observation;
use freehand_tools::tool::target::Place;
use serde_json::{Value, json};

use crate::scripted::Absent;
use crate::trajectory::Seen;

/// A click so near to the middle of an element was meant for the element.
const MIDDLE: i32 = 2;

/// One place of an action, to be found again.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Landmark {
    /// The call describes it already.
    AsWritten,
    /// A pixel, over a window of that program.
    Pixel { at: ScreenPoint, app: Option<String> },
    /// An element.
    Element(Known),
}

/// An element as it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    was: TargetElement,
    app: Option<String>,
    /// Which of its twins it was, counted from 0, and how many there were.
    nth: usize,
    twins: usize,
    /// The pixel within it, where that was not its middle.
    point: Option<ScreenPoint>,
}

impl Known {
    fn new(was: &TargetElement, seen: &Seen, point: Option<ScreenPoint>) -> Self {
        let owner = seen.elements.iter().find(|e| e.id == was.id).and_then(|element| element.window);
        let app = app_of(&seen.windows, owner);
        let twins: Vec<&Element> = twins(was, app.as_deref(), &seen.elements, &seen.windows);
        let nth = twins.iter().position(|twin| twin.id == was.id).unwrap_or(0);
        let middle = was.bounds.center();
        let is_off =
            |p: &ScreenPoint| (p.x - middle.x).abs() > MIDDLE || (p.y - middle.y).abs() > MIDDLE;
        Self { was: was.clone(), app, nth, twins: twins.len().max(1), point: point.filter(is_off) }
    }

    /// How a sentence names it.
    pub(super) fn describe(&self) -> String {
        let within =
            self.was.within.as_ref().map(|within| format!(" in \"{within}\"")).unwrap_or_default();
        if self.was.name.is_empty() {
            return format!("the {} without a name{within}", self.was.role.word());
        }
        format!("{} \"{}\"{within}", self.was.role.word(), self.was.name)
    }

    /// The element of today that it is.
    fn find<'s>(&self, seen: &'s Observation) -> Result<&'s Element, Absent> {
        let all = twins(&self.was, self.app.as_deref(), &seen.elements, &seen.windows);
        let close: Vec<&Element> = all.iter().copied().filter(|e| e.within == self.was.within).collect();
        match (close.as_slice(), all.as_slice()) {
            ([], []) => Err(Absent::Yet(format!("{} is not on the screen", self.describe()))),
            // One that had twins is told from them by its place alone, and then all must be there.
            ([one], _) if self.twins == 1 || self.was.within.is_some() => Ok(one),
            ([], [one]) if self.twins == 1 => Ok(one),
            (_, all) if all.len() == self.twins => all
                .get(self.nth)
                .copied()
                .ok_or_else(|| Absent::Yet(format!("{} is not there", self.describe()))),
            (_, all) => Err(Absent::Yet(format!(
                "{} cannot be told from others: there were {} of them, there are {}",
                self.describe(),
                self.twins,
                all.len()
            ))),
        }
    }
}

/// All that could be `was` by role, name and program.
fn twins<'e>(
    was: &TargetElement,
    app: Option<&str>,
    elements: &'e [Element],
    windows: &[Window],
) -> Vec<&'e Element> {
    let same = |e: &&Element| e.role == was.role && e.name.trim() == was.name.trim();
    let owned = |e: &&Element| app.is_none() || app_of(windows, e.window).as_deref() == app;
    elements.iter().filter(same).filter(owned).collect()
}

fn app_of(windows: &[Window], id: Option<WindowId>) -> Option<String> {
    windows.iter().find(|window| Some(window.id) == id).map(|window| window.app.clone())
}

impl Landmark {
    /// The place that `written` names, which was `element` or `point` on the screen then.
    pub(super) fn new(
        written: &Value,
        element: Option<&TargetElement>,
        point: Option<ScreenPoint>,
        app: Option<&str>,
        seen: &Seen,
    ) -> Self {
        let place = Place::try_from(written.clone());
        match (place, element, point) {
            (Ok(Place::Described { .. }), ..) | (_, None, None) => Self::AsWritten,
            (Ok(Place::Point { .. }), Some(element), point) => {
                Self::Element(Known::new(element, seen, point))
            }
            (_, Some(element), _) => Self::Element(Known::new(element, seen, None)),
            (_, None, Some(at)) => Self::Pixel { at, app: app.map(str::to_owned) },
        }
    }

    /// The place in today's words; `written` are those of the call.
    pub(super) fn ground(&self, written: &Value, seen: &Observation) -> Result<Value, Absent> {
        match self {
            Self::AsWritten => Ok(written.clone()),
            Self::Pixel { at, app } => {
                let now = seen.window_at(*at).map(|window| window.app.as_str());
                if app.is_some() && now != app.as_deref() {
                    let was = app.as_deref().unwrap_or_default();
                    let now = now.map_or("nothing".to_owned(), |now| format!("`{now}`"));
                    return Err(Absent::Yet(format!("{now} is at {at}, where `{was}` was")));
                }
                pixel(*at, seen)
            }
            Self::Element(known) => {
                let element = known.find(seen)?;
                let Some(point) = known.point else { return Ok(element.id.0.into()) };
                let from = known.was.bounds;
                let map = freehand_tools::geometry::Mapping::new(from, element.bounds);
                let map =
                    map.ok_or_else(|| Absent::Yet(format!("{} cannot be seen", known.describe())))?;
                pixel(map.forward(point), seen)
            }
        }
    }

    /// The place as it is written for a reader of the plan.
    pub(super) fn written(&self, written: &Value) -> Value {
        match self {
            Self::AsWritten => written.clone(),
            Self::Pixel { at, .. } => json!({ "x": at.x, "y": at.y }),
            Self::Element(known) => {
                let mut place = json!({ "label": known.was.name, "role": known.was.role });
                if let (Some(within), Some(fields)) = (&known.was.within, place.as_object_mut()) {
                    fields.insert("within".into(), within.as_str().into());
                }
                place
            }
        }
    }
}

/// A pixel of the screen in pixels of today's frame.
fn pixel(at: ScreenPoint, seen: &Observation) -> Result<Value, Absent> {
    if !seen.bounds().contains(at) {
        return Err(Absent::Ever(format!("the point {at} is outside the screen {}", seen.bounds())));
    }
    let map = seen.frame.mapping().ok_or_else(|| Absent::Ever("the screen has no pixels".into()))?;
    let on_frame = map.inverse().forward(at);
    Ok(json!({ "x": on_frame.x, "y": on_frame.y }))
}

/// What had the keyboard, for actions that name no place: text that goes elsewhere may do harm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keyboard {
    app: Option<String>,
    element: Option<TargetElement>,
}

impl Keyboard {
    pub(super) fn of(action: &Action) -> Option<Self> {
        let app = action.target.window.as_ref().map(|window| window.app.clone());
        let element = action.target.element.clone();
        if matches!(action.kind, ActionKind::TypeText { .. }) {
            return Some(Self { app, element });
        }
        // Chords go to the window, and programs move the keyboard about in it.
        matches!(action.kind, ActionKind::PressKeys { .. }).then_some(Self { app, element: None })
    }

    /// Whether it is there again.
    pub(super) fn check(&self, seen: &Observation) -> Result<(), Absent> {
        let now = seen.focused_window().map(|window| window.app.as_str());
        if self.app.is_some() && now != self.app.as_deref() {
            return Err(Absent::Yet(format!(
                "the keyboard is in {}, and was in `{}`",
                now.map_or("no window".into(), |app| format!("`{app}`")),
                self.app.as_deref().unwrap_or_default()
            )));
        }
        let focused = seen.focus.and_then(|id| seen.element(id));
        match (&self.element, focused) {
            (Some(was), Some(now)) if was.role != now.role || was.name != now.name => Err(Absent::Yet(
                format!("{} has the keyboard, and \"{}\" had it", now.describe(), was.name),
            )),
            _ => Ok(()),
        }
    }
}
