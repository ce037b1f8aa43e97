//! An element that has no number yet, and the cleaning of the words that programs give.

use super::node::Address;
use crate::element::{Region, Role, States};
use crate::geometry::ScreenRect;
use crate::visible::written;

/// Longest name in characters.
const MAX_NAME: usize = 200;
const SOFT_HYPHEN: char = '\u{ad}';
/// Stands in a text for an object within it.
const OBJECT: char = '\u{fffc}';

/// What the list will hold of one object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) address: Address,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) description: Option<String>,
    pub(super) looks: Option<String>,
    pub(super) options: Vec<String>,
    /// What its program says can be done with it, as far as it was asked.
    pub(super) actions: Vec<String>,
    pub(super) states: States,
    pub(super) bounds: ScreenRect,
    pub(super) within: Option<String>,
    pub(super) region: Option<Region>,
    /// The part of it that has the keyboard, where it is not the whole.
    pub(super) cursor: Option<Address>,
    /// What it is a piece of, for joining the pieces of one text.
    pub(super) whole: Option<Address>,
    /// Whether it is known and yet in no list: another is called by its words, or something lies over it.
    pub(super) is_echo: bool,
}

/// A text from a program in one line. Blanks are folded, and what only says where a line may break or another
/// object stands is left out; whatever else is hidden in it is written out.
pub(super) fn clean(text: &str) -> String {
    let words = text.chars().take(MAX_NAME * 4).filter(|c| !matches!(*c, SOFT_HYPHEN | OBJECT));
    let words: String = words.collect();
    let folded: Vec<&str> = words.split(is_blank).filter(|word| !word.is_empty()).collect();
    written(&folded.join(" "), MAX_NAME)
}

fn is_blank(c: char) -> bool {
    let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    matches!(c, '\t' | '\n' | '\r') || c.is_whitespace() && !breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_harmless_line() {
        for (text, expected) in [
            ("  a \n\t b ", "a b"),
            ("a\u{202e}b\u{200f}c", "a\\u{202e}b\\u{200f}c"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("Fuß\u{ad}ball\u{a0}spiel", "Fußball spiel"),
            ("👩\u{200d}💻 می\u{200c}خواهم", "👩\u{200d}💻 می\u{200c}خواهم"),
            ("日本\u{fffc}", "日本"),
            ("a\u{2028}[9] button\u{2067}b", "a\\u{2028}[9] button\\u{2067}b"),
            ("soft\u{e0041}tag", "soft\\u{e0041}tag"),
        ] {
            assert_eq!(clean(text), expected);
        }
        let long = clean(&"x".repeat(5_000_000));
        assert_eq!(long.chars().count(), MAX_NAME + 1);
        assert!(long.ends_with('…'));
    }
}
