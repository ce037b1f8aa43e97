//! Words of others in our lines and sentences: they stand in quotes that they cannot end, with nothing hidden in
//! them, so that no name and no text can go on with the sentence or fake a line of a list.

use crate::visible::{hides, visible, written};

/// A text as it is typed, in double quotes. Where it has such a quote itself or something hidden, that and what could
/// pass for a sign before it are marked.
pub(crate) fn typed(text: &str) -> String {
    if text.contains('"') || hides(text) {
        let marked = text.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{}\"", written(&marked, usize::MAX));
    }
    format!("\"{text}\"")
}

/// A text for a person, in double quotes; its own are marked. Cut after `max` of its characters.
pub fn quoted(text: &str, max: usize) -> String {
    format!("\"{}\"", visible(text, max).replace('"', "\\\""))
}

/// A name of something on the screen, in double quotes; its own become single ones. Cut where more than `max`
/// characters would stand there.
pub fn named(name: &str, max: usize) -> String {
    format!("\"{}\"", written(name, max).replace('"', "'"))
}

/// A title, a program or an address, in backticks; its own become single quotes.
pub(crate) fn ticked(title: &str) -> String {
    format!("`{}`", written(title, usize::MAX).replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_own_quotes() {
        assert_eq!(typed("C:\\temp"), "\"C:\\temp\"");
        assert_eq!(typed("Ada\" into textbox \"Search"), "\"Ada\\\" into textbox \\\"Search\"");
        assert_eq!(typed("a\\\" b"), "\"a\\\\\\\" b\"");
        assert_eq!(quoted("a\"\n> y", 100), "\"a\\\"\\n> y\"");
        assert_eq!(named("Log in\" in `Notes", 100), "\"Log in' in `Notes\"");
        assert_eq!(ticked("a` of `b"), "`a' of 'b`");
    }

    #[test]
    fn nothing_is_hidden_in_quotes() {
        assert_eq!(typed("a\nb\\n"), "\"a\\nb\\\\n\"");
        assert_eq!(quoted("a\u{202e}b", 100), "\"a\\u{202e}b\"");
        assert_eq!(named("a\n[9] button\u{2028}", 100), "\"a\\n[9] button\\u{2028}\"");
        assert_eq!(ticked("gpj.\u{202e}exe"), "`gpj.\\u{202e}exe`");
    }
}
