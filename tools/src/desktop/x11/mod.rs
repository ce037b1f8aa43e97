//! The real desktop, on X11. Frames come through shared memory, windows from the root's children,
//! elements from the accessibility bus; the mouse and chords go through enigo, and text through our
//! own path, because enigo's rebinds a key for every capital, which lets later input overtake it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::desktop::accessibility::Seen;
use crate::desktop::area::Area;
use crate::desktop::counter::Counter;
use crate::desktop::curtain::{Curtain, Hidden};
use crate::desktop::names::{Look, Names};
use crate::desktop::ocr::{self, Ocr};
use crate::desktop::veil::{Own, Veil};
use crate::desktop::vision::{Scene, Vision, sizes};
use crate::desktop::{
    ClipboardUse, Desktop, DesktopError, Hit, KeyboardInput, Launch, PointerInput, appearance,
};
use crate::element::{Element, ElementKey, Window, WindowId};
use crate::frame::{Frame, Monitor};
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::observation::{Observation, ObservationId};
use crate::permit::Redeemed;

mod aside;
mod beneath;
pub mod browsers;
mod capture;
mod clipboard;
mod devices;
mod display_name;
mod drawing;
mod eyes;
mod focus;
mod hands;
mod keyboard;
mod keymap;
mod launch;
mod link;
mod locks;
pub mod mirror;
mod monitors;
pub mod passage;
pub mod person;
mod ping;
mod pointer;
pub mod presence;
pub mod release;
mod selection_owner;
mod spare_keys;
mod still;
mod text;
mod under;
pub mod virtual_display;
mod will;
mod window_facts;
mod windows;

use browsers::Browsers;
use capture::Camera;
use clipboard::Clipboard;
use display_name::Session;
use drawing::Drawing;
use eyes::Eyes;
use hands::Hands;
use keyboard::Pressed;
use keymap::Keymap;
use launch::Surroundings;
use link::{Link, Place};
use monitors::{Known, Monitors};
use release::Held;
use still::Still;
use virtual_display::VirtualDisplay;

pub use release::release_everything;

/// A desktop on an X server.
#[derive(Debug)]
pub struct X11 {
    link: Link,
    camera: Camera,
    monitors: Monitors,
    hands: Hands,
    pressed: Pressed,
    keymap: Keymap,
    clipboard: Clipboard,
    eyes: Eyes,
    /// Which programs tell nothing of their pages.
    browsers: Browsers,
    /// Reads what no program tells of, where its networks are there.
    ocr: Option<Ocr>,
    /// Finds what has no text.
    vision: Vision,
    /// The numbers of what these two find.
    names: Names,
    /// Where all numbers come from.
    counter: Counter,
    surroundings: Surroundings,
    /// What must not be seen.
    curtain: Curtain,
    /// Freehand's own windows, which are not seen either.
    veil: Veil,
    /// The monitor that is looked at, where one was chosen.
    watched: Option<usize>,
    /// What was seen last: the elements that a point is looked up in.
    last: Vec<Element>,
    /// What the tree told of them.
    told: Vec<Element>,
    /// What it told of parts of the windows.
    areas: Vec<Area>,
    /// What was seen last, while it may still be so.
    still: Option<Still>,
    /// Whether anything was drawn since.
    drawing: Drawing,
}

impl X11 {
    /// Connects to `display`, a name as in `DISPLAY`, or to the one of the session. Under Wayland it
    /// refuses the session's own display, since input to it would not arrive.
    pub fn connect(display: Option<&str>) -> Result<Self, DesktopError> {
        let session = Session::of_process();
        let name = session.choose(display)?;
        let own_session = session.shows(&name);
        let all = std::iter::once(("DISPLAY", name.as_str())).chain(launch::TELLING);
        let environment = all.map(|(name, value)| (name.to_owned(), value.into())).collect();
        let surroundings = Surroundings { environment, ..Surroundings::default() };
        Self::open(Place { name, cookie: None }, own_session, surroundings)
    }

    /// Connects to a display of our own. Programs are opened in its environment, and end with it.
    pub fn on(display: &VirtualDisplay) -> Result<Self, DesktopError> {
        let own_session = Session::of_process().shows(display.name());
        Self::open(display.place().clone(), own_session, display.surroundings().clone())
    }

