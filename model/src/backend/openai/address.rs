//! Where a server is asked. Only the host that the user named is ever asked, so the address is
//! settled once, here, and kept free of anything secret.

use reqwest::Url;

use crate::backend::ModelError;

/// The address up to `/v1`, without a slash at the end.
pub(super) fn base(given: &str) -> Result<String, ModelError> {
    let refused = |reason: &str| ModelError::Unreachable {
        url: shown(given),
        reason: format!("{reason}; give an address such as `http://127.0.0.1:8080/v1`"),
    };
    let url = Url::parse(given.trim()).map_err(|_| refused("that is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("that is not an address of http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a key does not belong in the address; pass it by itself"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("the address ends with more than a path"));
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/chat/completions").unwrap_or(path);
    let path = if path.is_empty() { "/v1" } else { path };
    Ok(format!("{}{path}", url.origin().ascii_serialization()))
}

/// Whether what is sent there leaves this machine in clear text.
pub(super) fn exposed(base: &str) -> bool {
    Url::parse(base).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let here = host == "localhost"
            || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        url.scheme() == "http" && !here
    })
}

/// The address without a name and password in it.
fn shown(given: &str) -> String {
    let start = given.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = given.split_at_checked(start).unwrap_or(("", given));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    scheme.chars().chain(host.chars()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settles() {
        for (given, settled) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
            ("http://localhost:11434/", "http://localhost:11434/v1"),
            (" http://[::1]:8080/v1/ ", "http://[::1]:8080/v1"),
            ("https://box.example/api/v1", "https://box.example/api/v1"),
            ("http://10.0.0.7:8000/v1/chat/completions", "http://10.0.0.7:8000/v1"),
        ] {
            assert_eq!(base(given).as_deref(), Ok(settled));
        }
    }

    #[test]
    fn refuses() {
        for given in [
            "",
            "127.0.0.1:8080",
            "file:///etc/passwd",
            "http://",
            "http://a/?key=b",
            "http://me:secret@a/",
        ] {
            let error = base(given).unwrap_err().to_string();
            assert!(error.contains("127.0.0.1:8080/v1") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn tells_what_is_exposed() {
        for (base, told) in [
            ("http://127.0.0.1:1/v1", false),
            ("http://localhost/v1", false),
            ("http://[::1]:80/v1", false),
            ("https://a.example/v1", false),
            ("http://a.example/v1", true),
        ] {
            assert_eq!(exposed(base), told, "{base}");
        }
    }
}
