//! What a task puts in quotes: texts to be typed and names of things on the screen. People quote as their
//! keyboards and languages have it, and an apostrophe is no quotation mark.

use std::ops::Range;

/// The marks that open and close.
const MARKS: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
    ('«', '»'),
    ('「', '」'),
    ('『', '』'),
];

/// The quoted parts, without their marks.
pub(super) fn quotes(task: &str) -> impl Iterator<Item = &str> {
    let within = find(task).into_iter().filter_map(|(_, within)| task.get(within));
    within.filter(|quoted| !quoted.trim().is_empty())
}

/// The task without its quoted parts.
pub(super) fn without_quotes(task: &str) -> String {
    let (mut rest, mut at) = (String::new(), 0);
    for (whole, _) in find(task) {
        rest.push_str(task.get(at..whole.start).unwrap_or_default());
        rest.push(' ');
        at = whole.end;
    }
    rest + task.get(at..).unwrap_or_default()
}

/// The places of the quoted parts, with their marks and without, in bytes.
fn find(task: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let mut found = Vec::new();
    let (mut free, mut before) = (0, None);
    for (at, mark) in task.char_indices() {
        let opens = MARKS.iter().find(|(open, _)| *open == mark).filter(|_| at >= free);
        // Within a word it is an apostrophe.
        let apostrophe = is_apostrophe(mark) && before.is_some_and(char::is_alphanumeric);
        before = Some(mark);
        let Some((_, close)) = opens.filter(|_| !apostrophe) else { continue };
        let start = at + mark.len_utf8();
        let Some(end) = closing(task.get(start..).unwrap_or_default(), *close) else { continue };
        free = start + end + close.len_utf8();
        found.push((at..free, start..start + end));
    }
    found
}

fn closing(text: &str, close: char) -> Option<usize> {
    let ends = |(at, _): &(usize, &str)| {
        let next = text.get(at + close.len_utf8()..).and_then(|rest| rest.chars().next());
        !is_apostrophe(close) || !next.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(close).find(ends).map(|(at, _)| at)
}

const fn is_apostrophe(mark: char) -> bool {
    matches!(mark, '\'' | '‘' | '’')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_of_many_keyboards_and_no_apostrophes() {
        for (task, want, rest) in [
            ("Write \"a b\" and \"c\".", &["a b", "c"][..], "Write   and  ."),
            ("Write 'Buy milk' as Bob's note", &["Buy milk"], "Write   as Bob's note"),
            ("Write 'Bob's milk' now", &["Bob's milk"], "Write   now"),
            ("Write “it’s me”", &["it’s me"], "Write  "),
            ("Schreib „Milch“ auf", &["Milch"], "Schreib   auf"),
            ("Écris «lait»", &["lait"], "Écris  "),
            ("「牛乳」と書く", &["牛乳"], " と書く"),
            ("Write \"it's\"", &["it's"], "Write  "),
            ("5' long and 3\" wide", &[], "5' long and 3\" wide"),
            ("the dogs' bowl", &[], "the dogs' bowl"),
            ("\"\" is nothing", &[], "  is nothing"),
        ] {
            assert_eq!(quotes(task).collect::<Vec<_>>(), want, "{task}");
            assert_eq!(without_quotes(task), rest, "{task}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(task in "[a '\"“”„‘’«»「」é]{0,40}") {
            let _ = (quotes(&task).count(), without_quotes(&task));
        }
    }
}