    fn open(place: Place, own_session: bool, surroundings: Surroundings) -> Result<Self, DesktopError> {
        let link = Link::open(place)?;
        let held = Held::on(link.place.clone());
        let hands = Hands::on(&link, held)?;
        let counter = Counter::default();
        Ok(Self {
            camera: Camera::new(),
            monitors: Monitors::new(own_session),
            hands,
            pressed: Pressed::default(),
            keymap: Keymap::default(),
            clipboard: Clipboard::default(),
            eyes: Eyes::new(own_session, counter.clone()),
            browsers: Browsers::default(),
            ocr: None,
            vision: Vision::default(),
            names: Names::new(counter.clone()),
            counter,
            surroundings,
            curtain: Curtain::default(),
            veil: Veil::default(),
            watched: None,
            last: Vec::new(),
            told: Vec::new(),
            areas: Vec::new(),
            still: None,
            drawing: Drawing::on(&link)?,
            link,
        })
    }

    /// Has the text that no program tells of read off the pixels from now on.
    pub fn read_text(&mut self, ocr: Ocr) {
        self.ocr = Some(ocr);
        self.still = None;
    }

    /// Hides this from now on: it is black in every picture and absent from every list.
    pub fn hide(&mut self, curtain: Curtain) {
        self.curtain = curtain;
    }

    /// Sees nothing of the windows in `veil` from now on.
    pub fn look_through(&mut self, veil: Veil) {
        self.veil = veil;
    }

    /// The monitors, in the order in which [`X11::watch`] counts them.
    pub fn monitors(&mut self) -> Result<Vec<Monitor>, DesktopError> {
        Ok(self.monitors.all(&self.link)?.iter().map(|known| known.monitor.clone()).collect())
    }

    /// Looks at the monitor with this number from now on, or at the one with the keyboard.
    pub fn watch(&mut self, monitor: Option<usize>) -> Result<(), DesktopError> {
        let all = self.monitors.all(&self.link)?;
        if let Some(number) = monitor.filter(|monitor| *monitor >= all.len()) {
            let what = format!("looking at monitor {}", number.saturating_add(1));
            return Err(DesktopError::failed(what, monitors::told(all)));
        }
        self.watched = monitor;
        Ok(())
    }

    /// Asks no program what it shows from now on: all that is seen is seen in the pixels.
    pub fn ask_nobody(&mut self) {
        self.eyes = Eyes::closed(self.counter.clone());
        self.still = None;
    }

    /// The name of the display, as in `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.link.place.name
    }

    /// Gives the clipboard back, as the end of the desktop does: with a clipboard manager the text
    /// from before the first write returns; without one the clipboard is empty afterwards, because on
    /// X11 a text lives only as long as the program that holds it.
    pub fn restore_clipboard(&mut self) {
        self.clipboard.give_back();
    }

    /// The windows, the front one first, and what of them must not be seen.
    fn windows(&self) -> Result<(Vec<Window>, Hidden), DesktopError> {
        let (mut windows, hidden) = self.titled()?;
        hidden.untitle(&mut windows);
        Ok((windows, hidden))
    }

    /// The same with the titles of those that must not be seen: programs tell of their windows by title.
    fn titled(&self) -> Result<(Vec<Window>, Hidden), DesktopError> {
        let mut windows = windows::list(&self.link)?;
        let veiled = self.veil.hold();
        windows.retain(|window| !veiled.knows(window.id));
        let mut hidden = self.curtain.draw(&windows);
        hidden.own = veiled.takes();
        Ok((windows, hidden))
    }

    /// The picture of the monitor in use, or of the part of one that `region` covers, without what must
    /// not be seen.
    fn picture(
        &mut self,
        region: Option<ScreenRect>,
        windows: Option<(&[Window], &Hidden)>,
    ) -> Result<Frame, DesktopError> {
        let several = self.monitors.all(&self.link)?.len() > 1;
        let asked = match windows {
            None if !self.curtain.is_empty() || several && region.is_none() => Some(self.windows()?),
            _ => None,
        };
        let windows = windows.or(asked.as_ref().map(|(windows, hidden)| (windows.as_slice(), hidden)));
        let known = self.looked_at(region, windows.map(|(windows, _)| windows))?.clone();
        let veiled = self.veil.hold();
        let frame = self.camera.capture(&self.link, &known, region)?;
        let frame = beneath::lift(&self.link, &veiled, frame);
        drop(veiled);
        if self.curtain.is_empty() {
            return Ok(frame);
        }
        // A window may have moved before the picture was taken.
        let (_, after) = self.windows()?;
        let hidden = windows.map(|(_, hidden)| hidden.clone()).unwrap_or_default().and(after);
        Ok(hidden.blacken(frame))
    }

    /// The monitor that `region` lies on, or the one in use.
    fn looked_at(
        &mut self,
        region: Option<ScreenRect>,
        windows: Option<&[Window]>,
    ) -> Result<&Known, DesktopError> {
        let several = self.monitors.all(&self.link)?.len() > 1;
        let point = match (region, windows) {
            (Some(region), _) => Some(region.center()),
            (None, Some(windows)) if several => focused(windows).map(|window| window.bounds.center()),
            (None, _) => None,
        };
        let watched = self.watched.filter(|_| region.is_none());
        self.monitors.one(&self.link, watched, point)
    }

    /// A line for the browsers that tell nothing of their pages, where there is somebody to ask.
    fn mute_pages(&mut self, windows: &[Window], frame: &Frame, seen: &Seen) -> Option<String> {
        if self.eyes.are_closed() {
            return None;
        }
        self.browsers.gap(windows, &frame.bounds(), seen)
    }

    /// What was seen last once more, where nothing has changed since.
    fn seen_again(
        &mut self,
        windows: &[Window],
        hidden: &Hidden,
    ) -> Result<Option<Observation>, DesktopError> {
        let monitor = self.looked_at(None, Some(windows))?.monitor.clone();
        let holds = |still: &Still| still.holds(windows, hidden, &monitor);
        if !self.still.as_ref().is_some_and(holds) {
            return Ok(None);
        }
        if !self.drawing.is_quiet(&self.link)? {
            self.drawing.forget(&self.link)?;
            let now = self.picture(None, Some((windows, hidden)))?;
            return Ok(self.still.as_ref().filter(|still| still.shows(&now)).map(Still::again));
        }
        Ok(self.still.as_ref().map(Still::again))
    }
}

