//! The live screen through a socket, one message at a time: the next is sent only when the page has
//! drawn the last, so a slow line gets fewer pictures and never old ones. The person's mouse and
//! keyboard come the other way.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Served;
use super::hands::{Hands, Touch};
use super::screen::{News, Viewer};

/// Bytes that a message of a page may have.
const LONGEST: usize = 64 * 1024;

pub(super) async fn open(State(served): State<Served>, socket: WebSocketUpgrade) -> Response {
    let Some(screen) = served.screen else {
        return (StatusCode::NOT_FOUND, "you see this display yourself").into_response();
    };
    socket.max_message_size(LONGEST).on_upgrade(move |socket| async move {
        // A page that has gone is no fault.
        let _ = serve(socket, screen.viewer(), served.hands.as_ref()).await;
        if let Some(hands) = &served.hands {
            hands.let_go();
        }
    })
}

/// What a page says.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "says", deny_unknown_fields)]
enum Says {
    /// It has drawn what it was sent.
    Drawn,
    /// The person has done something.
    Touch {
        /// What.
        touch: Touch,
    },
}

async fn serve(mut socket: WebSocket, mut viewer: Viewer, hands: Option<&Hands>) -> Option<()> {
    let (mut drawn, mut changed) = (true, true);
    loop {
        if drawn && changed {
            socket.send(Message::Binary(packed(&viewer.news())?.into())).await.ok()?;
            (drawn, changed) = (false, false);
        }
        tokio::select! {
            news = viewer.changed(), if !changed => {
                news?;
                changed = true;
            }
            message = socket.recv() => drawn |= listen(message?.ok()?, hands)?,
        }
    }
}

/// Whether the page says that it has drawn; `None` at the end.
fn listen(message: Message, hands: Option<&Hands>) -> Option<bool> {
    let text = match message {
        Message::Text(text) => text,
        Message::Close(_) => return None,
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => return Some(false),
    };
    match serde_json::from_str(&text).ok()? {
        Says::Drawn => Some(true),
        Says::Touch { touch } => {
            if let Some(hands) = hands {
                hands.touch(touch);
            }
            Some(false)
        }
    }
}

/// A length, so many bytes of JSON, and the files of the tiles one after another.
fn packed(news: &News) -> Option<Vec<u8>> {
    let tiles: Vec<_> = news
        .tiles
        .iter()
        .map(|tile| {
            let [x, y, width, height] = tile.place;
            json!([x, y, width, height, tile.file.len()])
        })
        .collect();
    let head = json!({
        "version": news.version,
        "bounds": news.bounds,
        "pointer": news.pointer,
        "tiles": tiles,
    });
    let head = serde_json::to_vec(&head).ok()?;
    let mut packed = u32::try_from(head.len()).ok()?.to_le_bytes().to_vec();
    packed.extend(head);
    for tile in &news.tiles {
        packed.extend_from_slice(&tile.file);
    }
    Some(packed)
}
