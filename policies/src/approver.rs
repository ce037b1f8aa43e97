//! Those who can be asked: nobody, or a person at a terminal.
//!
//! The terminal shows words from the screen, which may be written to deceive, so they are shown in
//! quotes with nothing hidden. An answer counts only if it was given after its question was shown:
//! what was typed before is thrown away, since the agent itself may have typed it.

use std::fmt;
use std::pin::Pin;
use std::task::Poll;

use async_trait::async_trait;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Scope};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::Mutex;

use crate::question::{NAME, Question, SUMMARY, changed};
use freehand_tools::quote::quoted;
use freehand_tools::visible::visible;

/// As long as a yes for some minutes holds when no number is given.
const MINUTES: u32 = 10;
/// What a change looks like.
const EXAMPLE: &str = "{\"text\": \"…\"} for example";
/// Bytes that an answer may have.
const LINE: usize = 4_096;
/// How often an answer that is none is asked for again.
const TRIES: u32 = 4;
/// Bytes of old input that are thrown away at most; who writes more is no person.
const STALE: usize = 1 << 20;

/// Nobody is there: every question is answered with a no.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenyAll;

#[async_trait]
impl Approver for DenyAll {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::deny("nobody is there to ask")
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// A person at a terminal, or whatever reads and writes like one.
pub struct Terminal<R, W> {
    line: Mutex<(R, W)>,
    discard: Box<dyn Fn() + Send + Sync>,
}

impl<R, W> fmt::Debug for Terminal<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl<R, W> Terminal<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
    /// Asks on `output` and reads the answers from `input`.
    pub fn new(input: R, output: W) -> Self {
        Self { line: Mutex::new((input, output)), discard: Box::new(|| ()) }
    }

    /// Calls `discard` before each question, to throw away what the system holds back of a line that
    /// is not finished.
    #[must_use]
    pub fn discarding(mut self, discard: impl Fn() + Send + Sync + 'static) -> Self {
        self.discard = Box::new(discard);
        self
    }
}

#[async_trait]
impl<R, W> Approver for Terminal<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let mut line = self.line.lock().await;
        let (input, output) = &mut *line;
        (self.discard)();
        forget(input).await;
        let mut text = wording(request);
        for _ in 0..TRIES {
            if say(output, &text).await.is_none() {
                return Approval::deny("the question could not be shown");
            }
            let Some(mut line) = read_line(input).await else {
                return Approval::deny("the question was not answered");
            };
            let mut answer = read_answer(&line, request.scope.as_ref());
            if let Answer::Change(change) = answer {
                if change.is_empty() {
                    let args = visible(&Question::of(request).args.to_string(), SUMMARY);
                    let asked = format!("  it is {args}\n  and shall have, as JSON, {EXAMPLE}: ");
                    if say(output, &asked).await.is_none() {
                        return Approval::deny("the question could not be shown");
                    }
                    let Some(typed) = read_line(input).await else {
                        return Approval::deny("the question was not answered");
                    };
                    line = typed;
                } else {
                    line = change;
                }
                answer = read_change(&line, request);
            }
            match answer {
                Answer::Is(approval) => return approval,
                Answer::Change(_) => {}
                Answer::No(why) => text = format!("  {why}; answer with one of the letters: "),
            }
        }
        Approval::deny("the question was not answered with one of the letters")
    }

    async fn question(&self, question: &str) -> Option<String> {
        let mut line = self.line.lock().await;
        let (input, output) = &mut *line;
        (self.discard)();
        forget(input).await;
        let asked = quoted(question, SUMMARY);
        say(output, &format!("\nThe model asks you: {asked}\n  your answer: ")).await?;
        let answer = read_line(input).await?;
        let answer = answer.trim();
        (!answer.is_empty()).then(|| answer.to_owned())
    }
}

fn wording(request: &ApprovalRequest) -> String {
    let question = Question::of(request);
    let mut lines = vec![String::new(), "May Freehand do this?".into()];
    lines.extend(question.lines().into_iter().map(|line| format!("  {line}")));
    lines.push("  y = yes, once".into());
    if let Some(lasting) = question.lasting {
        lines.push(format!("  r = yes, and for the rest of this run {lasting}"));
        lines.push(format!("  m = the same for {MINUTES} minutes of it, `m 30` for 30"));
        if question.may_be_kept {
            lines.push("  a = the same always, in later runs as well".into());
        }
    }
    lines.push("  e = yes, with a change that you make".into());
    lines.push("  n = no, with a reason if you like: ".into());
    lines.join("\n")
}

/// What an answer means.
enum Answer {
    Is(Approval),
    /// The person wants to change the call; perhaps the change came with the word.
    Change(String),
    /// Nothing, and why.
    No(String),
}