/// One of Freehand's own as what takes a click.
fn own_window(own: &Own) -> Window {
    let (title, app) = ("Freehand".to_owned(), "freehand".to_owned());
    Window { id: own.window, title, app, pid: None, bounds: own.bounds, focused: false }
}

fn focused(windows: &[Window]) -> Option<&Window> {
    windows.iter().find(|window| window.focused)
}

#[async_trait]
impl Desktop for X11 {
    async fn observe(&mut self) -> Result<Observation, DesktopError> {
        self.surroundings.children.reap();
        self.hands.begin();
        let (titled, hidden) = self.titled()?;
        let mut windows = titled.clone();
        hidden.untitle(&mut windows);
        let cursor = pointer::position(&self.link)?;
        if let Some(seen) = self.seen_again(&windows, &hidden)? {
            return Ok(Observation { cursor, ..seen });
        }
        self.drawing.forget(&self.link)?;
        let before = self.picture(None, Some((&windows, &hidden)))?;
        let mut seen = self.eyes.read(&self.link, &titled, &before).await?;
        drop((before, titled));
        let frame = self.picture(None, Some((&windows, &hidden)))?;
        hidden.clear(&mut seen.elements);
        hidden.clear_more(&mut seen.more);
        self.told.clone_from(&seen.elements);
        self.areas.clone_from(&seen.areas);
        seen.cuts.extend(self.mute_pages(&windows, &frame, &seen));
        let gap = match &mut self.ocr {
            Some(ocr) => ocr.look(&frame, (&windows, &seen.areas), &mut seen.elements).await,
            None => ocr::unread(&windows, &seen.elements, &[&seen.gaps, &seen.cuts]),
        };
        // A program that has not answered yet, or text that is still being read, may tell more at any moment.
        let read = gap.is_none() || self.ocr.is_none();
        let may_tell = gap.is_some() && !self.eyes.are_closed();
        let whole = seen.gaps.is_empty() && read && !may_tell;
        seen.gaps.extend(gap.into_iter().chain(seen.cuts));
        seen.areas.extend(windows::bars(&self.link, &windows)?);
        let scene = Scene { frame: &frame, windows: &windows, areas: &seen.areas };
        let beside = self.vision.look(scene, &mut seen.elements);
        let look = Look { frame: &frame, windows: &windows, grounds: &beside.grounds, whole: read };
        self.names.assign(&mut seen.elements, look);
        seen.gaps.extend(beside.gap);
        appearance::describe_nameless(&frame, &mut seen.elements);
        hidden.clear(&mut seen.elements);
        sizes::compare(&frame, &mut seen.elements, &seen.areas);
        self.last.clone_from(&seen.elements);
        let seen = Observation {
            id: ObservationId::next(),
            frame,
            windows,
            elements: seen.elements,
            focus: seen.focus,
            cursor,
            gaps: seen.gaps,
            more: seen.more,
            hidden,
        };
        self.still = Some(Still::after(self.still.take(), &seen, whole));
        Ok(seen)
    }

