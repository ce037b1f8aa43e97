//! Words from the screen as a person may safely read them in a terminal: nothing in them can move the
//! cursor, change the order of what is shown, or hide.

/// `text` in quotes, with whatever cannot be seen written out, cut to `max` characters.
pub fn quoted(text: &str, max: usize) -> String {
    format!("\"{}\"", visible(text, max).replace('"', "\\\""))
}

/// `text` with whatever cannot be seen written out, cut to `max` characters; the cut is named.
pub fn visible(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    for c in text.chars().take(max) {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    let rest = text.chars().skip(max).count();
    if rest > 0 {
        return format!("{shown}… ({rest} more characters)");
    }
    shown
}

/// Control characters, and format characters that reorder or hide what stands around them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_hides() {
        for (text, expected) in [
            ("Save as…", "\"Save as…\""),
            ("a\"\n> y", "\"a\\\"\\n> y\""),
            ("\u{1b}[2J", "\"\\u{1b}[2J\""),
            ("a\u{202e}b", "\"a\\u{202e}b\""),
            ("é中🎉", "\"é中🎉\""),
        ] {
            assert_eq!(quoted(text, 100), expected);
        }
        assert_eq!(visible("abcdef", 4), "abcd… (2 more characters)");
    }

    proptest! {
        #[test]
        fn no_control_character_comes_through(text in any::<String>(), max in 0_usize..50) {
            prop_assert!(!quoted(&text, max).chars().any(is_hidden));
        }
    }
}
