//! What a command line would do: which programs it starts, whether it fetches and runs, writes, asks
//! for more rights. It is read by a real grammar of the shell and not by patterns, and nothing that
//! could not be read counts as harmless: it is not understood, and a rule can say so.

use std::collections::BTreeSet;

use brush_parser::{Parser, ParserOptions};

use crate::risk::Risk;

mod programs;
mod walk;

pub use programs::program_name;

/// Bytes of a command that are read; who types more writes a program.
const LONGEST: usize = 4 * 1024;
/// Brackets in brackets, and words that open a block: more takes the grammar too long.
const DEEPEST: usize = 6;
const BLOCKS: usize = 12;
/// Commands in commands in commands.
const NESTED: usize = 4;

/// What a command line would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Command {
    /// The line, or the lines.
    pub text: String,
    /// The programs that it starts, those in substitutions and behind `sudo`, `env`, `xargs` included.
    pub programs: BTreeSet<String>,
    /// Why not all of it is understood.
    pub unclear: BTreeSet<&'static str>,
    /// What runs depends on what another command prints.
    pub substitutes: bool,
    /// What comes from the network goes into a shell, or is started by its path.
    pub runs_fetched: bool,
    /// It writes to a file.
    pub writes: bool,
    /// What it does besides, with the program that does it.
    pub risks: BTreeSet<(Risk, String)>,
    /// Whether it fetches something.
    fetches: bool,
    /// Whether it starts something that runs what it is given.
    interprets: bool,
}

/// Reads a command line. `unsure`: a part of it may be another one.
pub fn read(text: &str, unsure: bool) -> Command {
    let mut command = Command { text: text.into(), ..Command::default() };
    if unsure {
        command.unclear.insert("a part of the line is not known");
    }
    command.read(text, 0);
    command.runs_fetched = command.fetches && command.interprets;
    command
}

/// What a program would do that is started with these words and no shell.
pub fn started(words: &[String]) -> Command {
    let mut command = Command { text: words.join(" "), ..Command::default() };
    let known: Vec<Option<String>> = words.iter().cloned().map(Some).collect();
    command.start(&known, 0);
    command.runs_fetched = command.fetches && command.interprets;
    command
}

impl Command {
    /// Whether all of it is understood.
    pub fn is_understood(&self) -> bool {
        self.unclear.is_empty()
    }

    /// Whether it starts something that runs what it is given, or that is no program of the system's.
    pub const fn runs_code(&self) -> bool {
        self.interprets
    }

    /// Takes in what stands in `text`, which itself stands in `depth` commands.
    fn read(&mut self, text: &str, depth: usize) {
        if text.trim().is_empty() {
            return;
        }
        if depth > NESTED || is_too_much(text) {
            self.unclear.insert("it is too long or too deep to be read");
            return;
        }
        if recalls_history(text) {
            self.unclear.insert("it fetches an earlier command");
        }
        if text.trim_end().ends_with('\\') {
            self.unclear.insert("it goes on in the next line");
        }
        match Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program() {
            Ok(program) => {
                for list in &program.complete_commands {
                    self.list(list, depth);
                }
            }
            Err(_) => {
                self.unclear.insert("it is no whole command");
            }
        }
    }
}

/// Whether the grammar would take too long for it.
fn is_too_much(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let opens = |word: &&str| {
        matches!(*word, "if" | "while" | "until" | "for" | "case" | "select" | "function" | "coproc")
    };
    let blocks = text.split(|c: char| !c.is_alphanumeric()).filter(opens).count();
    let ticks = text.matches('`').count();
    text.len() > LONGEST || deepest > DEEPEST || blocks > BLOCKS || ticks > BLOCKS
}

/// Whether an interactive shell would put an earlier command in the place of `!…`.
fn recalls_history(text: &str) -> bool {
    let mut quoted = false;
    let chars = text.chars();
    chars.clone().zip(chars.skip(1)).any(|(c, next)| {
        quoted ^= c == '\'';
        c == '!' && !quoted && (next.is_alphanumeric() || matches!(next, '!' | '$' | '-' | '?' | '#'))
    }) || text.starts_with('^')
}

#[cfg(test)]
mod tests;
