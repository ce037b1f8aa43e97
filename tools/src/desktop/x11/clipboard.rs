//! The clipboard of this display. X11 keeps no clipboard: a text lives in the program that copied it,
//! so a thread of ours owns what was written for as long as the desktop lives. (The usual clipboard
//! library goes to whatever display `DISPLAY` names, which may be another one.)

use std::time::Duration;

use tokio::time::Instant;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, GetPropertyReply, Property,
    Window as XWindow, WindowClass,
};

use super::link::{During, Link};
use super::selection_owner::Owner;
use crate::desktop::DesktopError;

const WHAT: &str = "reading the clipboard";
/// As long as the program that holds the text may take for each part of it.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than this is not read, in bytes.
const LONGEST: usize = 16 << 20;

/// Reads and writes the clipboard.
#[derive(Debug, Default)]
pub(super) struct Clipboard {
    /// Where other programs put the text that we asked for.
    window: Option<XWindow>,
    owner: Option<Owner>,
}

impl Clipboard {
    /// The text; empty when there is none.
    pub(super) async fn read(&mut self, link: &Link) -> Result<String, DesktopError> {
        let selection = link.atoms.CLIPBOARD;
        let owner = link.wire.get_selection_owner(selection).during(WHAT)?.reply().during(WHAT)?.owner;
        // Our own thread may not have heard yet that another program has taken it.
        if let Some(text) = self.owner.as_ref().and_then(|own| own.text(owner)) {
            return Ok(text);
        }
        if owner == 0 {
            return Ok(String::new());
        }
        let window = self.window(link)?;
        for target in [link.atoms.UTF8_STRING, link.atoms.TEXT_PLAIN, AtomEnum::STRING.into()] {
            if let Some(bytes) = convert(link, window, target).await? {
                return Ok(decode(bytes, target == u32::from(AtomEnum::STRING)));
            }
        }
        Err(DesktopError::failed(WHAT, "what is on it is no text"))
    }

    /// Replaces the text.
    pub(super) async fn write(&mut self, link: &Link, text: String) -> Result<(), DesktopError> {
        if self.owner.is_none() {
            let before = self.read(link).await.ok().filter(|text| !text.is_empty());
            self.owner = Some(Owner::start(&link.place, before)?);
        }
        match &self.owner {
            Some(owner) => owner.own(text),
            None => Ok(()),
        }
    }

    /// Gives the clipboard back: where a clipboard manager runs it is handed the text that was there
    /// before the first [`Clipboard::write`]; else the clipboard ends up empty, since nobody is left
    /// to hold that text.
    pub(super) fn give_back(&mut self) {
        self.owner = None;
    }

    fn window(&mut self, link: &Link) -> Result<XWindow, DesktopError> {
        if let Some(window) = self.window {
            return Ok(window);
        }
        let window = link.wire.generate_id().map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        link.wire
            .create_window(0, window, link.root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)
            .during(WHAT)?;
        self.window = Some(window);
        Ok(window)
    }
}

/// Asks the owner for one format; `None` when it has none such.
async fn convert(link: &Link, window: XWindow, target: Atom) -> Result<Option<Vec<u8>>, DesktopError> {
    let (selection, transfer) = (link.atoms.CLIPBOARD, link.atoms.FREEHAND_TRANSFER);
    link.wire.delete_property(window, transfer).during(WHAT)?;
    link.wire
        .convert_selection(window, selection, target, transfer, x11rb::CURRENT_TIME)
        .during(WHAT)?;
    let answered = letter(link, |event| {
        let Event::SelectionNotify(notify) = event else { return None };
        let ours = notify.requestor == window && notify.target == target;
        ours.then_some(notify.property != 0)
    });
    if !answered.await? {
        return Ok(None);
    }
    let first = take(link, window)?;
    if first.type_ != link.atoms.INCR {
        return Ok(Some(first.value));
    }
    let mut bytes = Vec::new();
    // A long text comes in parts, each after the one before was taken; an empty one ends it.
    loop {
        letter(link, |event| {
            let Event::PropertyNotify(notify) = event else { return None };
            let ours = notify.window == window && notify.atom == transfer;
            (ours && notify.state == Property::NEW_VALUE).then_some(())
        })
        .await?;
        let part = take(link, window)?.value;
        if part.is_empty() {
            return Ok(Some(bytes));
        }
        bytes.extend(part);
        if bytes.len() > LONGEST {
            return Err(DesktopError::failed(WHAT, format!("it holds more than {LONGEST} bytes")));
        }
    }
}

fn take(link: &Link, window: XWindow) -> Result<GetPropertyReply, DesktopError> {
    let words = u32::try_from(LONGEST / 4).unwrap_or(u32::MAX);
    link.wire
        .get_property(true, window, link.atoms.FREEHAND_TRANSFER, AtomEnum::ANY, 0, words)
        .during(WHAT)?
        .reply()
        .during(WHAT)
}

async fn letter<T>(link: &Link, wanted: impl Fn(&Event) -> Option<T>) -> Result<T, DesktopError> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = link.letter(&wanted)? {
            return Ok(found);
        }
        if Instant::now() >= end {
            return Err(DesktopError::failed(WHAT, "the program that holds the text does not answer"));
        }
        link.sync()?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn decode(bytes: Vec<u8>, latin_1: bool) -> String {
    if latin_1 {
        return bytes.into_iter().map(char::from).collect();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
