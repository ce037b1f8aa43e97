//! The file that a task wants saved. Whether it was is not asked of the model: an editor shows the name of
//! what it holds in the title of its window, with a mark before it while there is more than the file has.

use freehand_tools::observation::Observation;

use super::quotes::quotes;

/// Words of tasks that save, without their endings.
const SAVES: [&str; 11] = [
    "save",
    "store",
    "speicher",
    "sicher",
    "enregistr",
    "sauvegard",
    "guarda",
    "salva",
    "opslaan",
    "保存",
    "저장",
];
/// Letters and digits that an ending of a file has.
const ENDING: std::ops::RangeInclusive<usize> = 2..=5;
/// What stands before the name of a file that is not saved yet.
const UNSAVED: [char; 3] = ['*', '•', '●'];

/// Whether the task names a file that no window shows as saved.
pub(super) fn is_unsaved(task: &str, seen: &Observation) -> bool {
    let mut files = named(task).peekable();
    let shown = |file: &str| seen.windows.iter().any(|w| w.title.contains(file) && !is_marked(&w.title));
    files.peek().is_some() && !files.any(shown)
}

/// Whether a title says that more is there than the file has.
pub(super) fn is_marked(title: &str) -> bool {
    title.trim_start().starts_with(UNSAVED)
}

/// Whether there is anything to be saved.
pub(super) fn saves(task: &str) -> bool {
    named(task).next().is_some() || says_so(task)
}

/// The one text that the task wants saved in a file of a given name. Of several it is not known which
/// belong together.
pub(super) fn draft(task: &str) -> Option<&str> {
    let mut texts = quotes(task).filter(|text| named(text).next().is_none());
    let draft = texts.next().filter(|_| texts.next().is_none())?;
    (says_so(task) && named(task).next().is_some()).then_some(draft)
}

fn says_so(task: &str) -> bool {
    let lower = task.to_lowercase();
    SAVES.iter().any(|word| lower.contains(word))
}

/// The files that the task names: words with an ending, that are no addresses.
pub(super) fn named(task: &str) -> impl Iterator<Item = &str> {
    let words = task.split(|c: char| c.is_whitespace() || "\"'“”„‘’«»()<>,;".contains(c));
    words.map(|word| word.trim_end_matches(['.', ':', '!', '?'])).filter(|word| {
        let is_ending = |ending: &str| {
            ENDING.contains(&ending.len())
                && ending.chars().all(|c| c.is_ascii_alphanumeric())
                && ending.chars().any(|c| c.is_ascii_alphabetic())
        };
        let parts = word.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
        !word.contains(['@', ':']) && parts.is_some_and(|(_, ending)| is_ending(ending))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_belongs_into_a_file() {
        for (task, want) in [
            ("Write \"a b\" and save it as c.txt", Some("a b")),
            ("Write \"a b\" and save it as \"c.txt\"", Some("a b")),
            ("Write \"a b\" and \"d\" and save it as c.txt", None),
            ("Find \"a b\" in c.txt", None),
            ("Write \"a b\" and save it", None),
        ] {
            assert_eq!(draft(task), want, "{task}");
        }
    }

    #[test]
    fn files_are_words_with_an_ending() {
        for (task, want) in [
            ("save it as todo.txt.", &["todo.txt"][..]),
            ("Save \"My letter.odt\", then close", &["letter.odt"]),
            ("Send it to ann@example.org", &[]),
            ("Pay 12.50 at http://shop.test/a.html", &[]),
            ("Save it. Then close", &[]),
        ] {
            assert_eq!(named(task).collect::<Vec<_>>(), want, "{task}");
        }
    }
}
