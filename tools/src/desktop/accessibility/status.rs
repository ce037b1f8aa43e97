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

/// Whether it is wanted. The error says why nobody can tell.
pub async fn is_on() -> Result<bool, String> {
    let said: OwnedValue =
        ask("Get", &(STATUS, WANTED)).await?.body().deserialize().map_err(|error| error.to_string())?;
    bool::try_from(said).map_err(|error| error.to_string())
}

/// Says that it is. Programs that run already may have to be opened anew. Desktops with settings keep it; on
/// others it holds until the end of the session.
pub async fn switch_on() -> Result<(), String> {
    ask("Set", &(STATUS, WANTED, Value::Bool(true))).await.map(drop)
}

async fn ask<A>(method: &str, args: &A) -> Result<zbus::Message, String>
where
    A: serde::Serialize + zbus::zvariant::DynamicType + Sync,
{
    let asked = async {
        let session = Connection::session().await?;
        let properties = Some("org.freedesktop.DBus.Properties");
        session.call_method(Some("org.a11y.Bus"), "/org/a11y/bus", properties, method, args).await
    };
    let late = |_| format!("the session bus does not answer within {} s", PATIENCE.as_secs());
    timeout(PATIENCE, asked).await.map_err(late)?.map_err(|error| error.to_string())
}
