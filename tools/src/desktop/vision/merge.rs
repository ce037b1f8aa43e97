//! What was found as elements of the list.

use super::words::words;
use super::{Found, Scene};
use crate::desktop::order::insert;
use crate::element::{Element, ElementId, ElementKey, Role, Source, States, Window};

/// Puts `things` into `elements`, without numbers.
pub(super) fn into_list(scene: Scene<'_>, things: &[Found], elements: &mut Vec<Element>) {
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
    for (thing, window, looks) in own {
        let element = Element {
            id: ElementId(0),
            key: ElementKey(thing.look.words()),
            role: Role::Image,
            name: String::new(),
            value: None,
            description: None,
            looks: Some(looks),
            options: Vec::new(),
            actions: Vec::new(),
            states: States::default(),
            bounds: thing.bounds,
            source: Source::Vision,
            window: window.map(|window| window.id),
            within: None,
            region: None,
        };
        insert(elements, element, scene.windows);
    }
}
