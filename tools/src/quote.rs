//! Words of others in a sentence that a person reads before they say yes: they stand in quotes that they cannot
//! end, so that no name and no text can go on with the sentence.

/// A text as it is typed, in double quotes. Where it has such a quote itself, that and what could pass for a sign
/// before it are marked.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains('"') {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("\"{text}\"")
}

/// A name of something on the screen, in double quotes; its own become single ones.
pub(crate) fn named(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "'"))
}

/// A title, a program or an address, in backticks; its own become single quotes.
pub(crate) fn ticked(title: &str) -> String {
    format!("`{}`", title.replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_own_quotes() {
        assert_eq!(quoted("C:\\temp"), "\"C:\\temp\"");
        assert_eq!(quoted("Ada\" into textbox \"Search"), "\"Ada\\\" into textbox \\\"Search\"");
        assert_eq!(quoted("a\\\" b"), "\"a\\\\\\\" b\"");
        assert_eq!(named("Log in\" in `Notes"), "\"Log in' in `Notes\"");
        assert_eq!(ticked("a` of `b"), "`a' of 'b`");
    }
}
