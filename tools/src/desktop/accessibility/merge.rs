//! What makes a list of drafts readable: text runs joined, fields named by what stands beside them,
//! the order in which a person reads.

use super::draft::{Draft, clean};
use super::regions;
use crate::element::Role;
use crate::geometry::ScreenRect;

/// How far in px a label may stand from the field that it names.
const BESIDE: i32 = 160;
/// Characters of a label; what is longer is a text to be read.
const MAX_LABEL: usize = 40;
/// How far in px a label may stand above the field that it names.
const ABOVE: i32 = 40;

/// Joins, names and orders. Beside the list, where the texts are whose words something in it says.
pub(super) fn tidy(drafts: Vec<Draft>) -> (Vec<Draft>, Vec<ScreenRect>) {
    let mut drafts = join_texts(drafts);
    find_repeats(&mut drafts);
    name_fields(&mut drafts);
    find_echoes(&mut drafts);
    let (echoes, mut drafts): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|d| d.is_echo);
    regions::drop_small(&mut drafts);
    (in_reading_order(drafts), echoes.into_iter().map(|echo| echo.bounds).collect())
}

/// Pieces of one text that follow each other are one text.
fn join_texts(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(last) = joined.last_mut()
            && last.role == Role::Text
            && draft.role == Role::Text
            && last.is_echo == draft.is_echo
            && last.whole.is_some()
            && last.whole == draft.whole
            && follows(&last.bounds, &draft.bounds)
        {
            last.name = clean(&format!("{} {}", last.name, draft.name));
            last.bounds = last.bounds.union(&draft.bounds);
            continue;
        }
        joined.push(draft);
    }
    joined
}

/// Whether a piece of text goes on where another ends: on the same line, or on the next one.
fn follows(a: &ScreenRect, b: &ScreenRect) -> bool {
    let beside = same_line(a, b) && b.x.saturating_sub(a.right()).abs() <= 12;
    let below = b.y.saturating_sub(a.bottom());
    beside || (-i32::try_from(a.height).unwrap_or(0)..=8).contains(&below)
}

fn same_line(a: &ScreenRect, b: &ScreenRect) -> bool {
    let overlap = i64::from(a.bottom().min(b.bottom())) - i64::from(a.y.max(b.y));
    overlap * 2 > i64::from(a.height.min(b.height))
}

/// A field without a name takes that of the text left of it on its line, or right above it; a box to
/// tick takes the text right of it.
fn name_fields(drafts: &mut [Draft]) {
    let mut used = Vec::new();
    for at in 0..drafts.len() {
        let Some(field) =
            drafts.get(at).filter(|draft| draft.name.is_empty() && !draft.is_echo).cloned()
        else {
            continue;
        };
        let boxes = matches!(field.role, Role::Checkbox | Role::Radio);
        let fields = field.role.takes_text() || matches!(field.role, Role::Dropdown | Role::Slider);
        if !boxes && !fields {
            continue;
        }
        let distance = |text: &Draft| {
            let (t, f) = (&text.bounds, &field.bounds);
            let left = f.x.saturating_sub(t.right());
            let right = t.x.saturating_sub(f.right());
            let above = f.y.saturating_sub(t.bottom());
            if boxes && same_line(t, f) && (-4..=BESIDE).contains(&right) {
                return Some(right);
            }
            if fields && same_line(t, f) && (-4..=BESIDE).contains(&left) {
                return Some(left);
            }
            let over = t.x < f.right() && f.x < t.right() && (-4..=ABOVE).contains(&above);
            (fields && over).then_some(above + BESIDE)
        };
        let nearest = drafts
            .iter()
            .enumerate()
            .filter(|(i, text)| {
                matches!(text.role, Role::Text | Role::Header)
                    && !text.is_echo
                    && text.name.chars().count() <= MAX_LABEL
                    && !used.contains(i)
            })
            .filter_map(|(i, text)| distance(text).map(|d| (d, i)))
            .min();
        if let Some((_, i)) = nearest
            && let Some(name) =
                drafts.get(i).map(|text| text.name.trim_end_matches(':').trim().to_owned())
            && let Some(field) = drafts.get_mut(at)
        {
            field.name = name;
            used.push(i);
        }
    }
    for at in used {
        if let Some(draft) = drafts.get_mut(at) {
            draft.is_echo = draft.role != Role::Header;
        }
    }
}

/// A part of a page and what stands in it may say the same.
fn find_repeats(drafts: &mut [Draft]) {
    let mut said: Vec<(String, ScreenRect)> = Vec::new();
    for draft in drafts {
        let repeats = |(name, bounds): &(String, ScreenRect)| {
            *name == draft.name && bounds.intersect(&draft.bounds).is_some()
        };
        if draft.role == Role::Text && !draft.is_echo {
            draft.is_echo = said.iter().any(repeats);
            said.extend((!draft.is_echo).then(|| (draft.name.clone(), draft.bounds)));
        }
    }
}

