//! Asking the program that has the keyboard whether it has read what was sent: window managers ask
//! the same to see whether a program still answers. It answers in turn, so after the answer
//! all keys before it have become characters.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use x11rb::CURRENT_TIME;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask,
    Window as XWindow,
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

/// Waits until the program that has the keyboard has most likely read everything that was sent.
/// `mute` is the window that has left such a question without an answer; it is not asked again.
pub(super) async fn wait(link: &Link, mute: &mut Option<XWindow>) -> Result<(), DesktopError> {
    let window = answering_window(link)?.filter(|window| *mute != Some(*window));
    let Some(window) = window else {
        tokio::time::sleep(UNASKED).await;
        return Ok(());
    };
    if !answers(link, window).await? {
        tracing::debug!(window, "the program does not say whether it has read its keys");
        *mute = Some(window);
    }
    Ok(())
}

async fn answers(link: &Link, window: XWindow) -> Result<bool, DesktopError> {
    static TOKEN: AtomicU32 = AtomicU32::new(1);
    let token = TOKEN.fetch_add(1, Ordering::Relaxed);
    let (ping, protocols) = (link.atoms._NET_WM_PING, link.atoms.WM_PROTOCOLS);
    listen(link, EventMask::SUBSTRUCTURE_NOTIFY)?;
    // Programs send the question back as it is. A made-up time would be taken for the server's own.
    let question =
        ClientMessageEvent::new(32, window, protocols, [ping, CURRENT_TIME, window, token, 0]);
    link.wire.send_event(false, window, EventMask::NO_EVENT, question).during(WHAT)?;
    let end = Instant::now() + PATIENCE;
    let answer = loop {
        let answered = link.letter(|event| {
            let Event::ClientMessage(message) = event else { return None };
            let [kind, _, asked, mark, _] = message.data.as_data32();
            let ours = message.type_ == protocols && message.format == 32;
            (ours && kind == ping && asked == window && mark == token).then_some(())
        })?;
        if answered.is_some() {
            break true;
        }
        if Instant::now() >= end {
            break false;
        }
        link.sync()?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    listen(link, EventMask::NO_EVENT)?;
    Ok(answer)
}

fn listen(link: &Link, mask: EventMask) -> Result<(), DesktopError> {
    let aux = ChangeWindowAttributesAux::new().event_mask(mask);
    link.wire.change_window_attributes(link.root, &aux).during(WHAT)?;
    Ok(())
}

/// The window at or above the one with the keyboard that says that it answers.
fn answering_window(link: &Link) -> Result<Option<XWindow>, DesktopError> {
    let mut window = link.wire.get_input_focus().during(WHAT)?.reply().during(WHAT)?.focus;
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
