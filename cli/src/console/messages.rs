//! The messages of the hub, through a socket: first what the view knows already, then whatever happens,
//! and the person's commands the other way.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use freehand_agent::supervision::{Command, FromView, Hub, Reply, ToView, Updates, VERSION};

use super::Served;

/// Bytes that a message of a view may have.
const LONGEST: usize = 64 * 1024;
/// As long as a view may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who a view of this console is to the others.
const NAME: &str = "console";

pub(super) async fn open(State(served): State<Served>, socket: WebSocketUpgrade) -> Response {
    socket.max_message_size(LONGEST).on_upgrade(move |socket| async move {
        let mut looks = false;
        // A view that has gone is no fault.
        let _ = serve(socket, &served.hub, &mut looks).await;
        if looks {
            let _ = served.hub.command(Command::LookAway, NAME);
        }
    })
}

/// Serves a view until it leaves; then `looks` is whether somebody looked through it.
async fn serve(mut socket: WebSocket, hub: &Hub, looks: &mut bool) -> Option<()> {
    let first = tokio::time::timeout(PATIENCE, text(&mut socket)).await.ok()??;
    let mut updates = match join(&first, hub) {
        Ok(updates) => updates,
        Err(reason) => return send(&mut socket, &ToView::Refused { reason }).await,
    };
    loop {
        tokio::select! {
            message = updates.next() => send(&mut socket, &message).await?,
            message = text(&mut socket) => {
                let message = message?;
                match serde_json::from_str(&message) {
                    Ok(FromView::Do { what: Command::Look, .. }) => *looks = true,
                    Ok(FromView::Do { what: Command::LookAway, .. }) => *looks = false,
                    _ => {}
                }
                let reply = obey(&message, hub, NAME);
                send(&mut socket, &reply).await?;
            }
        }
    }
}

fn join(text: &str, hub: &Hub) -> Result<Updates, String> {
    match serde_json::from_str(text) {
        Ok(FromView::Join { protocol: VERSION, session, after }) => {
            Ok(hub.join(session.as_deref().map(|session| (session, after))))
        }
        Ok(FromView::Join { protocol, .. }) => {
            Err(format!("this server speaks version {VERSION} and not {protocol}; reload the page"))
        }
        Ok(FromView::Do { .. }) => Err("the first message says what the view knows already".into()),
        Err(error) => Err(format!("the message cannot be read: {error}")),
    }
}

/// Does what a view of this `name` says in `text`, and what it is to be told.
pub fn obey(text: &str, hub: &Hub, name: &str) -> ToView {
    match serde_json::from_str(text) {
        Ok(FromView::Do { id, what }) => {
            ToView::Reply(Reply { id, refused: hub.command(what, name).err() })
        }
        Ok(FromView::Join { .. }) => ToView::Refused { reason: "the view has joined already".into() },
        Err(error) => ToView::Refused { reason: format!("the message cannot be read: {error}") },
    }
}

/// The next text; `None` at the end.
async fn text(socket: &mut WebSocket) -> Option<String> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(text) => return Some(text.to_string()),
            Message::Close(_) => return None,
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

async fn send(socket: &mut WebSocket, message: &ToView) -> Option<()> {
    let text = serde_json::to_string(message).ok()?;
    socket.send(Message::Text(text.into())).await.ok()
}
