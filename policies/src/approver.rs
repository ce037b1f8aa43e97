//! Those who can be asked: nobody, or a person at a terminal.
//!
//! The terminal shows words from the screen, which may be written to deceive, so they are shown in
//! quotes with nothing hidden. An answer counts only if it was given after its question was shown:
//! what was typed before is thrown away, since the agent itself may have typed it.

use std::fmt;
use std::pin::Pin;
use std::task::Poll;

use async_trait::async_trait;
use freehand_tools::action::{Action, EffectClass, Target};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::Mutex;

use crate::risk::Findings;
use crate::visible::{quoted, visible};

/// Characters of a title or a name that are shown.
const NAME: usize = 120;
/// Characters of the action or of a question that are shown.
const SUMMARY: usize = 2_000;
/// Bytes that an answer may have.
const LINE: usize = 4_096;
/// How often an answer that is none is asked for again.
const TRIES: u32 = 3;
/// Bytes of old input that are thrown away at most; who writes more is no person.
const STALE: usize = 1 << 20;

/// Nobody is there: every question is answered with a no.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenyAll;

#[async_trait]
impl Approver for DenyAll {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        deny("nobody is there to ask")
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
                return deny("the question could not be shown");
            }
            let Some(answer) = read_line(input).await else {
                return deny("the question was not answered");
            };
            if let Some(approval) = read_answer(&answer) {
                return approval;
            }
            text = "  Please answer y, r or n: ".into();
        }
        deny("the question was not answered with y, r or n")
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

fn deny(reason: &str) -> Approval {
    Approval::Deny { reason: reason.into() }
}

fn wording(request: &ApprovalRequest) -> String {
    let ApprovalRequest { action, reasons } = request;
    let mut lines = vec![String::new(), "May Freehand do this?".into()];
    lines.push(format!("  {}", visible(&action.summary, SUMMARY)));
    lines.extend(landing(&action.target).into_iter().map(|part| format!("  {part}")));
    lines.extend(consequences(action).into_iter().map(|part| format!("  {part}")));
    for reason in reasons {
        let (because, rule) = (visible(&reason.because, SUMMARY), visible(&reason.rule, NAME));
        lines.push(format!("  because {because} ({rule})"));
    }
    lines.push("  y = yes, once".into());
    lines.push(format!("  r = yes, and for the rest of this run {}", grant(action)));
    lines.push("  n = no, with a reason if you like: ".into());
    lines.join("\n")
}

/// Where the action lands, in lines.
fn landing(target: &Target) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(element) = &target.element {
        let within = element.within.as_deref().map(|w| format!(" in {}", quoted(w, NAME)));
        let within = within.unwrap_or_default();
        let called = match &element.looks {
            Some(looks) if element.name.is_empty() => format!("that looks like {}", quoted(looks, NAME)),
            _ => quoted(&element.name, NAME),
        };
        lines.push(format!("on {} {called}{within}", element.role.word()));
    }
    if let Some(point) = target.point {
        lines.push(format!("at the point {point}"));
    }
    if let Some(window) = &target.window {
        let (title, app) = (quoted(&window.title, NAME), quoted(&window.app, NAME));
        lines.push(format!("in the window {title} of the program {app}"));
    }
    lines
}

/// What would come of it, and what nobody could tell.
fn consequences(action: &Action) -> Vec<String> {
    let found = Findings::of(action);
    let would = found
        .effects
        .iter()
        .map(|effect| format!("it would {}: {}", effect.risk.phrase(), visible(&effect.why, SUMMARY)));
    let unclear = found.unclear.iter().map(|what| format!("not understood: {}", visible(what, NAME)));
    would.chain(unclear).collect()
}

/// What else an answer for the whole run would allow.
fn grant(action: &Action) -> String {
    let window = action.target.window.as_ref();
    let app = window.map_or_else(|| "no known program".into(), |window| quoted(&window.app, NAME));
    let what = match action.effects {
        EffectClass::Nothing => "whatever changes nothing".into(),
        EffectClass::Input => format!("any input to {app}"),
        EffectClass::BlindInput => format!("any input to unknown places in {app}"),
        EffectClass::Launch => "opening just this".into(),
        EffectClass::ReadClipboard => "reading the clipboard".into(),
        EffectClass::WriteClipboard => "replacing the clipboard".into(),
    };
    format!("{what}, as long as no other rule asks")
}

/// What an answer means; `None` when it means nothing.
fn read_answer(line: &str) -> Option<Approval> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (word.to_lowercase().as_str(), rest.trim()) {
        ("y" | "yes", "") => Some(Approval::Once),
        ("r" | "run", "") => Some(Approval::Run),
        ("n" | "no", "") => Some(deny("the person said no")),
        ("n" | "no", reason) => Some(deny(&format!("the person said no: {}", visible(reason, SUMMARY)))),
        _ => None,
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
        ApprovalRequest { action, reasons }
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
        let no = |reason: &str| deny(reason);
        for (answer, expected) in [
            ("y\n", Approval::Once),
            (" YES \r\n", Approval::Once),
            ("r\n", Approval::Run),
            ("n\n", no("the person said no")),
            ("n not that file\n", no("the person said no: not that file")),
            ("what?\ny\n", Approval::Once),
            ("\n\n\n", no("the question was not answered with y, r or n")),
            ("y yes\nok\nj\n", no("the question was not answered with y, r or n")),
        ] {
            assert_eq!(answered("Untitled", answer).await.0, expected, "{answer:?}");
        }
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
        assert_eq!(approval, deny("the person said no"));
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
