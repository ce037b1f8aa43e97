//! The way through the tree of a command line: every place where a program can start is gone to.

use brush_parser::ParserOptions;
use brush_parser::ast::{
    AndOr, AndOrList, AssignmentValue, Command as Node, CommandPrefixOrSuffixItem as Item,
    CompoundCommand, CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    RedirectList, SimpleCommand, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};

use super::Command;

/// Variables that decide what the next program is or does.
const POWERFUL: &[&str] = &[
    "BASH_ENV",
    "CDPATH",
    "EDITOR",
    "ENV",
    "IFS",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PAGER",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYOPT",
    "SHELL",
    "VISUAL",
    "NODE_OPTIONS",
];

impl Command {
    pub(super) fn list(&mut self, list: &CompoundList, depth: usize) {
        for item in &list.0 {
            self.and_or(&item.0, depth);
        }
    }

    fn and_or(&mut self, list: &AndOrList, depth: usize) {
        self.pipeline(&list.first, depth);
        for more in &list.additional {
            let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = more;
            self.pipeline(pipeline, depth);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, depth: usize) {
        for command in &pipeline.seq {
            self.command(command, depth);
        }
    }

    fn command(&mut self, command: &Node, depth: usize) {
        match command {
            Node::Simple(simple) => self.simple(simple, depth),
            Node::Compound(compound, redirects) => {
                self.compound(compound, depth);
                self.redirects(redirects.as_ref(), depth);
            }
            Node::Function(function) => {
                // It may carry the name of a program that is known.
                self.unclear.insert("it defines a function");
                self.compound(&function.body.0, depth);
                self.redirects(function.body.1.as_ref(), depth);
            }
            Node::ExtendedTest(..) => {
                self.unclear.insert("it holds a test that is not read");
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, depth: usize) {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, depth),
            CompoundCommand::Subshell(shell) => self.list(&shell.list, depth),
            CompoundCommand::ForClause(clause) => {
                for value in clause.values.iter().flatten() {
                    self.word(value, depth);
                }
                self.list(&clause.body.list, depth);
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value, depth);
                for case in &clause.cases {
                    for pattern in &case.patterns {
                        self.word(pattern, depth);
                    }
                    if let Some(list) = &case.cmd {
                        self.list(list, depth);
                    }
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, depth);
                self.list(&clause.then, depth);
                for other in clause.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        self.list(condition, depth);
                    }
                    self.list(&other.body, depth);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, depth);
                self.list(&clause.1.list, depth);
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                self.unclear.insert("it computes");
                self.list(&clause.body.list, depth);
            }
            CompoundCommand::Arithmetic(_) => {
                self.unclear.insert("it computes");
            }
            CompoundCommand::Coprocess(process) => self.command(&process.body, depth),
        }
    }

    fn simple(&mut self, command: &SimpleCommand, depth: usize) {
        let before = command.prefix.iter().flat_map(|prefix| &prefix.0);
        let after = command.suffix.iter().flat_map(|suffix| &suffix.0);
        for item in before {
            // The words of a prefix are assignments.
            self.item(item, depth);
        }
        let Some(name) = &command.word_or_name else { return };
        let mut words = vec![self.word(name, depth)];
        for item in after {
            words.extend(self.item(item, depth));
        }
        self.start(&words, depth);
    }

    /// The word that an item is to its program, if it is one.
    #[expect(clippy::option_option, reason = "a word that is not known is a word all the same")]
    fn item(&mut self, item: &Item, depth: usize) -> Option<Option<String>> {
        match item {
            Item::IoRedirect(redirect) => {
                self.redirect(redirect, depth);
                None
            }
            Item::Word(word) => Some(self.word(word, depth)),
            Item::AssignmentWord(assignment, word) => {
                let name = assignment.name.to_string();
                if POWERFUL.contains(&name.as_str()) {
                    self.unclear.insert("it sets a variable that decides what runs");
                }
                match &assignment.value {
                    AssignmentValue::Scalar(value) => {
                        self.word(value, depth);
                    }
                    AssignmentValue::Array(values) => {
                        for (_, value) in values {
                            self.word(value, depth);
                        }
                    }
                }
                Some(Some(word.value.clone()))
            }
            Item::ProcessSubstitution(_, shell) => {
                self.substitutes = true;
                self.list(&shell.list, depth);
                Some(None)
            }
        }
    }

    fn redirects(&mut self, redirects: Option<&RedirectList>, depth: usize) {
        for redirect in redirects.iter().flat_map(|list| &list.0) {
            self.redirect(redirect, depth);
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect, depth: usize) {
        match redirect {
            IoRedirect::File(_, kind, target) => {
                let file = match target {
                    IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                        self.word(word, depth)
                    }
                    IoFileRedirectTarget::ProcessSubstitution(_, shell) => {
                        self.substitutes = true;
                        self.list(&shell.list, depth);
                        None
                    }
                    IoFileRedirectTarget::Fd(_) => return,
                };
                let reads =
                    matches!(kind, IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput);
                self.writes |= !reads && file.as_deref().is_none_or(is_file);
            }
            IoRedirect::HereDocument(_, document) => {
                if document.requires_expansion {
                    self.word(&document.doc, depth);
                }
            }
            IoRedirect::HereString(_, word) => {
                self.word(word, depth);
            }
            IoRedirect::OutputAndError(word, _) => {
                self.writes |= self.word(word, depth).as_deref().is_none_or(is_file);
            }
        }
    }

    /// The word as the program gets it; `None` where that is not known before it runs.
    fn word(&mut self, word: &Word, depth: usize) -> Option<String> {
        let Ok(pieces) = word::parse(&word.value, &ParserOptions::default()) else {
            self.unclear.insert("a word of it cannot be read");
            return None;
        };
        let expands = |piece: &WordPieceWithSource| {
            matches!(piece.piece, WordPiece::ParameterExpansion(_) | WordPiece::ArithmeticExpression(_))
        };
        if holds(&pieces, &expands) && (word.value.contains('`') || word.value.contains("$(")) {
            self.unclear.insert("it runs a command within a variable or a sum");
        }
        self.pieces(&pieces, depth)
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource], depth: usize) -> Option<String> {
        let mut known = Some(String::new());
        for piece in pieces {
            let part = self.piece(&piece.piece, depth);
            known = known.zip(part).map(|(known, part)| known + &part);
        }
        known
    }

    fn piece(&mut self, piece: &WordPiece, depth: usize) -> Option<String> {
        match piece {
            WordPiece::Text(text) => {
                // What a pattern becomes, the files decide.
                let is_pattern = text != "[" && text.contains(['*', '?', '[', '{']);
                (!is_pattern).then(|| text.clone())
            }
            WordPiece::SingleQuotedText(text) => Some(text.clone()),
            WordPiece::AnsiCQuotedText(text) => (!text.contains('\\')).then(|| text.clone()),
            WordPiece::DoubleQuotedSequence(pieces) | WordPiece::GettextDoubleQuotedSequence(pieces) => {
                self.pieces(pieces, depth)
            }
            WordPiece::EscapeSequence(text) => Some(text.trim_start_matches('\\').to_owned()),
            WordPiece::TildeExpansion(_) => Some("~".into()),
            WordPiece::ParameterExpansion(_) | WordPiece::ArithmeticExpression(_) => None,
            WordPiece::CommandSubstitution(text) => {
                self.substitutes = true;
                self.read(text, depth + 1);
                None
            }
            WordPiece::BackquotedCommandSubstitution(text) => {
                self.substitutes = true;
                self.read(&text.replace("\\`", "`"), depth + 1);
                None
            }
        }
    }
}

fn is_file(name: &str) -> bool {
    !matches!(name, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "-")
        && !name.chars().all(|c| c.is_ascii_digit())
}

fn holds(pieces: &[WordPieceWithSource], test: &dyn Fn(&WordPieceWithSource) -> bool) -> bool {
    pieces.iter().any(|piece| {
        if let WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) =
            &piece.piece
        {
            return holds(inner, test);
        }
        test(piece)
    })
}
