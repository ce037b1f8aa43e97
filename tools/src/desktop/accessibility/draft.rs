//! An element that has no number yet, and the cleaning of the words that programs give.

use super::node::Address;
use crate::element::{Role, States};
use crate::geometry::ScreenRect;

/// Longest name in characters.
const MAX_NAME: usize = 200;

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
    pub(super) states: States,
    pub(super) bounds: ScreenRect,
    pub(super) within: Option<String>,
    /// The part of it that has the keyboard, where it is not the whole.
    pub(super) cursor: Option<Address>,
    /// What it is a piece of, for joining the pieces of one text.
    pub(super) whole: Option<Address>,
}

/// A text from a program in one line, without control characters and bidirectional overrides.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
    };
    let plain: String =
        text.chars().take(MAX_NAME * 4).map(|c| if hidden(c) { ' ' } else { c }).collect();
    let folded = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = folded.chars().take(MAX_NAME).collect();
    if short.len() < folded.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_harmless_line() {
        for (text, expected) in [
            ("  a \n\t b ", "a b"),
            ("a\u{202e}b\u{200f}c", "a b c"),
            ("\u{1b}[31mred", "[31mred"),
            ("日本\u{fffc}", "日本"),
            ("a\u{2028}[9] button\u{2067}b", "a [9] button b"),
            ("soft\u{e0041}tag", "soft tag"),
        ] {
            assert_eq!(clean(text), expected);
        }
        let long = clean(&"x".repeat(5_000_000));
        assert_eq!(long.chars().count(), MAX_NAME + 1);
        assert!(long.ends_with('…'));
    }
}
