//! A desktop that shows nothing of the person's secrets: what a program shows of one, in a field that is
//! no password field, in a title or in the clipboard, is taken out of the list and painted over in
//! every picture before anybody has seen it.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use super::{ClipboardUse, Desktop, DesktopError, Hit, KeyboardInput, Launch, PointerInput};
use crate::element::{ElementKey, Source, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::observation::Observation;
use crate::permit::Redeemed;
use crate::secret::{MASK, Secrets};

/// What is painted over a secret.
const PAINT: image::Rgb<u8> = image::Rgb([32, 32, 32]);
/// How far the paint reaches beyond what shows the secret, in screen pixels.
const MARGIN: i32 = 3;

/// A desktop, and what must not be seen on it.
#[expect(missing_debug_implementations, reason = "holds a trait object that has none")]
pub struct Discreet {
    desktop: Box<dyn Desktop>,
    secrets: Secrets,
    /// Where a secret showed at the last look, and where one was typed since.
    places: Vec<ScreenRect>,
    /// Fields in which a secret was typed. What stands in them may not be read as what it is.
    typed: BTreeSet<ElementKey>,
}

impl Discreet {
    /// Shows nothing of `secrets`.
    pub fn new(desktop: Box<dyn Desktop>, secrets: Secrets) -> Self {
        Self { desktop, secrets, places: Vec::new(), typed: BTreeSet::new() }
    }

    fn painted(&self, frame: Frame) -> Frame {
        let bounds = frame.bounds();
        let shown: Vec<ScreenRect> =
            self.places.iter().filter_map(|place| place.intersect(&bounds)).collect();
        if shown.is_empty() {
            return frame;
        }
        let mut pixels = frame.pixels().clone();
        for place in shown {
            let (left, top) = (place.x - bounds.x, place.y - bounds.y);
            for (x, y, pixel) in pixels.enumerate_pixels_mut() {
                let (x, y) =
                    (i32::try_from(x).unwrap_or(i32::MAX), i32::try_from(y).unwrap_or(i32::MAX));
                let inside = x >= left
                    && y >= top
                    && x < left.saturating_add_unsigned(place.width)
                    && y < top.saturating_add_unsigned(place.height);
                if inside {
                    *pixel = PAINT;
                }
            }
        }
        Frame::new(frame.monitor().clone(), pixels)
    }

    /// Takes the secrets out of a list, and says where they showed.
    fn hide(&self, seen: &mut Observation) -> Vec<ScreenRect> {
        let mut places = Vec::new();
        for element in &mut seen.elements {
            let typed = self.typed.contains(&element.key);
            if typed && element.value.is_some() {
                element.value = Some(MASK.into());
            }
            if self.secrets.hide_in(element) || typed {
                places.push(wider(element.bounds));
            }
        }
        // What is read off the pixels there may be misread, and not be found by its letters.
        for element in seen.elements.iter_mut().filter(|element| element.source == Source::Ocr) {
            if places.iter().any(|place| place.intersect(&element.bounds).is_some()) {
                element.name = MASK.into();
            }
        }
        for name in seen.more.iter_mut().filter_map(|more| more.name.as_mut()) {
            if let Some(hidden) = self.secrets.hidden(name) {
                *name = hidden;
            }
        }
        for window in &mut seen.windows {
            if self.secrets.hide_in_title(window) {
                // The bar with the title belongs to the window manager, and stands above the window.
                places.push(ScreenRect::new(
                    window.bounds.x,
                    window.bounds.y.saturating_sub(BAR),
                    window.bounds.width,
                    BAR.unsigned_abs() * 2,
                ));
            }
        }
        places
    }
}

/// How long programs may draw something before they tell of it: Chromium sets the title of its window 200 ms
/// after that of the tab.
const LAG: Duration = Duration::from_millis(300);

/// As high as the bar with a window's title may be, in screen pixels.
const BAR: i32 = 48;

fn wider(place: ScreenRect) -> ScreenRect {
    let more = MARGIN.unsigned_abs() * 2;
    ScreenRect::new(place.x - MARGIN, place.y - MARGIN, place.width + more, place.height + more)
}

#[async_trait]
impl Desktop for Discreet {
    async fn observe(&mut self) -> Result<Observation, DesktopError> {
        let mut seen = self.desktop.observe().await?;
        let mut places = self.hide(&mut seen);
        if !self.typed.is_empty() {
            // A program may show it anew between its list and its picture: what is listed after the picture
            // tells of that.
            tokio::time::sleep(LAG).await;
            let mut later = self.desktop.observe().await?;
            places.extend(self.hide(&mut later));
        }
        self.places = places;
        seen.frame = self.painted(seen.frame.clone());
        Ok(seen)
    }

    async fn ready(&mut self) -> Result<(), DesktopError> {
        self.desktop.ready().await
    }

    async fn capture(&mut self, region: Option<ScreenRect>) -> Result<Frame, DesktopError> {
        let frame = self.desktop.capture(region).await?;
        Ok(self.painted(frame))
    }

    async fn element_at(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
    ) -> Result<Hit, DesktopError> {
        let mut hit = self.desktop.element_at(point, expected).await?;
        if let Some(element) = &mut hit.element {
            self.secrets.hide_in(element);
        }
        for window in [&mut hit.window, &mut hit.keyboard].into_iter().flatten() {
            self.secrets.hide_in_title(window);
        }
        Ok(hit)
    }

    async fn page_of(&mut self, element: &ElementKey) -> Result<Option<String>, DesktopError> {
        self.desktop.page_of(element).await
    }

    async fn actions_of(&mut self, element: &ElementKey) -> Result<Vec<String>, DesktopError> {
        self.desktop.actions_of(element).await
    }

    async fn link_of(&mut self, element: &ElementKey) -> Result<Option<String>, DesktopError> {
        let link = self.desktop.link_of(element).await?;
        Ok(link.map(|link| self.secrets.hidden(&link).unwrap_or(link)))
    }

    async fn pointer(&mut self, permit: &Redeemed, input: PointerInput) -> Result<(), DesktopError> {
        self.desktop.pointer(permit, input).await
    }

    async fn keyboard(&mut self, permit: &Redeemed, input: KeyboardInput) -> Result<(), DesktopError> {
        // From the first key on, whatever kind of field it is.
        if let (Some(_), Some(element)) = (permit.secret(), &permit.target().element) {
            self.places.push(wider(element.bounds));
            self.typed.insert(element.key.clone());
        }
        self.desktop.keyboard(permit, input).await
    }

    async fn clipboard(
        &mut self,
        permit: &Redeemed,
        usage: ClipboardUse,
    ) -> Result<Option<String>, DesktopError> {
        let text = self.desktop.clipboard(permit, usage).await?;
        Ok(text.map(|text| self.secrets.hidden(&text).unwrap_or(text)))
    }

    async fn launch(&mut self, permit: &Redeemed, what: Launch) -> Result<(), DesktopError> {
        self.desktop.launch(permit, what).await
    }

    fn launched_runs(&self) -> bool {
        self.desktop.launched_runs()
    }

    fn is_splash(&self, window: WindowId) -> Result<bool, DesktopError> {
        self.desktop.is_splash(window)
    }

    fn release(&mut self) {
        self.desktop.release();
    }
}
