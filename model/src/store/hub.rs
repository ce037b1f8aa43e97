//! Fetches a file from a model hub. The hub passes us on to wherever the bytes are, which may break
//! off at any time: then we ask again for what is missing. The file is pinned by its hash, so a part
//! that is already here needs no other proof that it belongs to the same file.

use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, HeaderMap, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::catalogue::{Entry, HubFile};
use super::partial::Partial;
use super::pull::{Progress, Stage, Trouble};
use crate::backend::ModelError;

const PUBLIC: &str = "https://huggingface.co";
/// As often as the hub may pass us on.
const HOPS: usize = 5;
/// As many attempts in a row may bring nothing.
const STRIKES: u32 = 5;
/// As many attempts may bring something.
const ATTEMPTS: u32 = 200;

/// Where the hub is and how patient we are with it.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    pub(super) endpoint: String,
    /// Before the second attempt; the later ones wait longer.
    pub(super) pause: Duration,
    /// Without a byte.
    pub(super) silence: Duration,
}

impl Hub {
    /// The hub that the environment names, or the public one.
    pub(super) fn usual() -> Self {
        let named = std::env::var("HF_ENDPOINT").ok().filter(|named| !named.trim().is_empty());
        let endpoint = named.unwrap_or_else(|| PUBLIC.to_owned());
        Self { endpoint, pause: Duration::from_secs(1), silence: Duration::from_secs(60) }
    }

    fn url(&self, file: &HubFile) -> Result<Url, Trouble> {
        let HubFile { repo, revision, file } = file;
        let url =
            format!("{}/{repo}/resolve/{revision}/{file}", self.endpoint.trim().trim_end_matches('/'));
        let url = Url::parse(&url)
            .map_err(|_| Trouble::Away("its address is none; set HF_ENDPOINT".into()))?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            _ => Err(Trouble::Away("its address is not one of http or https; set HF_ENDPOINT".into())),
        }
    }

    // The proxy of the environment is followed here, unlike for a model server: companies have one.
    fn client(&self) -> Result<Client, Trouble> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(self.silence)
            .user_agent(concat!("freehand/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Trouble::Away(cause(&error)))
    }

    /// Adds to `partial` what is missing of the file.
    pub(super) async fn fetch(
        &self,
        file: &HubFile,
        entry: &Entry,
        mut partial: Partial,
        progress: &mut dyn Progress,
    ) -> Result<Partial, Trouble> {
        let (url, client) = (self.url(file)?, self.client()?);
        let (mut strikes, mut met) = (0, false);
        for _ in 0..ATTEMPTS {
            let before = partial.bytes();
            progress.at(Stage::Hub, before, entry.bytes);
            if before == entry.bytes {
                return Ok(partial);
            }
            let mut attempt = Attempt { client: &client, entry, met: &mut met };
            let cut = match attempt.run(url.clone(), &mut partial, progress).await {
                Ok(()) => "the connection ended too early".to_owned(),
                Err(Trouble::Away(reason)) if met => reason,
                Err(trouble) => return Err(trouble),
            };
            if partial.bytes() == entry.bytes {
                continue;
            }
            strikes = if partial.bytes() > before { 1 } else { strikes + 1 };
            tracing::debug!(%cut, strikes, bytes = partial.bytes(), "the hub broke off");
            if strikes > STRIKES {
                return Err(Trouble::Away(cut));
            }
            tokio::time::sleep(self.pause * strikes).await;
        }
        Err(Trouble::Away("it broke off too often".into()))
    }
}

struct Attempt<'a> {
    client: &'a Client,
    entry: &'a Entry,
    /// Whether the hub has ever sent a part of the file.
    met: &'a mut bool,
}

impl Attempt<'_> {
    async fn run(
        &mut self,
        url: Url,
        partial: &mut Partial,
        progress: &mut dyn Progress,
    ) -> Result<(), Trouble> {
        let mut response = self.open(url, partial.bytes()).await?;
        let continues = response.status() == StatusCode::PARTIAL_CONTENT
            && begins(response.headers()) == Some(partial.bytes());
        if !continues {
            // It sends the whole file, or some other part of it, which is of no use.
            partial.clear().map_err(|error| self.disk(&error))?;
            if response.status() != StatusCode::OK {
                return Err(Trouble::Away("it sent another part than it was asked for".into()));
            }
        }
        *self.met = true;
        while let Some(bytes) = response.chunk().await.map_err(|error| Trouble::Away(cause(&error)))? {
            if partial.bytes() + bytes.len() as u64 > self.entry.bytes {
                partial.clear().map_err(|error| self.disk(&error))?;
                return Err(self.other("it is longer"));
            }
            partial.append(&bytes).map_err(|error| self.disk(&error))?;
            progress.at(Stage::Hub, partial.bytes(), self.entry.bytes);
        }
        Ok(())
    }

    /// Asks for the file from byte `from` on, wherever it is.
    async fn open(&self, mut url: Url, from: u64) -> Result<Response, Trouble> {
        for _ in 0..HOPS {
            let mut request = self.client.get(url.clone());
            if from > 0 {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            let response = request.send().await.map_err(|error| Trouble::Away(cause(&error)))?;
            self.announced(response.headers())?;
            let status = response.status();
            if status == StatusCode::OK || status == StatusCode::PARTIAL_CONTENT {
                return Ok(response);
            }
            if !status.is_redirection() {
                return Err(Trouble::Away(format!("it answers {}", status.as_u16())));
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let next = to.and_then(|to| url.join(to).ok());
            let next = next
                .filter(|next| matches!((url.scheme(), next.scheme()), (_, "https") | ("http", "http")));
            url = next.ok_or_else(|| Trouble::Away("it passes us on to nowhere".into()))?;
        }
        Err(Trouble::Away("it passes us on for ever".into()))
    }

    /// Looks at what the hub says about the file, so that a wrong one is not fetched at all.
    fn announced(&self, headers: &HeaderMap) -> Result<(), Trouble> {
        let told = |name: &str| headers.get(name).and_then(|told| told.to_str().ok());
        if let Some(etag) = told("x-linked-etag") {
            let hash = etag.trim_start_matches("W/").trim_matches('"');
            // A tag of another form says nothing about the content.
            if hash.len() == self.entry.sha256.len() && !hash.eq_ignore_ascii_case(&self.entry.sha256) {
                return Err(self.other("it has another SHA-256"));
            }
        }
        match told("x-linked-size").and_then(|size| size.parse::<u64>().ok()) {
            Some(size) if size != self.entry.bytes => Err(self.other("it has another size")),
            _ => Ok(()),
        }
    }

    fn other(&self, why: &str) -> Trouble {
        let reason =
            format!("the hub's file is not the one of the catalogue: {why}; nothing was kept of it");
        Trouble::Failed(ModelError::FetchFailed { name: self.entry.name.clone(), reason })
    }

    fn disk(&self, error: &std::io::Error) -> Trouble {
        let reason = format!("it cannot be written: {error}");
        Trouble::Failed(ModelError::FetchFailed { name: self.entry.name.clone(), reason })
    }
}

/// The first byte that a partial reply holds.
fn begins(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// The innermost reason of an error; the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
