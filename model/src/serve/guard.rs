//! Who may ask. A server on the loopback is reached by every program of the machine and, through a
//! browser, by every page that is open in it; so a token is asked for, and names and pages that are not
//! trusted are turned away before anything is read.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    AUTHORIZATION, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq as _;

use super::fault::Fault;

/// The rules of who may ask.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// What lets one in; without one everybody is.
    pub token: Option<Token>,
    /// Names of this server beside `localhost` and addresses as numbers.
    pub hosts: Vec<String>,
    /// Pages whose scripts may ask, such as `http://localhost:3000`.
    pub origins: Vec<String>,
}

/// What lets one in. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl Guard {
    /// Whether the name that the client calls this server by is one of its own: a page that has its own
    /// name point to this machine is not let in by it.
    pub(super) fn host(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
            return Err(Fault::forbidden("the request names no host"));
        };
        let name = without_port(host);
        let number = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        let own = self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name));
        if number || own || name.eq_ignore_ascii_case("localhost") {
            return Ok(());
        }
        Err(Fault::forbidden("this server does not go by that name; start it with `--allow-host NAME`"))
    }

    /// Whether the page that asks may do so; its address, where one does.
    pub(super) fn origin<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a HeaderValue>, Fault> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
        let known = |own: &String| own.trim_end_matches('/').as_bytes() == origin.as_bytes();
        if self.origins.iter().any(known) {
            return Ok(Some(origin));
        }
        let message = "pages of that origin may not ask; start the server with `--allow-origin ORIGIN`";
        Err(Fault::forbidden(message))
    }

    /// Whether the token is right.
    pub(super) fn token(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let Some(Token(token)) = &self.token else { return Ok(()) };
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = given.split_at_checked(7).filter(|(kind, _)| kind.eq_ignore_ascii_case(b"bearer "));
        match given {
            Some((_, given)) if bool::from(given.trim_ascii().ct_eq(token.as_bytes())) => Ok(()),
            _ => Err(Fault::no_token()),
        }
    }
}

/// Tells the browser that the page at `origin` may read the reply.
pub(super) fn allow(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers
        .insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(VARY, HeaderValue::from_static("origin"));
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn knows_its_names() {
        let guard = Guard { hosts: vec!["box.lan".into()], ..Guard::default() };
        for (host, known) in [
            ("localhost", true),
            ("LOCALHOST:8411", true),
            ("127.0.0.1:8411", true),
            ("[::1]:8411", true),
            ("[::1]", true),
            ("box.lan:1", true),
            ("evil.example", false),
            ("localhost.evil.example:8411", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(guard.host(&with(HOST, host)).is_ok(), known, "{host}");
        }
        assert!(guard.host(&HeaderMap::new()).is_err());
    }

    #[test]
    fn lets_in_by_token_alone() {
        let guard = Guard { token: Some(Token::new("secret")), ..Guard::default() };
        for (given, lets_in) in [
            ("Bearer secret", true),
            ("bearer  secret", true),
            ("Bearer secre", false),
            ("Bearer secrets", false),
            ("Bearer ", false),
            ("secret", false),
            ("Basic secret", false),
        ] {
            assert_eq!(guard.token(&with(AUTHORIZATION, given)).is_ok(), lets_in, "{given}");
        }
        assert!(guard.token(&HeaderMap::new()).is_err());
        assert!(Guard::default().token(&HeaderMap::new()).is_ok());
        assert!(!format!("{guard:?}").contains("secret"));
    }

    #[test]
    fn trusts_the_pages_that_it_was_told() {
        let guard = Guard { origins: vec!["http://localhost:3000/".into()], ..Guard::default() };
        assert_eq!(guard.origin(&HeaderMap::new()), Ok(None));
        assert!(guard.origin(&with(ORIGIN, "http://localhost:3000")).unwrap().is_some());
        for origin in ["http://localhost:3001", "https://evil.example", "null"] {
            assert!(guard.origin(&with(ORIGIN, origin)).is_err(), "{origin}");
        }
    }
}
