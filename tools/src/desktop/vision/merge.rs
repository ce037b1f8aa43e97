//! What was found as elements of the list.

use super::words::words;
use super::{Found, Scene};
use crate::desktop::names::{Names, Wanted};
use crate::desktop::order::insert;
use crate::element::{Element, Role, Source, States, Window};
use crate::geometry::ScreenPoint;

/// Puts `things` into `elements`.
pub(super) fn into_list(
    scene: Scene<'_>,
    things: &[Found],
    elements: &mut Vec<Element>,
    names: &mut Names,
) {
    let mut own: Vec<(Found, Option<&Window>, String)> = Vec::new();
    for window in scene.windows.iter().map(Some).chain([None]) {
        let there: Vec<Found> = things
            .iter()
            .filter(|thing| {
                let middle = thing.bounds.center();
                let front = scene.windows.iter().find(|window| window.bounds.contains(middle));
                front.map(|window| window.id) == window.map(|window| window.id)
            })
            .copied()
            .collect();
        let called = words(&there, elements, window.map(|window| window.id));
        own.extend(there.into_iter().zip(called).map(|(thing, words)| (thing, window, words)));
    }
    let keys: Vec<String> = own.iter().map(|(thing, _, _)| thing.look.words()).collect();
    let wanted: Vec<Wanted<'_>> = own
        .iter()
        .zip(&keys)
        .map(|((thing, window, _), text)| Wanted {
            window: window.map(|window| window.id),
            corner: window.map_or(ScreenPoint::new(0, 0), |window| window.bounds.origin()),
            text,
            bounds: thing.bounds,
        })
        .collect();
    let numbers = names.assign(&wanted);
    for ((thing, window, looks), (id, key)) in own.into_iter().zip(numbers) {
        let element = Element {
            id,
            key,
            role: Role::Image,
            name: String::new(),
            value: None,
            description: None,
            looks: Some(looks),
            options: Vec::new(),
            states: States::default(),
            bounds: thing.bounds,
            source: Source::Vision,
            window: window.map(|window| window.id),
            within: None,
        };
        insert(elements, element, scene.windows);
    }
}
