//! Asking the program that has the keyboard whether it has read what was sent: window managers ask
//! the same to see whether a program still answers. It answers in turn, so after the answer
//! all keys before it have become characters.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use x11rb::CURRENT_TIME;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, Window as XWindow,
};

use super::link::{During, Link};
use super::windows::there;
use crate::desktop::DesktopError;

const WHAT: &str = "asking whether the program has read its keys";
/// As long as a program may take to answer. A browser on a busy machine takes a second.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How far above the window with the keyboard the program's own window is looked for.
const DEPTH: usize = 8;

/// For a program that takes no such questions.
const UNASKED: Duration = Duration::from_millis(250);
/// Between two looks for the answer.
const TURN: Duration = Duration::from_millis(1);

/// Waits until the program that got keys through `window` has most likely read them. `mute` is the
/// window that has left such a question without an answer; it is not asked again.
pub(super) async fn wait(
    link: &Link,
    window: XWindow,
    mute: &mut Option<XWindow>,
) -> Result<(), DesktopError> {
    if !wait_for_answer(link, window, mute).await? {
        tokio::time::sleep(UNASKED).await;
    }
    Ok(())
}

/// Waits until the program of `window` has read what the server has told it so far; false at once
/// when it takes no such questions.
pub(super) async fn wait_for_answer(
    link: &Link,
    window: XWindow,
    mute: &mut Option<XWindow>,
) -> Result<bool, DesktopError> {
    let Some(question) = Question::ask(link, window, *mute)? else { return Ok(false) };
    let end = Instant::now() + PATIENCE;
    while !question.is_answered(link)? {
        if Instant::now() >= end {
            tracing::debug!(question.window, "the program does not say whether it has read its keys");
            *mute = Some(question.window);
            break;
        }
        tokio::time::sleep(TURN).await;
    }
    link.listen(EventMask::NO_EVENT)?;
    Ok(true)
}

/// The same as [`wait`] where nothing can be awaited, for at most `time`.
pub(super) fn wait_at_the_end(
    link: &Link,
    window: XWindow,
    mute: Option<XWindow>,
    time: Duration,
) -> Result<(), DesktopError> {
    let end = Instant::now() + time;
    let question = Question::ask(link, window, mute)?;
    while Instant::now() < end {
        if question.as_ref().is_some_and(|question| question.is_answered(link).unwrap_or(true)) {
            break;
        }
        std::thread::park_timeout(TURN);
    }
    link.listen(EventMask::NO_EVENT)
}

/// A question on its way.
struct Question {
    window: XWindow,
    token: u32,
}

impl Question {
    /// Asks; `None` when nobody is there who would answer.
    fn ask(link: &Link, window: XWindow, mute: Option<XWindow>) -> Result<Option<Self>, DesktopError> {
        static TOKEN: AtomicU32 = AtomicU32::new(1);
        let answering = answering_window(link, window)?;
        let Some(window) = answering.filter(|window| mute != Some(*window)) else {
            return Ok(None);
        };
        let token = TOKEN.fetch_add(1, Ordering::Relaxed);
        let (ping, protocols) = (link.atoms._NET_WM_PING, link.atoms.WM_PROTOCOLS);
        // Most programs answer to those who watch the root's children, Qt 5 to those who watch the root.
        link.listen(EventMask::SUBSTRUCTURE_NOTIFY)?;
        // Programs send the question back as it is. A made-up time would be taken for the server's own.
        let question =
            ClientMessageEvent::new(32, window, protocols, [ping, CURRENT_TIME, window, token, 0]);
        link.wire.send_event(false, window, EventMask::NO_EVENT, question).during(WHAT)?;
        link.sync()?;
        Ok(Some(Self { window, token }))
    }

    fn is_answered(&self, link: &Link) -> Result<bool, DesktopError> {
        link.sync()?;
        let answer = link.letter(|event| {
            let Event::ClientMessage(message) = event else { return None };
            let [kind, _, asked, mark, _] = message.data.as_data32();
            let ours = message.type_ == link.atoms.WM_PROTOCOLS && message.format == 32;
            let this = asked == self.window && mark == self.token;
            (ours && this && kind == link.atoms._NET_WM_PING).then_some(())
        })?;
        Ok(answer.is_some())
    }
}

/// The window that gets the keys now.
pub(super) fn window_with_keyboard(link: &Link) -> Result<XWindow, DesktopError> {
    Ok(link.wire.get_input_focus().during(WHAT)?.reply().during(WHAT)?.focus)
}

/// The window at `window` or above it that says that it answers.
fn answering_window(link: &Link, mut window: XWindow) -> Result<Option<XWindow>, DesktopError> {
    for _ in 0..DEPTH {
        if window <= 1 || window == link.root {
            return Ok(None);
        }
        let protocols = link
            .wire
            .get_property(false, window, link.atoms.WM_PROTOCOLS, AtomEnum::ATOM, 0, 64)
            .during(WHAT)?;
        let tree = link.wire.query_tree(window).during(WHAT)?;
        let answers = there(protocols.reply())?.is_some_and(|reply| {
            reply.value32().is_some_and(|mut all| all.any(|one| one == link.atoms._NET_WM_PING))
        });
        if answers {
            return Ok(Some(window));
        }
        let Some(tree) = there(tree.reply())? else { return Ok(None) };
        window = tree.parent;
    }
    Ok(None)
}
