//! Notifications for questions, through whatever shows them on the desktop (`org.freedesktop.Notifications`).
//! A press on `Allow` or `Refuse` is an answer; closing one is none, and a no where there is no other way to
//! answer. Where nothing shows them nothing happens.

/// How the person has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// Yes, once.
    Allowed,
    /// No.
    Refused,
    /// The question was put aside where nobody else is asked.
    Closed,
}

#[cfg(target_os = "linux")]
pub(super) use over_the_bus::Bell;

#[cfg(target_os = "linux")]
mod over_the_bus {
    use std::collections::HashMap;
    use std::time::Duration;

    use freehand_tools::visible::visible;
    use futures_util::{FutureExt as _, StreamExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use zbus::proxy::SignalStream;
    use zbus::zvariant::Value;
    use zbus::{Connection, Proxy};

    use super::Rung;

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// As long as the service may take to be found.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// As long as a press may be behind the closing that it leads to.
    const AFTERTHOUGHT: Duration = Duration::from_millis(100);
    /// As long as a notification may take to go away.
    const FAREWELL: Duration = Duration::from_secs(1);
    /// Characters of a question that are shown.
    const MOST: usize = 400;
    const ALLOW: &str = "allow";
    const REFUSE: &str = "refuse";
    /// Why one has gone, as the specification numbers it.
    const EXPIRED: u32 = 1;

    /// A service that shows notifications.
    #[derive(Debug, Clone)]
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

        /// Asks, and says where else that can be answered.
        pub(in crate::presence) fn ask(&self, what: &str, elsewhere: Option<&str>) -> Ringing {
            let actions = if self.actions { &[ALLOW, "Allow", REFUSE, "Refuse"][..] } else { &[] };
            self.ring("May Freehand do this?", what, elsewhere, actions)
        }

        /// Tells of a question in words, which is answered elsewhere.
        pub(in crate::presence) fn tell(&self, question: &str, elsewhere: Option<&str>) -> Ringing {
            self.ring("Freehand asks", question, elsewhere, &[])
        }

        fn ring(
            &self,
            title: &'static str,
            text: &str,
            elsewhere: Option<&str>,
            actions: &'static [&'static str],
        ) -> Ringing {
            let text = body(text, elsewhere, !actions.is_empty(), self.markup);
            let (bell, alone) = (self.clone(), elsewhere.is_none());
            let ((answers, answer), (end, ended)) = (oneshot::channel(), oneshot::channel());
            let gone = tokio::spawn(async move {
                let shown = Words { title, text: &text, actions };
                if let Err(error) = bell.show(shown, alone, answers, ended).await {
                    tracing::info!(%error, "a question was not shown as a notification");
                }
            });
            Ringing { answer, end, gone }
        }

        async fn show(
            &self,
            words: Words<'_>,
            alone: bool,
            answers: oneshot::Sender<Rung>,
            mut ended: oneshot::Receiver<()>,
        ) -> zbus::Result<()> {
            // Only what the service itself says comes through: the proxy asks whose the name is.
            let mut pressed = self.service.receive_signal("ActionInvoked").await?;
            let mut closed = self.service.receive_signal("NotificationClosed").await?;
            let mut note = self.put(&words).await?;
            let (rung, gone) = loop {
                tokio::select! {
                    rung = note.answer(&mut pressed) => break (Some(rung), false),
                    why = note.goes(&mut closed), if alone => {
                        // A press closes it as well, and both may come at once.
                        let pressed = note.answer(&mut pressed);
                        match (tokio::time::timeout(AFTERTHOUGHT, pressed).await, why) {
                            (Ok(rung), _) => break (Some(rung), true),
                            (Err(_), EXPIRED) => note = self.put(&words).await?,
                            (Err(_), _) => break (Some(Rung::Closed), true),
                        }
                    }
                    _ = &mut ended => break (None, false),
                }
            };
            if let Some(rung) = rung {
                let _ = answers.send(rung);
            }
            if !gone {
                note.end(&mut closed).await;
            }
            Ok(())
        }

        async fn put(&self, words: &Words<'_>) -> zbus::Result<Note<'_>> {
            // It stays until it is answered.
            let hints =
                HashMap::from([("urgency", Value::from(2_u8)), ("resident", Value::from(false))]);
            let note = ("Freehand", 0_u32, "", words.title, words.text, words.actions, hints, 0_i32);
            let number = self.service.call("Notify", &note).await?;
            Ok(Note { service: &self.service, number, open: true })
        }
    }

