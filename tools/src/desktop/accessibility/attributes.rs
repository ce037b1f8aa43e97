//! What a program says of an object beside what all programs say, in words of its own.

use std::collections::HashMap;

/// What a program says of an object beside what all programs say.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// The place-holder or tooltip of a field.
    pub(super) hint: Option<String>,
    /// What its author called it in code.
    pub(super) calling: Option<String>,
    /// Its roles in the words of ARIA.
    pub(super) roles: Option<String>,
    /// Its value as a person reads it.
    pub(super) holds: Option<String>,
    /// Whether it is no picture but a drawing, of which the tree tells as of one.
    pub(super) is_drawn: bool,
    /// Whether it is the body of a page.
    pub(super) is_body: bool,
    /// Which of its options the dropdown of a page stands at, counted from one, and of how many.
    pub(super) stands_at: Option<(usize, usize)>,
}

impl Attributes {
    /// Of all that is said, what the list is made with.
    pub(super) fn of(all: &HashMap<String, String>) -> Self {
        let first = |keys: &[&str]| {
            keys.iter().find_map(|key| all.get(*key).filter(|text| !text.trim().is_empty()).cloned())
        };
        let number = |key: &str| all.get(key).and_then(|text| text.parse().ok());
        let tag = all.get("tag");
        let is_select = tag.is_some_and(|tag| tag == "select");
        Self {
            hint: first(&["placeholder-text", "placeholder", "title"]),
            calling: first(&["class", "id"]),
            roles: first(&["xml-roles"]),
            holds: first(&["valuetext"]),
            is_drawn: tag.is_some_and(|tag| tag == "svg"),
            is_body: tag.is_some_and(|tag| tag == "body" || tag == "html"),
            stands_at: number("posinset").zip(number("setsize")).filter(|_| is_select),
        }
    }
}