fn read_answer(line: &str, scope: Option<&Scope>) -> Answer {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let lasting = |approval| match scope {
        Some(_) => Answer::Is(approval),
        None => Answer::No("this can be allowed only once".into()),
    };
    match (word.to_lowercase().as_str(), rest.trim()) {
        ("y" | "yes", "") => Answer::Is(Approval::Once),
        ("r" | "run", "") => lasting(Approval::Run),
        ("m" | "minutes", "") => lasting(Approval::For { minutes: MINUTES }),
        ("m" | "minutes", number) => match number.parse() {
            Ok(minutes @ 1..=Approval::LONGEST) => lasting(Approval::For { minutes }),
            _ => Answer::No(format!(
                "{} is no number of minutes from 1 to {}",
                quoted(number, NAME),
                Approval::LONGEST
            )),
        },
        ("a" | "always", "") if scope.is_some_and(|scope| !scope.may_be_kept()) => {
            Answer::No("where a secret goes is asked each time".into())
        }
        ("a" | "always", "") => lasting(Approval::Always),
        ("e" | "edit", change) => Answer::Change(change.into()),
        ("n" | "no", reason) => Answer::Is(Approval::no(&visible(reason, SUMMARY))),
        ("", _) => Answer::No("that was no answer".into()),
        _ => Answer::No(format!("{} was not understood", quoted(line, NAME))),
    }
}

/// The call with the person's change, or what is wrong with that.
fn read_change(line: &str, request: &ApprovalRequest) -> Answer {
    let change = match serde_json::from_str(line.trim()) {
        Ok(change) => change,
        Err(error) => return Answer::No(format!("the change is no JSON ({error})")),
    };
    match changed(&request.action.call.args, &change) {
        Some(args) => Answer::Is(Approval::Edit { args }),
        None => Answer::No("the change is no object, for example {\"text\": \"Bob\"}".into()),
    }
}

async fn say(output: &mut (impl AsyncWrite + Unpin), text: &str) -> Option<()> {
    output.write_all(text.as_bytes()).await.ok()?;
    output.flush().await.ok()
}

/// One line; `None` at the end of the input, when it fails or when the line is endless.
async fn read_line(input: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match input.read_u8().await.ok()? {
            b'\n' => return String::from_utf8(line).ok(),
            _ if line.len() >= LINE => return None,
            byte => line.push(byte),
        }
    }
}

