//! Notifications for questions, through whatever shows them on the desktop (`org.freedesktop.Notifications`).
//! A press on `Allow` or `Refuse` is an answer; closing one is none. Where nothing shows them nothing happens.

/// How the person has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// Yes, once.
    Allowed,
    /// No.
    Refused,
}

#[cfg(target_os = "linux")]
pub(super) use over_the_bus::Bell;

#[cfg(target_os = "linux")]
mod over_the_bus {
    use std::collections::HashMap;
    use std::time::Duration;

    use freehand_tools::visible::visible;
    use futures_util::{FutureExt as _, StreamExt as _};
    use zbus::zvariant::Value;
    use zbus::{Connection, Proxy};

    use super::Rung;

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// As long as the service may take to be found.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// Characters of a question that are shown.
    const MOST: usize = 400;
    const TITLE: &str = "May Freehand do this?";
    const ALLOW: &str = "allow";
    const REFUSE: &str = "refuse";

    /// A service that shows notifications.
    #[derive(Debug)]
    pub(in crate::presence) struct Bell {
        service: Proxy<'static>,
        actions: bool,
        markup: bool,
    }

    impl Bell {
        /// The one of the session, if there is one.
        pub(in crate::presence) async fn find() -> Option<Self> {
            let found = tokio::time::timeout(PATIENCE, Self::open()).await;
            let found = found.unwrap_or_else(|_| Err(zbus::Error::Failure("no answer".into())));
            found
                .inspect_err(|error| tracing::info!(%error, "questions are not shown as notifications"))
                .ok()
        }

        async fn open() -> zbus::Result<Self> {
            let bus = Connection::session().await?;
            let service = Proxy::new(&bus, NAME, PATH, NAME).await?;
            let able: Vec<String> = service.call("GetCapabilities", &()).await?;
            let can = |what: &str| able.iter().any(|able| able == what);
            Ok(Self { actions: can("actions"), markup: can("body-markup"), service })
        }

        /// Whether a question can be answered on it.
        pub(in crate::presence) const fn takes_answers(&self) -> bool {
            self.actions
        }

        /// Asks; returns with the person's answer, and never without one.
        pub(in crate::presence) async fn ask(&self, what: &str) -> Rung {
            let actions = if self.actions { vec![ALLOW, "Allow", REFUSE, "Refuse"] } else { Vec::new() };
            self.until_answered(TITLE, what, &actions).await
        }

        /// Tells of a question in words, which is answered elsewhere; never returns.
        pub(in crate::presence) async fn tell(&self, question: &str) {
            self.until_answered("Freehand asks", question, &[]).await;
            std::future::pending::<()>().await;
        }

        async fn until_answered(&self, title: &str, text: &str, actions: &[&str]) -> Rung {
            match self.rings(title, text, actions).await {
                Ok(rung) => rung,
                Err(error) => {
                    tracing::info!(%error, "a question was not shown as a notification");
                    std::future::pending().await
                }
            }
        }

        async fn rings(&self, title: &str, text: &str, actions: &[&str]) -> zbus::Result<Rung> {
            // Only what the service itself says comes through: the proxy asks whose the name is.
            let mut pressed = self.service.receive_signal("ActionInvoked").await?;
            let text = body(text, self.markup);
            // It stays until it is answered.
            let hints =
                HashMap::from([("urgency", Value::from(2_u8)), ("resident", Value::from(false))]);
            let note = ("Freehand", 0_u32, "", title, text, actions, hints, 0_i32);
            let note = Note { bell: self, number: self.service.call("Notify", &note).await? };
            while let Some(signal) = pressed.next().await {
                let Ok((number, key)) = signal.body().deserialize::<(u32, String)>() else { continue };
                match key.as_str() {
                    ALLOW if number == note.number => return Ok(Rung::Allowed),
                    REFUSE if number == note.number => return Ok(Rung::Refused),
                    _ => {}
                }
            }
            Err(zbus::Error::Failure("the service has gone".into()))
        }
    }

    /// A notification that goes when its question does.
    struct Note<'b> {
        bell: &'b Bell,
        number: u32,
    }

    impl Drop for Note<'_> {
        fn drop(&mut self) {
            let (service, number) = (self.bell.service.clone(), self.number);
            let close = async move { service.call_noreply("CloseNotification", &(number,)).await };
            let mut close = Box::pin(close);
            // The program may end with it, so it is sent here and now where the bus takes it.
            if close.as_mut().now_or_never().is_none() {
                tokio::spawn(close);
            }
        }
    }

    /// A text of the screen or of the model, which must not become anything else.
    fn body(text: &str, markup: bool) -> String {
        let text = visible(text, MOST);
        if !markup {
            return text;
        }
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn no_markup_and_nothing_hidden_gets_through() {
            let text = "click <a href=\"x\">OK</a> & \u{202e}go";
            assert_eq!(body(text, true), "click &lt;a href=\"x\"&gt;OK&lt;/a&gt; &amp; \\u{202e}go");
            assert_eq!(body(text, false), "click <a href=\"x\">OK</a> & \\u{202e}go");
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use nowhere::Bell;

#[cfg(not(target_os = "linux"))]
mod nowhere {
    use super::Rung;

    /// There is none so far.
    #[derive(Debug)]
    pub(in crate::presence) enum Bell {}

    impl Bell {
        pub(in crate::presence) async fn find() -> Option<Self> {
            None
        }

        pub(in crate::presence) const fn takes_answers(&self) -> bool {
            match *self {}
        }

        pub(in crate::presence) async fn ask(&self, _: &str) -> Rung {
            match *self {}
        }

        pub(in crate::presence) async fn tell(&self, _: &str) {
            match *self {}
        }
    }
}
