//! A policy file in its single rules, each with its line, so that whatever is wrong with one can be
//! named by file, line and rule, and the others are read all the same.

/// One rule as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// Its text with the semicolon.
    pub text: &'a str,
    /// The line on which it begins, counted from 1.
    pub line: usize,
}

#[derive(PartialEq)]
enum State {
    Between,
    Within,
    Text,
    Escape,
    Comment,
}

/// The rules of a file. What stands after the last semicolon is one too, and will not be read.
pub(crate) fn statements(source: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut state, mut start, mut line, mut begun_on) = (State::Between, 0, 1, 1);
    // Where a comment ends, what it stood in goes on.
    let mut commented = false;
    let mut chars = source.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        state = match (state, c) {
            (State::Comment, '\n') if commented => State::Within,
            (State::Comment, '\n') => State::Between,
            (State::Comment, _) => State::Comment,
            (State::Escape | State::Text, _) if c != '"' && c != '\\' => State::Text,
            (State::Escape, _) => State::Text,
            (State::Text, '\\') => State::Escape,
            (State::Text, _) => State::Within,
            (before, '/') if next == Some('/') => {
                commented = before == State::Within;
                State::Comment
            }
            (State::Between, c) if c.is_whitespace() => State::Between,
            (State::Within, ';') => {
                let text = source.get(start..=at).unwrap_or_default();
                found.push(Statement { text, line: begun_on });
                State::Between
            }
            (before, c) => {
                if before == State::Between {
                    (start, begun_on) = (at, line);
                }
                if c == '"' { State::Text } else { State::Within }
            }
        };
        line += usize::from(c == '\n');
    }
    if state != State::Between && (state != State::Comment || commented) {
        found.push(Statement { text: source.get(start..).unwrap_or_default(), line: begun_on });
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_are_found_with_their_lines() {
        let source = "// a; comment\n\n@id(\"a;\\\"b\") // more;\npermit (\n  principal, action, resource);\n\
                      forbid(principal, action, resource) when { \"// ;\" == \"x\" };permit(x)\n";
        let found = statements(source);
        let lines: Vec<usize> = found.iter().map(|statement| statement.line).collect();
        assert_eq!(lines, [3, 6, 6], "{found:#?}");
        assert!(found[0].text.starts_with("@id") && found[0].text.ends_with("resource);"));
        assert!(found[1].text.ends_with("};"));
        assert_eq!(found[2].text, "permit(x)\n");
        assert_eq!(statements("// nothing\n"), []);
        assert_eq!(statements(""), []);
    }

    proptest! {
        #[test]
        fn nothing_but_space_and_comments_is_left_out(source in "[a-z;\"/\\\\\n ]{0,40}") {
            let kept: usize = statements(&source).iter().map(|statement| statement.text.len()).sum();
            prop_assert!(kept <= source.len());
            if !source.contains(['/', '"']) {
                let rest = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                let all: String = statements(&source).iter().map(|s| rest(s.text)).collect();
                prop_assert_eq!(all, rest(&source));
            }
        }
    }
}