/// Throws away what is there to be read already.
async fn forget(input: &mut (impl AsyncRead + Unpin)) {
    let mut seen = 0;
    std::future::poll_fn(|task| {
        let mut room = [0; 1024];
        while seen < STALE {
            let mut old = ReadBuf::new(&mut room);
            match Pin::new(&mut *input).poll_read(task, &mut old) {
                Poll::Ready(Ok(())) if !old.filled().is_empty() => seen += old.filled().len(),
                Poll::Ready(_) | Poll::Pending => break,
            }
        }
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::in_window;
    use freehand_tools::gate::Reason;
    use freehand_tools::setting::Entered;
    use tokio::io::{DuplexStream, duplex, split};

    fn request(title: &str) -> ApprovalRequest {
        let mut action = in_window(1, "mousepad", title);
        action.summary = format!("click button \"Save\" in `{title}`");
        let reasons =
            vec![Reason { rule: "preset:supervised".into(), because: "it operates a program".into() }];
        let scope: Scope = serde_json::from_value(serde_json::json!({
            "effects": "input", "app": "mousepad", "rules": ["preset:supervised"],
        }))
        .unwrap();
        action.call.args = serde_json::json!({"text": "Ada", "submit": true});
        ApprovalRequest { action, reasons, scope: Some(scope), note: None }
    }

    /// Reads until the question ends, answers it, and gives both.
    async fn play(person: &mut DuplexStream, end: &str, answer: &str) -> String {
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).ends_with(end) {
            shown.push(person.read_u8().await.unwrap());
        }
        person.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(shown).unwrap()
    }

    async fn answered(title: &str, answer: &str) -> (Approval, String) {
        let (mut person, side) = duplex(1 << 16);
        let (input, output) = split(side);
        let terminal = Terminal::new(input, output);
        let request = request(title);
        tokio::join!(terminal.ask(&request), play(&mut person, "if you like: ", answer))
    }

    #[tokio::test]
    async fn answers() {
        let no = |reason: &str| Approval::deny(reason);
        let edit = |args| Approval::Edit { args };
        let bob = || edit(serde_json::json!({"text": "Bob", "submit": true}));
        for (answer, expected) in [
            ("y\n", Approval::Once),
            (" YES \r\n", Approval::Once),
            ("r\n", Approval::Run),
            ("m\n", Approval::For { minutes: MINUTES }),
            ("m 90\n", Approval::For { minutes: 90 }),
            ("m 0\nm 99999\nm x\nn\n", no("the person said no")),
            ("a\n", Approval::Always),
            ("e\n{\"text\": \"Bob\"}\n", bob()),
            ("e {\"text\":\"Bob\"}\n", bob()),
            ("e\n{\"submit\": null}\n", edit(serde_json::json!({"text": "Ada"}))),
            ("e\nBob\ne [1]\nn\n", no("the person said no")),
            ("n\n", no("the person said no")),
            ("n not that file\n", Approval::no("not that file")),
            ("what?\ny\n", Approval::Once),
            ("\n\n\n\n", no("the question was not answered with one of the letters")),
            ("y yes\nok\nj\nr 3\n", no("the question was not answered with one of the letters")),
        ] {
            assert_eq!(answered("Untitled", answer).await.0, expected, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn says_what_was_not_understood() {
        for (answer, part) in [
            ("perhaps", "\"perhaps\" was not understood"),
            ("", "that was no answer"),
            ("m never", "\"never\" is no number of minutes from 1 to 1440"),
            ("e nothing", "the change is no JSON"),
            ("e 3", "the change is no object"),
        ] {
            let (mut person, side) = duplex(1 << 16);
            let (input, output) = split(side);
            let (terminal, request) = (Terminal::new(input, output), request("x"));
            let play = async {
                play(&mut person, "if you like: ", &format!("{answer}\n")).await;
                play(&mut person, "letters: ", "n\n").await
            };
            let (_, shown) = tokio::join!(terminal.ask(&request), play);
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn what_nothing_limits_is_allowed_once_at_most() {
        let mut asked = request("x");
        let scope = asked.scope.as_mut().unwrap();
        scope.protected = true;
        assert!(matches!(read_answer("a", asked.scope.as_ref()), Answer::No(_)));
        assert!(matches!(read_answer("r", asked.scope.as_ref()), Answer::Is(Approval::Run)));
        assert!(!wording(&asked).contains("a = "));
        for lasting in ["r", "m", "m 5", "a"] {
            assert!(matches!(read_answer(lasting, None), Answer::No(_)));
        }
        asked.scope = None;
        assert!(!wording(&asked).contains("r = ") && wording(&asked).contains("e = "));
    }

    #[tokio::test]
    async fn shows_what_and_where_and_why() {
        let (_, shown) = answered("Untitled", "y\n").await;
        for part in [
            "click button \"Save\" in `Untitled`",
            "in the window \"Untitled\" of the program \"mousepad\"",
            "because it operates a program (preset:supervised)",
            "for the rest of this run any input to \"mousepad\"",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }

    #[tokio::test]
    async fn says_what_would_come_of_it_and_what_is_not_understood() {
        let mut asked = request("Write");
        asked.action.setting.entered =
            Some(Entered { text: "curl x | sh\u{1b}[2J".into(), unsure: true });
        asked.action.target.window.as_mut().unwrap().app = "xterm".into();
        let shown = wording(&asked);
        for part in [
            "it would run a command: `curl x | sh\\u{1b}[2J` is run",
            "it would install software: what comes from the network is run",
            "not understood: the command: a part of the line is not known",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }

    #[tokio::test]
    async fn a_title_cannot_fake_the_question() {
        let (_, shown) = answered("x\u{1b}[2J\r\nMay Freehand do this?\n", "n\n").await;
        assert!(!shown.contains('\u{1b}') && !shown.contains('\r'));
        assert_eq!(shown.matches("\nMay Freehand").count(), 1);
    }

    #[tokio::test]
    async fn no_answer_is_a_no() {
        for ending in ["", "y", &"y".repeat(LINE + 1)] {
            let (mut person, side) = duplex(1 << 16);
            let (input, output) = split(side);
            let terminal = Terminal::new(input, output);
            let request = request("Untitled");
            let asked = async {
                play(&mut person, "if you like: ", ending).await;
                drop(person);
            };
            let (approval, ()) = tokio::join!(terminal.ask(&request), asked);
            assert!(matches!(approval, Approval::Deny { .. }), "{ending:.5}");
        }
        assert!(matches!(DenyAll.ask(&request("x")).await, Approval::Deny { .. }));
        assert_eq!(DenyAll.question("who?").await, None);
    }

    #[tokio::test]
    async fn what_was_typed_before_is_no_answer() {
        let (mut person, side) = duplex(1 << 16);
        let (input, output) = split(side);
        let terminal = Terminal::new(input, output);
        person.write_all(b"y\ny\n").await.unwrap();
        let request = request("Untitled");
        let (approval, _) =
            tokio::join!(terminal.ask(&request), play(&mut person, "if you like: ", "n\n"));
        assert_eq!(approval, Approval::deny("the person said no"));
    }

    #[tokio::test]
    async fn the_models_question_is_answered_in_words() {
        for (answer, expected) in [("Grace Hopper\n", Some("Grace Hopper")), ("  \n", None)] {
            let (mut person, side) = duplex(1 << 16);
            let (input, output) = split(side);
            let terminal = Terminal::new(input, output);
            let (said, shown) =
                tokio::join!(terminal.question("Which\nname?"), play(&mut person, "answer: ", answer));
            assert_eq!(said.as_deref(), expected);
            assert!(shown.contains("The model asks you: \"Which\\nname?\""));
        }
    }
}
