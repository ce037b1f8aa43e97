//! Whether the programs of this session are asked to tell what they show. Many tell nothing before somebody
//! says on the session bus that it is wanted (`org.a11y.Status`), and on most desktops nobody has.

use std::time::Duration;

use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::{OwnedValue, Value};

/// As long as the session bus may take: it may have to start the accessibility bus first.
const PATIENCE: Duration = Duration::from_secs(5);
const STATUS: &str = "org.a11y.Status";
const WANTED: &str = "IsEnabled";

/// Why nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unasked {
    /// There is no session bus where the session is said to have one.
    NoSession(String),
    /// There is, and nobody on it knows.
    NoAnswer(String),
}

/// Whether it is wanted.
pub async fn is_on() -> Result<bool, Unasked> {
    let unknown = |error: String| Unasked::NoAnswer(error);
    let reply = ask("Get", &(STATUS, WANTED)).await?;
    let said: OwnedValue = reply.body().deserialize().map_err(|error| unknown(error.to_string()))?;
    bool::try_from(said).map_err(|error| unknown(error.to_string()))
}

/// Says that it is. Programs that run already may have to be opened anew. Desktops with settings keep it; on
/// others it holds until the end of the session.
pub async fn switch_on() -> Result<(), Unasked> {
    ask("Set", &(STATUS, WANTED, Value::Bool(true))).await.map(drop)
}

async fn ask<A>(method: &str, args: &A) -> Result<zbus::Message, Unasked>
where
    A: serde::Serialize + zbus::zvariant::DynamicType + Sync,
{
    let late = || format!("it does not answer within {} s", PATIENCE.as_secs());
    let session = timeout(PATIENCE, Connection::session()).await;
    let session = session.map_err(|_| Unasked::NoSession(late()))?;
    let session = session.map_err(|error| Unasked::NoSession(error.to_string()))?;
    let properties = Some("org.freedesktop.DBus.Properties");
    let asked = session.call_method(Some("org.a11y.Bus"), "/org/a11y/bus", properties, method, args);
    let answer = timeout(PATIENCE, asked).await.map_err(|_| Unasked::NoAnswer(late()))?;
    answer.map_err(|error| Unasked::NoAnswer(error.to_string()))
}
