//! What a look at the desktop must show, and that all ways of looking agree.

use freehand_tools::element::Role;
use freehand_tools::geometry::Rect;
use freehand_tools::observation::Observation;

use super::{Stage, WIDGETS, find};

pub(super) async fn shows_the_whole_monitor(stage: &mut dyn Stage) {
    let monitor = stage.monitor();
    let seen = stage.desktop().observe().await.unwrap();
    assert_eq!(seen.frame.bounds(), monitor);
    let size = seen.frame.size();
    assert_eq!((size.width, size.height), (monitor.width, monitor.height));
    let pixels = seen.frame.pixels();
    assert!(pixels.pixels().any(|p| p != pixels.get_pixel(0, 0)), "the picture is of one colour");
}

pub(super) async fn lists_windows_front_first(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let front = &seen.windows[0];
    assert_eq!(front.title, "Stage");
    assert!(front.focused && !front.app.is_empty());
    assert_eq!(seen.windows.iter().filter(|w| w.focused).count(), 1);
    assert_eq!(seen.window_at(front.bounds.center()).unwrap().id, front.id);
}

pub(super) async fn lists_what_can_be_used(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let window = &seen.windows[0];
    for (role, name) in WIDGETS {
        let element = find(&seen, role, name);
        assert_eq!(element.window, Some(window.id), "{name}");
        assert_eq!(
            element.bounds.intersect(&window.bounds),
            Some(element.bounds),
            "{name} is in its window"
        );
        assert!(!element.states.disabled, "{name}");
    }
    assert_eq!(find(&seen, Role::Checkbox, "Agree").states.checked, Some(false));
    assert!(find(&seen, Role::Textbox, "Name").states.editable);
    assert_eq!(
        seen.focus,
        Some(find(&seen, Role::Textbox, "Name").id),
        "the first field has the keyboard"
    );
    let mut ids: Vec<_> = seen.elements.iter().map(|e| e.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), seen.elements.len(), "a number names one element");
    let [name, ok] = [(Role::Textbox, "Name"), (Role::Button, "OK")]
        .map(|(role, name)| seen.elements.iter().position(|e| e.role == role && e.name == name));
    assert!(name < ok, "the list is in reading order");
}

pub(super) async fn a_part_is_what_the_whole_shows_there(stage: &mut dyn Stage) {
    let monitor = stage.monitor();
    let seen = stage.desktop().observe().await.unwrap();
    let element = find(&seen, Role::Checkbox, "Agree").bounds;
    // It reaches beyond the lower edge, where no other monitor is.
    let beyond = Rect::new(monitor.x + 3, monitor.bottom() - 7, 100, 100);
    for region in [element, Rect::new(monitor.x, monitor.y, 1, 1), beyond] {
        // The caret may blink between two pictures: it must agree within some tries.
        let mut same = false;
        for _ in 0..20 {
            let whole = stage.desktop().capture(None).await.unwrap().crop(&region).unwrap();
            let part = stage.desktop().capture(Some(region)).await.unwrap();
            assert_eq!(part.bounds(), whole.bounds(), "{region}");
            same |= part.digest() == whole.digest();
            if same {
                break;
            }
        }
        assert!(same, "the picture of {region} is not what the whole shows there");
    }
}

pub(super) async fn numbers_stay(stage: &mut dyn Stage) {
    let ids = |seen: &Observation| -> Vec<_> {
        seen.elements.iter().map(|e| (e.id, e.key.clone(), e.role, e.name.clone())).collect()
    };
    let first = ids(&stage.desktop().observe().await.unwrap());
    assert!(first.len() >= WIDGETS.len());
    assert_eq!(first, ids(&stage.desktop().observe().await.unwrap()));
}

pub(super) async fn what_is_under_a_point_is_what_was_listed(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    for element in &seen.elements {
        let point = element.bounds.center();
        let hit = stage.desktop().element_at(Some(point), Some(&element.key)).await.unwrap();
        assert_eq!(
            hit.window.map(|w| w.id),
            seen.window_at(point).map(|w| w.id),
            "{}",
            element.describe()
        );
        assert_eq!(hit.keyboard.map(|w| w.id), seen.focused_window().map(|w| w.id));
        let found = hit.element.unwrap_or_else(|| panic!("{} is not there", element.describe()));
        assert_eq!((&found.key, found.role, &found.name), (&element.key, element.role, &element.name));
    }
    for (role, name) in WIDGETS {
        let listed = find(&seen, role, name);
        let hit = stage.desktop().element_at(Some(listed.bounds.center()), None).await.unwrap();
        let found = hit.element.expect(name);
        assert_eq!(Some(&found.key), seen.element_at(listed.bounds.center()).map(|e| &e.key), "{name}");
    }
    let gone = freehand_tools::element::ElementKey("nothing".into());
    let button = find(&seen, Role::Button, "OK");
    let hit = stage.desktop().element_at(Some(button.bounds.center()), Some(&gone)).await.unwrap();
    assert!(hit.element.is_none_or(|e| e.key != gone));
}
