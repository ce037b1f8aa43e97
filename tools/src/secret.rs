//! Secrets of the person, of which an action and a model only ever hold the name: `{{secret:shop}}`. The
//! value goes from the gate into the permit and from there to the keys, and it says itself where it may
//! be typed. Whatever a desktop shows of it later is taken out before anybody sees it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::action::{Action, ActionKind};
use crate::element::{Element, Role, Window};

/// What a name in a text begins and ends with.
const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";
/// What stands where a secret stood.
pub const MASK: &str = "•••";
/// A shorter value would be found in half of all texts.
pub const SHORTEST: usize = 4;

/// Where a secret may be typed: into a password field, or a field of one of these names, in one of these
/// programs or on one of these sites.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// Programs, by their window class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<String>,
    /// Sites, each with all that lies below it; over https, or on this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Names of fields that are no password fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// One secret.
#[derive(Clone)]
pub struct Secret {
    /// What it is called.
    pub name: String,
    /// Where it may be typed.
    pub allowed: Allowed,
    value: Zeroizing<String>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Secret {
    /// A secret with that value.
    pub fn new(name: impl Into<String>, value: String, allowed: Allowed) -> Self {
        Self { name: name.into(), allowed, value: Zeroizing::new(value) }
    }

    /// The value itself.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Why it may not go where `action` types, as far as the screen tells.
    fn misplaced(&self, action: &Action) -> Option<String> {
        let name = &self.name;
        let Some(element) = &action.target.element else {
            return Some(format!("the secret `{name}` is typed into a field, and none is named"));
        };
        let is_field = |field: &String| field.trim().eq_ignore_ascii_case(element.name.trim());
        if element.role != Role::Password && !self.allowed.fields.iter().any(is_field) {
            return Some(format!(
                "the secret `{name}` may not go into {} \"{}\"",
                element.role.word(),
                element.name
            ));
        }
        let app = action.target.window.as_ref().map(|window| window.app.as_str()).unwrap_or_default();
        let by_app = self.allowed.apps.iter().any(|allowed| allowed.eq_ignore_ascii_case(app));
        (!by_app && self.allowed.domains.is_empty())
            .then(|| format!("the secret `{name}` may not go into the program `{app}`"))
    }

    /// Whether the page in which it is to be typed has to be one of its sites.
    pub fn needs_page(&self, window: Option<&str>) -> bool {
        let app = window.unwrap_or_default();
        !self.allowed.apps.iter().any(|allowed| allowed.eq_ignore_ascii_case(app))
    }

    /// Whether it may be typed in the page of that address.
    pub fn fits(&self, address: &str) -> bool {
        let Some((scheme, rest)) = address.split_once("://") else { return false };
        let place = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let place = place.rsplit('@').next().unwrap_or_default().to_lowercase();
        let host = match place.rsplit_once(':') {
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
            _ => place.as_str(),
        };
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if scheme != "https" && !(scheme == "http" && local) {
            return false;
        }
        self.allowed.domains.iter().any(|domain| {
            let domain = domain.trim().trim_start_matches('.').to_lowercase();
            let below = || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
            place == domain || host == domain || (!domain.is_empty() && below())
        })
    }
}

/// The secrets of a run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Vec<Secret>>);

impl Secrets {
    /// These secrets.
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self(Arc::new(secrets))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret that `action` types, where it types one; or why it may not be done.
    pub(crate) fn of(&self, action: &Action) -> Result<Option<Secret>, String> {
        let ActionKind::TypeText { text, .. } = &action.kind else {
            let named = serde_json::to_string(&action.kind).is_ok_and(|text| text.contains(OPEN));
            let why = "a secret is typed into a field with `type_text`, and goes nowhere else";
            return if named && !speaks(&action.kind) { Err(why.into()) } else { Ok(None) };
        };
        if !text.contains(OPEN) {
            return Ok(None);
        }
        let Some(name) = named(text) else {
            return Err(
                "a secret is typed by itself: the text is `{{secret:name}}` and nothing else".into()
            );
        };
        let Some(secret) = self.0.iter().find(|secret| secret.name == name) else {
            return Err(format!("no secret of the name `{name}` was given"));
        };
        secret.misplaced(action).map_or_else(|| Ok(Some(secret.clone())), Err)
    }