    async fn capture(&mut self, region: Option<ScreenRect>) -> Result<Frame, DesktopError> {
        self.picture(region, None)
    }

    async fn element_at(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
    ) -> Result<Hit, DesktopError> {
        let (windows, hidden) = self.windows()?;
        let own = point.and_then(|point| self.veil.hold().at(point).map(own_window));
        let window = own.or_else(|| point.and_then(|point| windows::at(&windows, point)).cloned());
        let keyboard = focused(&windows).cloned();
        let element = self.element_under(point, expected, (&windows, &hidden)).await;
        Ok(Hit { window, element, keyboard })
    }

    async fn ready(&mut self) -> Result<(), DesktopError> {
        let (windows, _) = self.windows()?;
        if let Some(process) = focused(&windows).and_then(|window| window.pid) {
            self.eyes.ready(process).await;
        }
        Ok(())
    }

    async fn page_of(&mut self, element: &ElementKey) -> Result<Option<String>, DesktopError> {
        Ok(self.eyes.page(element).await)
    }

    async fn link_of(&mut self, element: &ElementKey) -> Result<Option<String>, DesktopError> {
        Ok(self.eyes.link(element).await)
    }

    async fn actions_of(&mut self, element: &ElementKey) -> Result<Vec<String>, DesktopError> {
        Ok(self.eyes.actions(element).await)
    }

    async fn pointer(&mut self, _: &Redeemed, input: PointerInput) -> Result<(), DesktopError> {
        self.still = None;
        if let PointerInput::MoveTo(point) = input
            && !self.monitors.all(&self.link)?.iter().any(|known| known.monitor.bounds.contains(point))
        {
            return Err(DesktopError::failed("moving the pointer", format!("{point} is on no monitor")));
        }
        pointer::act(&self.link, &mut self.hands, input).await
    }

    async fn keyboard(&mut self, _: &Redeemed, input: KeyboardInput) -> Result<(), DesktopError> {
        self.still = None;
        let Self { link, hands, pressed, keymap, .. } = self;
        if !matches!(input, KeyboardInput::Up(_)) {
            hands.go_on("using the keyboard")?;
        }
        match input {
            KeyboardInput::Down(key) => pressed.down(link, hands, keymap, key).await,
            KeyboardInput::Up(key) => pressed.up(link, hands, key),
            KeyboardInput::Tap(chord) => keyboard::tap(link, hands, keymap, &chord).await,
            KeyboardInput::Text(text) => {
                let held = Arc::clone(hands.held());
                text::write(link, &held, keymap, &text).await
            }
        }
    }

    async fn clipboard(
        &mut self,
        _: &Redeemed,
        usage: ClipboardUse,
    ) -> Result<Option<String>, DesktopError> {
        self.still = None;
        match usage {
            ClipboardUse::Read => self.clipboard.read(&self.link).await.map(Some),
            ClipboardUse::Write(text) => self.clipboard.write(&self.link, text).await.map(|()| None),
        }
    }

    async fn launch(&mut self, _: &Redeemed, what: Launch) -> Result<(), DesktopError> {
        self.still = None;
        self.hands.go_on("starting a program")?;
        match what {
            Launch::App(argv) => self.surroundings.start(&argv).await,
            Launch::Url(url) => self.surroundings.open(&url).await,
            Launch::Window(id) => focus::bring_forward(&self.link, id).await,
        }
    }

    fn launched_runs(&self) -> bool {
        self.surroundings.children.last_runs()
    }

    fn is_splash(&self, window: WindowId) -> Result<bool, DesktopError> {
        window_facts::is_splash(&self.link, window)
    }

    fn release(&mut self) {
        self.pressed.clear();
        self.hands.held().let_go(&self.link.wire, self.link.root);
    }
}

impl Drop for X11 {
    fn drop(&mut self) {
        self.release();
        self.keymap.wait_until_read(&self.link);
        self.hands.held().unbind(&self.link.wire);
        self.clipboard.give_back();
    }
}
