//! The keyring of the system, where the person's session keeps secrets (Secret Service on Linux).

use anyhow::Result;

use crate::exit::usage;

/// What to do where there is no keyring.
fn missing(reason: &dyn std::fmt::Display) -> anyhow::Error {
    usage(format!(
        "the keyring of the system cannot be used: {reason}; unlock or start one (gnome-keyring, KWallet, \
         KeePassXC), or keep the secret with `freehand secret set --in-file`"
    ))
}

/// The Secret Service over the session bus, which is the account's own: values go over it as they are, as
/// most of its clients send them.
#[cfg(target_os = "linux")]
mod service {
    use std::collections::HashMap;
    use std::time::Duration;

    use anyhow::Result;
    use futures_util::StreamExt as _;
    use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Type, Value};
    use zbus::{Connection, Proxy};

    use super::missing;

    /// As long as a keyring may take, the person's typing of its password included.
    const PATIENCE: Duration = Duration::from_secs(60);
    const NAME: &str = "org.freedesktop.secrets";
    const SERVICE: &str = "org.freedesktop.Secret.Service";
    const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
    /// What stands for "no object".
    const NONE: &str = "/";

    /// A value as the service gives and takes it.
    #[derive(serde::Serialize, serde::Deserialize, Type)]
    struct Wrapped {
        session: OwnedObjectPath,
        parameters: Vec<u8>,
        value: Vec<u8>,
        content_type: String,
    }

    struct Keyring {
        bus: Connection,
        service: Proxy<'static>,
        session: OwnedObjectPath,
    }

    impl Keyring {
        async fn open() -> zbus::Result<Self> {
            let bus = Connection::session().await?;
            let service = Proxy::new(&bus, NAME, "/org/freedesktop/secrets", SERVICE).await?;
            let opened: (OwnedValue, OwnedObjectPath) =
                service.call("OpenSession", &("plain", Value::from(""))).await?;
            Ok(Self { bus, service, session: opened.1 })
        }

        /// Unlocks an object; the person may be asked for the password of the keyring.
        async fn unlock(&self, what: &ObjectPath<'_>) -> zbus::Result<()> {
            let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
                self.service.call("Unlock", &(vec![what],)).await?;
            self.prompted(prompt).await
        }

        async fn prompted(&self, prompt: OwnedObjectPath) -> zbus::Result<()> {
            if prompt.as_str() == NONE {
                return Ok(());
            }
            let prompt = Proxy::new(&self.bus, NAME, prompt, "org.freedesktop.Secret.Prompt").await?;
            let mut answers = prompt.receive_signal("Completed").await?;
            prompt.call_method("Prompt", &("",)).await?;
            let answer = answers.next().await;
            let dismissed: bool = match answer {
                Some(answer) => answer.body().deserialize::<(bool, OwnedValue)>()?.0,
                None => true,
            };
            if dismissed { Err(zbus::Error::Failure("it was not unlocked".into())) } else { Ok(()) }
        }

        async fn find(&self, name: &str) -> zbus::Result<Option<OwnedObjectPath>> {
            let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
                self.service.call("SearchItems", &(attributes(name),)).await?;
            if let Some(item) = unlocked.into_iter().next() {
                return Ok(Some(item));
            }
            let Some(item) = locked.into_iter().next() else { return Ok(None) };
            self.unlock(&item).await?;
            Ok(Some(item))
        }

        async fn item(&self, path: OwnedObjectPath) -> zbus::Result<Proxy<'static>> {
            Proxy::new(&self.bus, NAME, path, "org.freedesktop.Secret.Item").await
        }
    }

    fn attributes(name: &str) -> HashMap<&str, &str> {
        HashMap::from([("application", "freehand"), ("secret", name)])
    }

    async fn within<T>(work: impl Future<Output = zbus::Result<T>>) -> Result<T> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(done) => done.map_err(|error| missing(&error)),
            Err(_) => Err(missing(&"it does not answer")),
        }
    }

    pub(crate) async fn set(name: &str, value: &str) -> Result<()> {
        within(async {
            let keyring = Keyring::open().await?;
            let path = ObjectPath::try_from(DEFAULT)?;
            keyring.unlock(&path).await?;
            let all = Proxy::new(&keyring.bus, NAME, path, "org.freedesktop.Secret.Collection").await?;
            let label = format!("Freehand: {name}");
            let properties = HashMap::from([
                ("org.freedesktop.Secret.Item.Label", Value::from(label)),
                ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes(name))),
            ]);
            let secret = Wrapped {
                session: keyring.session.clone(),
                parameters: Vec::new(),
                value: value.as_bytes().to_vec(),
                content_type: "text/plain".into(),
            };
            let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
                all.call("CreateItem", &(properties, secret, true)).await?;
            keyring.prompted(prompt).await
        })
        .await
    }

    pub(crate) async fn get(name: &str) -> Result<Option<Vec<u8>>> {
        within(async {
            let keyring = Keyring::open().await?;
            let Some(path) = keyring.find(name).await? else { return Ok(None) };
            let item = keyring.item(path).await?;
            let secret: Wrapped = item.call("GetSecret", &(keyring.session.clone(),)).await?;
            Ok(Some(secret.value))
        })
        .await
    }

    pub(crate) async fn remove(name: &str) -> Result<()> {
        within(async {
            let keyring = Keyring::open().await?;
            let Some(path) = keyring.find(name).await? else { return Ok(()) };
            let prompt: OwnedObjectPath = keyring.item(path).await?.call("Delete", &()).await?;
            keyring.prompted(prompt).await
        })
        .await
    }
}

#[cfg(target_os = "linux")]
pub(super) use service::{remove, set};

/// The value of that name.
#[cfg(target_os = "linux")]
pub(super) async fn get(name: &str) -> Result<String> {
    let gone = || {
        usage(format!(
            "the keyring holds no secret `{name}`; set it anew with `freehand secret set {name}`"
        ))
    };
    let value = service::get(name).await?.ok_or_else(gone)?;
    String::from_utf8(value).map_err(|_| usage(format!("the secret `{name}` in the keyring is no text")))
}

#[cfg(not(target_os = "linux"))]
mod none {
    use anyhow::Result;

    use super::missing;

    const WHY: &str = "it is used on Linux only so far";

    pub(crate) async fn set(_: &str, _: &str) -> Result<()> {
        Err(missing(&WHY))
    }

    pub(crate) async fn get(_: &str) -> Result<String> {
        Err(missing(&WHY))
    }

    pub(crate) async fn remove(_: &str) -> Result<()> {
        Err(missing(&WHY))
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use none::{get, remove, set};
