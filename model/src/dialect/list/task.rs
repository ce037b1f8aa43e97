//! What of the list depends on the task: texts that only say it again, and places in a row, which are
//! written out where the task counts.

use freehand_tools::element::{Element, Role};

/// Letters and digits that two texts must share for one to count as the other again.
const ECHO: usize = 12;
/// Words that count, beside `3rd` and the like.
const COUNTING: [&str; 10] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// Whether an element is a text that says the task, or a long part of it, again.
pub(in crate::dialect) fn echoes(task: &str, element: &Element) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (task, text) = (plain(task), plain(&element.name));
    element.role == Role::Text
        && text.chars().count() >= ECHO
        && text.len() * 2 > task.len()
        && (task.contains(&text) || !task.is_empty() && text.contains(&task))
}

/// Whether the task asks for something by its place among its like.
pub(super) fn counts(task: &str) -> bool {
    let task = task.to_lowercase();
    task.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let digits = word.trim_end_matches(char::is_alphabetic);
        let ending = word.get(digits.len()..).unwrap_or_default();
        let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        COUNTING.contains(&word) || number && matches!(ending, "st" | "nd" | "rd" | "th")
    })
}

/// `1st`, `2nd`, `11th`.
pub(super) fn ordinal(place: usize) -> String {
    let ending = match (place % 10, place % 100) {
        (1, 1 | 21..) => "st",
        (2, 2 | 22..) => "nd",
        (3, 3 | 23..) => "rd",
        _ => "th",
    };
    format!("{place}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_found_and_made() {
        for (task, expected) in [
            ("Click the 3rd box", true),
            ("Open the second tab", true),
            ("Type 12 and 4th", true),
            ("Go to 21 Main St", false),
            ("Book a room", false),
        ] {
            assert_eq!(counts(task), expected, "{task}");
        }
        let all = [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (11, "11th"),
            (12, "12th"),
            (21, "21st"),
            (102, "102nd"),
        ];
        for (place, expected) in all {
            assert_eq!(ordinal(place), expected);
        }
    }
}
