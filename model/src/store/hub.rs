//! Fetches a file from a model hub. The hub passes us on to wherever the bytes are, which may break
//! off at any time: then we ask again for what is missing. The file is pinned by its hash, so a part
//! that is already here needs no other proof that it belongs to the same file.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use reqwest::header::{CONTENT_RANGE, HeaderMap, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::catalogue::{Entry, HubFile};
use super::partial::Partial;
use super::pin::Pin;
use super::pull::{Progress, Stage, Trouble};
use crate::backend::ModelError;

const PUBLIC: &str = "https://huggingface.co";
/// Connections that a file is fetched over.
const CONNECTIONS: usize = 4;
/// Bytes of a chunk, which is in memory until those before it are there.
const CHUNK: u64 = 8 << 20;
/// As often as one chunk is asked for in a row.
const CHUNK_ATTEMPTS: usize = 3;
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
    /// Bytes that are asked for at once where more than one connection is used.
    pub(super) chunk: u64,
}

impl Hub {
    /// The hub that the environment names, or the public one.
    pub(super) fn usual() -> Self {
        let named = std::env::var("HF_ENDPOINT").ok().filter(|named| !named.trim().is_empty());
        let endpoint = named.unwrap_or_else(|| PUBLIC.to_owned());
        Self { endpoint, pause: Duration::from_secs(1), silence: Duration::from_secs(60), chunk: CHUNK }
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

    /// What the hub says about a file that nothing else is known of.
    pub(super) async fn announced(&self, file: &HubFile) -> Result<Pin, Trouble> {
        let response = self.client()?.head(self.url(file)?).send().await;
        let response = response.map_err(|error| Trouble::Away(cause(&error)))?;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(Trouble::Away(format!("it answers {}", status.as_u16())));
        }
        let told = |name: &str| response.headers().get(name).and_then(|told| told.to_str().ok());
        let hash = told("x-linked-etag").map(|tag| tag.trim_start_matches("W/").trim_matches('"'));
        let hash = hash
            .map(str::to_ascii_lowercase)
            .filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
        let bytes = told("x-linked-size").and_then(|size| size.parse().ok());
        let (Some(sha256), Some(bytes)) = (hash, bytes) else {
            return Err(Trouble::Away("it tells no SHA-256 of the file".into()));
        };
        let revision = told("x-repo-commit")
            .filter(|commit| commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()));
        Ok(Pin { bytes, sha256, revision: revision.map(str::to_owned) })
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
        let (mut strikes, mut met, mut ranges) = (0, false, true);
        for _ in 0..ATTEMPTS {
            let before = partial.bytes();
            progress.at(Stage::Hub, before, entry.bytes);
            if before == entry.bytes {
                return Ok(partial);
            }
            let fetch = Fetch { client: &client, entry };
            let several = ranges && entry.bytes - before > self.chunk;
            let fetched = if several {
                fetch.several(&url, self.chunk, &mut partial, progress, &mut ranges).await
            } else {
                fetch.one(url.clone(), &mut partial, progress, &mut met).await
            };
            met |= partial.bytes() > before || several && !ranges;
            let cut = match fetched {
                Ok(()) if several && !ranges => continue,
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

#[derive(Debug, Clone, Copy)]
struct Fetch<'a> {
    client: &'a Client,
    entry: &'a Entry,
}

impl Fetch<'_> {
    /// Fetches what is missing over several connections, chunk by chunk. `ranges` turns false where the hub
    /// sends no parts of a file.
    async fn several(
        &self,
        url: &Url,
        chunk: u64,
        partial: &mut Partial,
        progress: &mut dyn Progress,
        ranges: &mut bool,
    ) -> Result<(), Trouble> {
        let (from, end) = (partial.bytes(), self.entry.bytes);
        let starts = (0..(end - from).div_ceil(chunk)).map(|number| from + number * chunk);
        let chunks = starts.map(|start| self.chunk(url, start, (start + chunk).min(end)));
        let mut chunks = stream::iter(chunks).buffered(CONNECTIONS);
        while let Some(bytes) = chunks.next().await {
            let Some(bytes) = bytes? else {
                *ranges = false;
                return Ok(());
            };
            partial.append(&bytes).map_err(|error| self.disk(&error))?;
            progress.at(Stage::Hub, partial.bytes(), end);
        }
        Ok(())
    }

    /// The bytes of the file from `start` to before `end`; `None` where the hub sends no parts.
    async fn chunk(&self, url: &Url, start: u64, end: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let mut cut = Trouble::Away("the connection ended too early".into());
        for _ in 0..CHUNK_ATTEMPTS {
            match self.chunk_once(url, start, end).await {
                Ok(Some(bytes)) if bytes.len() as u64 == end - start => return Ok(Some(bytes)),
                Ok(None) => return Ok(None),
                Err(trouble @ Trouble::Failed(_)) => return Err(trouble),
                Err(trouble) => cut = trouble,
                Ok(Some(_)) => {}
            }
        }
        Err(cut)
    }

    async fn chunk_once(&self, url: &Url, start: u64, end: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let mut response = self.open(url.clone(), &format!("bytes={start}-{}", end - 1)).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT || begins(response.headers()) != Some(start)
        {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        while let Some(more) = response.chunk().await.map_err(|error| Trouble::Away(cause(&error)))? {
            if (bytes.len() + more.len()) as u64 > end - start {
                return Ok(None);
            }
            bytes.extend_from_slice(&more);
        }
        Ok(Some(bytes))
    }

    /// Fetches what is missing over one connection.
    async fn one(
        &self,
        url: Url,
        partial: &mut Partial,
        progress: &mut dyn Progress,
        met: &mut bool,
    ) -> Result<(), Trouble> {
        let range = format!("bytes={}-", partial.bytes());
        let mut response = self.open(url, if partial.bytes() > 0 { &range } else { "" }).await?;
        let continues = response.status() == StatusCode::PARTIAL_CONTENT
            && begins(response.headers()) == Some(partial.bytes());
        if !continues {
            // It sends the whole file, or some other part of it, which is of no use.
            partial.clear().map_err(|error| self.disk(&error))?;
            if response.status() != StatusCode::OK {
                return Err(Trouble::Away("it sent another part than it was asked for".into()));
            }
        }
        *met = true;
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

    /// Asks for this range of the file, or all of it, wherever it is.
    async fn open(&self, mut url: Url, range: &str) -> Result<Response, Trouble> {
        for _ in 0..HOPS {
            let mut request = self.client.get(url.clone());
            if !range.is_empty() {
                request = request.header(RANGE, range);
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
            if hash.len() == self.entry.hash().len() && !hash.eq_ignore_ascii_case(self.entry.hash()) {
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
