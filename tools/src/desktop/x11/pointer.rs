//! The mouse. A window manager may hold events back while it decides what a click means, and then
//! the pointer stands still and later keys overtake the click; so each movement and each click waits
//! until the server shows it as done.

use std::time::Duration;

use enigo::Direction;
use tokio::time::Instant;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::hands::{self, Hands};
use super::link::{During, Link};
use crate::action::Button;
use crate::desktop::{DesktopError, PointerInput};
use crate::geometry::{Rect, ScreenPoint};

/// As long as events may be held back.
const HELD_BACK: Duration = Duration::from_secs(1);
/// For so long the server is asked again at once: mostly it shows it after the next answer or two.
const EAGER: Duration = Duration::from_millis(3);
/// Between the clicks of a double click: long enough for every program to see two, far too short to
/// be taken for two single ones.
const BETWEEN_CLICKS: Duration = Duration::from_millis(5);
/// As long as programs take a further click at the same place for part of the one before.
const SAME_CLICK: Duration = Duration::from_millis(500);
/// How far in px two clicks at the same place may lie apart.
const SAME_PLACE: u32 = 6;
/// More notches than this at once are a mistake.
const NOTCHES: u32 = 1000;

/// Where the pointer is and which buttons are down, as the server shows it.
#[derive(Debug, Clone, Copy)]
struct Shown {
    at: ScreenPoint,
    buttons: u16,
}

/// Where the pointer is.
pub(super) fn position(link: &Link) -> Result<ScreenPoint, DesktopError> {
    shown(link).map(|shown| shown.at)
}

/// Does one thing with the mouse.
pub(super) async fn act(
    link: &Link,
    hands: &mut Hands,
    input: PointerInput,
) -> Result<(), DesktopError> {
    // enigo waits for the server for ever, so it is asked first by somebody who does not.
    link.sync()?;
    match input {
        PointerInput::MoveTo(point) => {
            hands.move_to(link, point)?;
            let last = until(link, |shown| shown.at == point).await?;
            last.map_err(|shown| {
                let reason = format!("it stays at {} and does not go to {point}", shown.at);
                DesktopError::failed("moving the pointer", reason)
            })
        }
        PointerInput::Down(button) => {
            let place = apart(link, hands).await?;
            press(link, hands, button, Direction::Press).await?;
            hands.clicked = Some((Instant::now(), place));
            Ok(())
        }
        PointerInput::Up(button) => press(link, hands, button, Direction::Release).await,
        PointerInput::Click(button, count) => {
            let place = apart(link, hands).await?;
            for turn in 0..count {
                if turn > 0 {
                    tokio::time::sleep(BETWEEN_CLICKS).await;
                }
                press(link, hands, button, Direction::Click).await?;
            }
            hands.clicked = Some((Instant::now(), place));
            Ok(())
        }
        PointerInput::Scroll(right, down) => {
            if right.unsigned_abs().max(down.unsigned_abs()) > NOTCHES {
                let reason = format!("more than {NOTCHES} notches at once; scroll less far");
                return Err(DesktopError::failed("turning the wheel", reason));
            }
            hands.scroll(link, right, down)?;
            link.sync()
        }
    }
}

/// Waits until a press would not count as part of the click before it; where the pointer is.
async fn apart(link: &Link, hands: &Hands) -> Result<ScreenPoint, DesktopError> {
    let place = position(link)?;
    if let Some((when, before)) = hands.clicked
        && Rect::around(before, SAME_PLACE).contains(place)
    {
        tokio::time::sleep_until(when + SAME_CLICK).await;
    }
    Ok(place)
}

/// Presses a button, lets it go, or both, and waits until the server shows it.
pub(super) async fn press(
    link: &Link,
    hands: &mut Hands,
    button: Button,
    how: Direction,
) -> Result<(), DesktopError> {
    hands.button(link, button, how)?;
    // The server shows the state of the first five buttons only.
    let Some(bit) = 0x80_u16.checked_shl(hands::number(button).into()).filter(|bit| *bit <= 0x1000)
    else {
        return link.sync();
    };
    let down = how == Direction::Press;
    let last = until(link, |shown| (shown.buttons & bit != 0) == down).await?;
    last.map_err(|_| {
        let reason = "the window system holds it back; look at the screen again";
        DesktopError::failed("pressing a mouse button", reason)
    })
}

/// Waits until the server shows what is wanted; if it does not, what it shows instead.
async fn until(link: &Link, wanted: impl Fn(Shown) -> bool) -> Result<Result<(), Shown>, DesktopError> {
    let start = Instant::now();
    loop {
        let shown = shown(link)?;
        if wanted(shown) {
            return Ok(Ok(()));
        }
        let since = start.elapsed();
        if since >= HELD_BACK {
            return Ok(Err(shown));
        }
        if since < EAGER {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn shown(link: &Link) -> Result<Shown, DesktopError> {
    let what = "asking where the pointer is";
    let reply = link.wire.query_pointer(link.root).during(what)?.reply().during(what)?;
    let at = ScreenPoint::new(reply.root_x.into(), reply.root_y.into());
    Ok(Shown { at, buttons: reply.mask.into() })
}
