//! What is under a point: the element that the list has there, asked for or looked at once more.

use super::{X11, windows};
use crate::desktop::curtain::Hidden;
use crate::desktop::names::Look;
use crate::element::{Element, ElementKey, Source, Window};
use crate::geometry::ScreenPoint;

impl X11 {
    /// The element at `point`, or the `expected` one if it is there, read afresh.
    pub(super) async fn element_under(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
        (windows, hidden): (&[Window], &Hidden),
    ) -> Option<Element> {
        let window = point.and_then(|point| windows::at(windows, point));
        let key = match (expected, point) {
            (Some(key), _) => key.clone(),
            (None, Some(point)) => self
                .last
                .iter()
                .filter(|element| element.bounds.contains(point))
                .filter(|element| element.window == window.map(|window| window.id))
                .min_by_key(|element| element.bounds.area())?
                .key
                .clone(),
            (None, None) => return None,
        };
        let known = self.last.iter().find(|element| element.key == key).cloned();
        let told = self.told.iter().find(|element| element.key == key);
        let was_named = told.is_some_and(|told| !told.name.is_empty());
        let found = match (self.eyes.element(&key).await, known) {
            // It has its name from the pixels.
            (Some(found), Some(known)) if !was_named && found.name.is_empty() => {
                let name = self.read_again(known, (windows, hidden)).await.map(|now| now.name);
                Element { name: name.unwrap_or_default(), ..found }
            }
            (Some(found), _) => found,
            (None, Some(known)) if known.source == Source::Ocr => {
                self.read_again(known, (windows, hidden)).await?
            }
            (None, Some(known)) if known.source == Source::Vision => {
                let now = self.picture(Some(known.bounds), Some((windows, hidden))).ok()?;
                self.vision.shows(&now).then_some(known)?
            }
            (None, _) => return None,
        };
        match (point, expected) {
            (Some(point), _) if !found.bounds.contains(point) => None,
            // The same thing, with another one laid over it since.
            (Some(point), Some(key)) if self.eyes.is_covered(key, point).await => None,
            _ => Some(found),
        }
    }

    /// What was read off the pixels, as it is now.
    async fn read_again(
        &mut self,
        known: Element,
        (windows, hidden): (&[Window], &Hidden),
    ) -> Option<Element> {
        let now = self.picture(Some(known.bounds), Some((windows, hidden))).ok()?;
        if self.ocr.as_ref().is_none_or(|ocr| ocr.shows(&now)) {
            return Some(known);
        }
        let frame = self.picture(None, Some((windows, hidden))).ok()?;
        let mut elements = self.told.clone();
        let gap = self.ocr.as_mut()?.look(&frame, (windows, &self.areas), &mut elements).await;
        let look = Look { frame: &frame, windows, grounds: &[], whole: gap.is_none() };
        self.names.clone().assign(&mut elements, look);
        elements.into_iter().find(|element| element.key == known.key)
    }
}