/// A label whose words a control beside it has taken as its name stands there twice.
fn find_echoes(drafts: &mut [Draft]) {
    let controls: Vec<(String, ScreenRect)> = drafts
        .iter()
        .filter(|draft| draft.role.takes_clicks() || draft.role == Role::Heading)
        .filter(|draft| !draft.name.is_empty() && !draft.is_echo)
        .map(|draft| (draft.name.clone(), draft.bounds))
        .collect();
    for draft in drafts.iter_mut().filter(|draft| draft.role == Role::Text) {
        draft.is_echo |= controls.iter().any(|(name, bounds)| {
            let same = name.trim_end_matches(':') == draft.name.trim_end_matches(':');
            let near = bounds.union(&draft.bounds);
            same && near.height < bounds.height + draft.bounds.height + 48
                && near.width < bounds.width + draft.bounds.width + 200
        });
    }
}

/// Rows from top to bottom, each from left to right.
fn in_reading_order(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut sorted = drafts;
    sorted.sort_by_key(|draft| (draft.bounds.y, draft.bounds.x));
    let mut rows: Vec<(ScreenRect, Vec<Draft>)> = Vec::new();
    for draft in sorted {
        let fits = |row: &ScreenRect| {
            let middle = draft.bounds.center().y;
            row.y <= middle
                && middle < row.bottom()
                && draft.bounds.height <= row.height.saturating_mul(2)
        };
        match rows.iter_mut().rev().take(4).find(|(row, _)| fits(row)) {
            Some((_, members)) => members.push(draft),
            None => rows.push((draft.bounds, vec![draft])),
        }
    }
    rows.into_iter()
        .flat_map(|(_, mut members)| {
            members.sort_by_key(|draft| draft.bounds.x);
            members
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ::atspi::Role as BusRole;

    use super::super::list::Lister;
    use super::super::node::Node;
    use super::super::tests::{at, part, tree};
    use super::*;

    #[test]
    fn where_the_words_stand_that_something_else_says_is_told() {
        let screen = ScreenRect::new(0, 0, 1000, 800);
        let city = part("city", "win", BusRole::Entry, "", [70, 0, 100, 20]);
        let tree = tree(vec![
            part("label", "win", BusRole::Label, "City:", [0, 0, 60, 20]),
            Node { labelled_by: Some(at("label")), ..city },
            part("beside", "win", BusRole::Static, "Name", [0, 40, 60, 20]),
            part("name", "win", BusRole::Entry, "", [70, 40, 100, 20]),
            part("send", "win", BusRole::Button, "Send", [0, 80, 90, 30]),
            part("words", "win", BusRole::Static, "Send", [20, 85, 50, 20]),
            part("wraps", "win", BusRole::Label, "Gift wrap", [0, 120, 120, 20]),
            part("box", "wraps", BusRole::CheckBox, "Gift wrap", [0, 122, 14, 14]),
            part("text", "win", BusRole::Static, "Thank you", [0, 160, 90, 20]),
        ]);
        let (list, echoes) = tidy(Lister::list(&tree, &[tree.get(&at("win")).unwrap()], screen, screen));
        let names: Vec<&str> = list.iter().map(|draft| draft.name.as_str()).collect();
        assert_eq!(names, ["City:", "Name", "Send", "Gift wrap", "Thank you"]);
        let places: Vec<(i32, i32)> = echoes.iter().map(|echo| (echo.x, echo.y)).collect();
        assert_eq!(places, [(0, 0), (0, 40), (20, 85), (0, 120)]);
    }

    #[test]
    fn what_is_covered_names_nothing_and_drops_nothing() {
        let screen = ScreenRect::new(0, 0, 1000, 800);
        let tree = tree(vec![
            part("under", "win", BusRole::Button, "Send", [0, 80, 90, 30]),
            part("words", "win", BusRole::Static, "Send", [20, 85, 50, 20]),
            part("old", "win", BusRole::Static, "Name", [0, 40, 60, 20]),
            part("name", "win", BusRole::Entry, "", [70, 40, 100, 20]),
        ]);
        let mut drafts = Lister::list(&tree, &[tree.get(&at("win")).unwrap()], screen, screen);
        for draft in &mut drafts {
            draft.is_echo = draft.role == Role::Button || draft.name == "Name";
        }
        let (list, echoes) = tidy(drafts);
        let names: Vec<&str> = list.iter().map(|draft| draft.name.as_str()).collect();
        assert_eq!((names, echoes.len()), (vec!["", "Send"], 2));
    }
}
