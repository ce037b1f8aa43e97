//! Places where a run goes on only while a person looks: a bank, a mail program. Named by program or
//! by site.

use freehand_tools::action::Target;
use freehand_tools::observation::Observation;
use freehand_tools::setting::Setting;

/// Programs and sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    apps: Vec<String>,
    sites: Vec<String>,
}

impl Watched {
    /// These programs, by window class or command, and these sites, by host name with all below it.
    pub fn new(apps: &[String], sites: &[String]) -> Self {
        let small = |names: &[String]| names.iter().map(|name| name.trim().to_lowercase()).collect();
        Self { apps: small(apps), sites: small(sites) }
    }

    /// The watched place that has the keyboard in `seen`, or that `target` lies in.
    pub fn place(&self, seen: &Observation, target: Option<&Target>) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let focused = Target::focused(seen);
        let targets = [Some(&focused), target].into_iter().flatten();
        targets
            .filter_map(|target| self.holding(target, &Setting::of(target, seen)))
            .map(ToOwned::to_owned)
            .next()
    }

    /// The watched place that `target` lies in, with what is known of its setting.
    pub fn holding(&self, target: &Target, setting: &Setting) -> Option<&str> {
        let app = target.window.as_ref().map(|window| window.app.to_lowercase());
        let app = app.and_then(|app| self.apps.iter().find(|name| **name == app));
        let site = || {
            let hosts: Vec<String> = setting.addresses.iter().map(|address| host(address)).collect();
            self.sites.iter().find(|site| hosts.iter().any(|host| is_below(host, site)))
        };
        app.or_else(site).map(String::as_str)
    }

    /// Whether nothing is watched.
    pub const fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.sites.is_empty()
    }

    /// These places and those of `other`.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.apps.extend_from_slice(&other.apps);
        self.sites.extend_from_slice(&other.sites);
        self
    }
}

/// The host of what stands in an address bar, which may leave the scheme out.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host.trim_end_matches('.').to_lowercase()
}

fn is_below(host: &str, site: &str) -> bool {
    host == site || host.strip_suffix(site).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_known_by_their_host() {
        for (address, site, expected) in [
            ("https://my.bank.example/pay?x=1", "bank.example", true),
            ("bank.example", "bank.example", true),
            ("bank.example:8443/a", "bank.example", true),
            ("https://bank.example@evil.example/", "bank.example", false),
            ("https://notbank.example", "bank.example", false),
            ("https://evil.example/?u=bank.example", "bank.example", false),
            ("BANK.Example./", "bank.example", true),
        ] {
            assert_eq!(is_below(&host(address), site), expected, "{address}");
        }
    }
}
