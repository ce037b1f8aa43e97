//! The text of one field with its caret and its selection, edited the way every toolkit does it.

/// As many characters as one field holds; more is dropped, as a real field with a limit does.
const CAPACITY: usize = 100_000;

/// What kind of field it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shape {
    #[default]
    Line,
    Lines,
    Secret,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    chars: Vec<char>,
    caret: usize,
    /// The other end of the selection; nothing is selected when it is at the caret.
    anchor: usize,
    pub(super) shape: Shape,
    /// The first line that shows.
    pub(super) top: usize,
}

impl Field {
    pub(super) fn new(shape: Shape, text: &str) -> Self {
        let chars: Vec<char> = text.chars().take(CAPACITY).collect();
        Self { caret: 0, anchor: 0, chars, shape, top: 0 }
    }

    pub(super) fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// What the field draws: dots for a secret.
    pub(super) fn shown(&self) -> String {
        match self.shape {
            Shape::Secret => "*".repeat(self.chars.len()),
            Shape::Line | Shape::Lines => self.text(),
        }
    }

    /// The selected range of characters; empty when nothing is selected.
    pub(super) fn selection(&self) -> std::ops::Range<usize> {
        self.caret.min(self.anchor)..self.caret.max(self.anchor)
    }

    pub(super) fn selected(&self) -> Option<String> {
        let text: String = self.chars.get(self.selection())?.iter().collect();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn select_all(&mut self) {
        self.anchor = 0;
        self.caret = self.chars.len();
    }

    pub(super) fn select_word(&mut self) {
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        let before = self.chars.iter().take(self.caret).rev().take_while(|c| word(c)).count();
        let after = self.chars.iter().skip(self.caret).take_while(|c| word(c)).count();
        self.anchor = self.caret - before;
        self.caret += after;
    }

    /// Puts the caret before the character `at`; the selection grows or goes.
    pub(super) fn go(&mut self, at: usize, extend: bool) {
        self.caret = at.min(self.chars.len());
        if !extend {
            self.anchor = self.caret;
        }
    }

    pub(super) fn insert(&mut self, text: &str) {
        let room = CAPACITY.saturating_sub(self.chars.len());
        let keep = |c: &char| self.shape == Shape::Lines || *c != '\n';
        let new: Vec<char> = text.chars().filter(keep).take(room).collect();
        let at = self.selection();
        let end = at.start + new.len();
        self.chars.splice(at, new);
        self.go(end, false);
    }

    /// Deletes the selection, or else one character to the left.
    pub(super) fn backspace(&mut self) {
        if self.selection().is_empty() {
            self.anchor = self.caret.saturating_sub(1);
        }
        self.insert("");
    }

    /// Deletes the selection, or else one character to the right.
    pub(super) fn delete(&mut self) {
        if self.selection().is_empty() {
            self.anchor = (self.caret + 1).min(self.chars.len());
        }
        self.insert("");
    }

    pub(super) fn set(&mut self, text: &str) {
        self.select_all();
        self.insert(text);
    }

    pub(super) fn left(&mut self, extend: bool) {
        let at = if extend || self.selection().is_empty() {
            self.caret.saturating_sub(1)
        } else {
            self.selection().start
        };
        self.go(at, extend);
    }

    pub(super) fn right(&mut self, extend: bool) {
        let at =
            if extend || self.selection().is_empty() { self.caret + 1 } else { self.selection().end };
        self.go(at, extend);
    }

    /// Line and column of the caret.
    pub(super) fn position(&self) -> (usize, usize) {
        let before = self.chars.iter().take(self.caret);
        let line = before.clone().filter(|c| **c == '\n').count();
        (line, before.rev().take_while(|c| **c != '\n').count())
    }

    /// The character at `line` and `column`, or the nearest one in that line.
    pub(super) fn index_of(&self, line: usize, column: usize) -> usize {
        let start = match line {
            0 => 0,
            _ => self.starts().nth(line - 1).unwrap_or(self.chars.len()),
        };
        let length = self.chars.iter().skip(start).take_while(|c| **c != '\n').count();
        start + column.min(length)
    }

    fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.chars.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(i, _)| i + 1)
    }

    pub(super) fn lines(&self) -> usize {
        self.starts().count() + 1
    }

    pub(super) fn end(&self) -> usize {
        self.chars.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_like_every_field() {
        let mut field = Field::new(Shape::Line, "one two");
        field.go(5, false);
        field.select_word();
        assert_eq!(field.selected().as_deref(), Some("two"));
        field.insert("due");
        assert_eq!((field.text().as_str(), field.position()), ("one due", (0, 7)));
        field.backspace();
        field.go(0, false);
        field.delete();
        assert_eq!(field.text(), "ne du");
        field.set("né 中");
        field.left(true);
        assert_eq!(field.selected().as_deref(), Some("中"));
        field.insert("a\nb");
        assert_eq!(field.text(), "né ab", "a line holds no line break");
    }

    #[test]
    fn counts_lines_and_columns() {
        let mut field = Field::new(Shape::Lines, "ab\ncde\n");
        field.go(5, false);
        assert_eq!(field.position(), (1, 2));
        assert_eq!(field.lines(), 3);
        for (line, column, at) in [(0, 9, 2), (1, 0, 3), (2, 4, 7), (9, 0, 7)] {
            assert_eq!(field.index_of(line, column), at, "{line}:{column}");
        }
    }
}