    /// The text without any of them; `None` when there is none in it.
    pub fn hidden(&self, text: &str) -> Option<String> {
        let mut shown = None;
        for secret in self.0.iter().filter(|secret| secret.value.chars().count() >= SHORTEST) {
            let text = shown.as_deref().unwrap_or(text);
            // A list shows what holds line breaks in one line.
            for form in [secret.value(), secret.value().trim()] {
                if text.contains(form) {
                    shown = Some(text.replace(form, MASK));
                    break;
                }
            }
        }
        shown
    }

    /// Takes them out of an element; says whether there was one in it.
    pub(crate) fn hide_in(&self, element: &mut Element) -> bool {
        let Element { name, value, description, looks, options, actions, within, region, .. } = element;
        let texts = [Some(name), value.as_mut(), description.as_mut(), looks.as_mut(), within.as_mut()];
        let texts = texts.into_iter().chain([region.as_mut().map(|region| &mut region.name)]);
        let mut found = false;
        for text in texts.flatten().chain(options).chain(actions) {
            if let Some(hidden) = self.hidden(text) {
                (*text, found) = (hidden, true);
            }
        }
        found
    }

    /// Takes them out of a window's title; says whether there was one in it.
    pub(crate) fn hide_in_title(&self, window: &mut Window) -> bool {
        let hidden = self.hidden(&window.title);
        hidden.map(|title| window.title = title).is_some()
    }
}

/// Whether the kind is words for the person or the model, which may name a secret.
const fn speaks(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::Note { .. } | ActionKind::AskUser { .. } | ActionKind::Finish { .. })
}

/// The name in a text that is nothing but the name of a secret.
pub fn named(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix(OPEN)?.strip_suffix(CLOSE)?.trim();
    is_name(name).then_some(name)
}

/// Whether a secret may be called so.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}

/// The names of all secrets in a text, each once.
pub fn names(text: &str) -> Vec<&str> {
    let parts = text.split(OPEN).skip(1).filter_map(|rest| rest.split_once(CLOSE));
    let mut found: Vec<&str> = parts.map(|(name, _)| name.trim()).filter(|name| is_name(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(domains: &[&str]) -> Secret {
        let domains = domains.iter().map(ToString::to_string).collect();
        Secret::new("shop", "hunter2".into(), Allowed { domains, ..Allowed::default() })
    }

    #[test]
    fn a_name_is_found_in_a_text() {
        assert_eq!(named(" {{secret:shop}} "), Some("shop"));
        for text in
            ["x {{secret:shop}}", "{{secret:}}", "{{secret:a b}}", "{{secret:a}}{{secret:b}}", "shop"]
        {
            assert_eq!(named(text), None, "{text}");
        }
        let task = "Log in as {{secret:user}} with {{ secret:x }}, {{secret:shop}} and {{secret:user}}";
        assert_eq!(names(task), ["shop", "user"]);
    }

    #[test]
    fn a_site_is_its_host_and_what_lies_below() {
        for (address, fits) in [
            ("https://shop.example/login", true),
            ("https://www.shop.example:8443/", true),
            ("http://shop.example/", false),
            ("https://evilshop.example/", false),
            ("https://shop.example.evil.net/", false),
            ("https://shop.example@evil.net/", false),
            ("https://evil.net\\@shop.example/", false),
            ("https://evil.net/?shop.example", false),
            ("http://127.0.0.1:8000/", true),
            ("http://127.0.0.1:9000/", false),
            ("file:///shop.example", false),
            ("shop.example", false),
            ("data:text/html,shop.example", false),
            ("", false),
        ] {
            assert_eq!(secret(&["shop.example", "127.0.0.1:8000"]).fits(address), fits, "{address}");
        }
        assert!(!secret(&[""]).fits("https://evil.net./") && !secret(&[]).fits("https://a/"));
    }

    #[test]
    fn it_does_not_show() {
        let secrets = Secrets::new(vec![secret(&[])]);
        assert_eq!(secrets.hidden("x hunter2 y hunter2").as_deref(), Some("x ••• y •••"));
        assert_eq!(secrets.hidden("hunter 2"), None);
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