    /// What stands on a notification.
    struct Words<'w> {
        title: &'w str,
        text: &'w str,
        actions: &'w [&'w str],
    }

    /// A question that is shown, until it is ended or dropped.
    #[derive(Debug)]
    pub(in crate::presence) struct Ringing {
        answer: oneshot::Receiver<Rung>,
        end: oneshot::Sender<()>,
        gone: JoinHandle<()>,
    }

    impl Ringing {
        /// The person's answer; never returns without one.
        pub(in crate::presence) async fn answer(&mut self) -> Rung {
            match (&mut self.answer).await {
                Ok(rung) => rung,
                Err(_) => std::future::pending().await,
            }
        }

        /// Takes it away, and waits until it has gone: what comes next looks at the screen.
        pub(in crate::presence) async fn end(self) {
            drop(self.end);
            if tokio::time::timeout(FAREWELL, self.gone).await.is_err() {
                tracing::info!("a notification does not say that it has gone");
            }
        }
    }

    /// A notification that goes when its question does.
    struct Note<'b> {
        service: &'b Proxy<'static>,
        number: u32,
        /// Whether it may be there still.
        open: bool,
    }

    impl Note<'_> {
        /// What is pressed on it, once something is.
        async fn answer(&self, pressed: &mut SignalStream<'_>) -> Rung {
            while let Some(signal) = pressed.next().await {
                let Ok((number, key)) = signal.body().deserialize::<(u32, String)>() else { continue };
                match key.as_str() {
                    ALLOW if number == self.number => return Rung::Allowed,
                    REFUSE if number == self.number => return Rung::Refused,
                    _ => {}
                }
            }
            // The service has gone, and nothing can be pressed.
            std::future::pending().await
        }

        /// Returns once it has gone, with why.
        async fn goes(&self, closed: &mut SignalStream<'_>) -> u32 {
            while let Some(signal) = closed.next().await {
                match signal.body().deserialize::<(u32, u32)>() {
                    Ok((number, why)) if number == self.number => return why,
                    _ => {}
                }
            }
            std::future::pending().await
        }

        /// Takes it away; returns once the service says that it has gone.
        async fn end(mut self, closed: &mut SignalStream<'_>) {
            self.open = false;
            // One that has gone by itself may be an error here.
            let _: zbus::Result<()> = self.service.call("CloseNotification", &(self.number,)).await;
            self.goes(closed).await;
        }
    }

    impl Drop for Note<'_> {
        fn drop(&mut self) {
            if !self.open {
                return;
            }
            let (service, number) = (self.service.clone(), self.number);
            let close = async move { service.call_noreply("CloseNotification", &(number,)).await };
            // The program may end with it, so it is sent here and now where the bus takes it.
            let _ = Box::pin(close).now_or_never();
        }
    }

    /// A text of the screen or of the model, which must not become anything else, and where it is answered.
    fn body(text: &str, elsewhere: Option<&str>, here: bool, markup: bool) -> String {
        let text = visible(text, MOST);
        let text = if markup {
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        } else {
            text
        };
        match (elsewhere, here) {
            (Some(place), true) => format!("{text}\nAnswer it here or {place}."),
            (Some(place), false) => format!("{text}\nAnswer it {place}."),
            (None, _) => text,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn no_markup_and_nothing_hidden_gets_through() {
            let text = "click <a href=\"x\">OK</a> & \u{202e}go";
            let escaped = "click &lt;a href=\"x\"&gt;OK&lt;/a&gt; &amp; \\u{202e}go";
            assert_eq!(body(text, None, true, true), escaped);
            assert_eq!(body(text, None, false, false), "click <a href=\"x\">OK</a> & \\u{202e}go");
        }

        #[test]
        fn it_says_where_it_is_answered() {
            let console = Some("in the console");
            assert_eq!(body("go", console, true, true), "go\nAnswer it here or in the console.");
            assert_eq!(body("go", console, false, true), "go\nAnswer it in the console.");
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use nowhere::Bell;

#[cfg(not(target_os = "linux"))]
mod nowhere {
    use super::Rung;

    /// There is none so far.
    #[derive(Debug, Clone)]
    pub(in crate::presence) enum Bell {}

    impl Bell {
        pub(in crate::presence) async fn find() -> Option<Self> {
            None
        }

        pub(in crate::presence) const fn takes_answers(&self) -> bool {
            match *self {}
        }

        pub(in crate::presence) fn ask(&self, _: &str, _: Option<&str>) -> Self {
            match *self {}
        }

        pub(in crate::presence) fn tell(&self, _: &str, _: Option<&str>) -> Self {
            match *self {}
        }

        pub(in crate::presence) async fn answer(&mut self) -> Rung {
            match *self {}
        }

        pub(in crate::presence) async fn end(self) {
            match self {}
        }
    }
}
