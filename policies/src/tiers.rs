//! How far Freehand may go in a program or on a site, in a small file of the user's: `see`, `click`,
//! `type`, `full`. A tier becomes a Cedar entity that the target stands in. It is a ceiling under every
//! policy, and under `trusted-apps` it is also what is done without asking.

use std::fmt;
use std::path::Path;

use freehand_tools::action::{Action, ActionKind};
use freehand_tools::desktop::curtain::{Curtain, Pattern};
use freehand_tools::geometry::ScreenRect;
use serde::{Deserialize, Serialize};

use crate::PolicyError;
use crate::place;
use crate::shell::program_name;

/// How far Freehand may go. Ordered: each holds what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Looking, scrolling and bringing it to the front.
    See,
    /// Pressing what is there as well.
    Click,
    /// Typing as well.
    Type,
    /// All that the program can do.
    Full,
}

impl Tier {
    /// All of them, the narrowest first.
    pub const ALL: [Self; 4] = [Self::See, Self::Click, Self::Type, Self::Full];

    /// The word in the file and in a rule.
    pub const fn word(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Click => "click",
            Self::Type => "type",
            Self::Full => "full",
        }
    }

    /// Those that it holds, itself included.
    pub fn holds(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |tier| *tier <= self)
    }
}

/// How far to go in what an action lands on; `None` where the file says nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// What the user trusts Freehand with.
    pub trust: Option<Tier>,
    /// What it may not go beyond.
    pub limit: Option<Tier>,
}

/// One program. Exactly one of the three says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    /// The window class or the name of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    /// The window class alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    /// The command alone, a name or a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    executable: Option<String>,
    tier: Tier,
}

/// A site with all that lies below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Site {
    domain: String,
    tier: Tier,
}

/// What is not even seen: the windows of a program, windows by a part of their title, a part of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Unseen {
    /// The window class or the name of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    /// A part of the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// A part of the screen in px: left, top, width, height.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<(i32, i32, u32, u32)>,
}

/// The tiers of all programs and sites that the user has named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tiers {
    #[serde(rename = "app")]
    apps: Vec<App>,
    #[serde(rename = "site")]
    sites: Vec<Site>,
    #[serde(rename = "hidden")]
    unseen: Vec<Unseen>,
}

impl Tiers {
    /// Reads a file; `name` is what an error calls it.
    pub fn parse(text: &str, name: &Path) -> Result<Self, PolicyError> {
        let bad = |line: usize, reason: String| PolicyError::Toml { file: name.into(), line, reason };
        let tiers: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            bad(before.matches('\n').count() + 1, error.message().replace('\n', " "))
        })?;
        for App { program, class, executable, .. } in &tiers.apps {
            let named = [program, class, executable].into_iter().flatten();
            if named.count() != 1 {
                let reason = "an `app` needs one of `program`, `class` and `executable`";
                return Err(bad(1, reason.into()));
            }
        }
        for Unseen { program, title, region } in &tiers.unseen {
            let empty = [program, title].into_iter().flatten().any(|text| text.trim().is_empty());
            let window = program.is_some() || title.is_some();
            if empty || window == region.is_some() {
                let reason = "a `hidden` needs a `program`, a `title` or both, or a `region` alone";
                return Err(bad(1, reason.into()));
            }
        }
        Ok(tiers)
    }

    /// What must not be seen.
    pub fn curtain(&self) -> Curtain {
        let mut curtain = Curtain::default();
        for Unseen { program, title, region } in &self.unseen {
            if let Some((x, y, width, height)) = region {
                curtain.places.push(ScreenRect::new(*x, *y, *width, *height));
            } else {
                let (program, title) = (program.clone(), title.clone());
                curtain.windows.push(Pattern { program, title });
            }
        }
        curtain
    }

    /// What both say; where they differ, the narrower holds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.apps.extend(other.apps);
        self.sites.extend(other.sites);
        self.unseen.extend(other.unseen);
        self
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.sites.is_empty() && self.unseen.is_empty()
    }

    /// How far to go in what an action lands on. Where several lines fit, the narrowest holds.
    pub fn of(&self, action: &Action) -> Reach {
        let window = action.target.window.as_ref().map(|window| window.app.as_str());
        let mut command = None;
        if let ActionKind::OpenApp { command: line } = &action.kind {
            command = shlex_first(line);
        }
        let app = self.apps.iter().filter(|app| app.fits(window, command.as_deref()));
        let app = app.map(|app| app.tier).min();
        let site = place::hosts(action).into_iter().filter_map(|host| self.site(&host)).min();
        let limit = [app, site].into_iter().flatten().min();
        // What a window shows as its address is a reason to do less in it, and never one to do more.
        let opens = matches!(action.kind, ActionKind::OpenUrl { .. });
        Reach { trust: if opens { site } else { app.and(limit) }, limit }
    }

    fn site(&self, host: &str) -> Option<Tier> {
        let fits = |domain: &str| {
            let domain = domain.trim_start_matches('.').to_lowercase();
            host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
        };
        // The longest name is the nearest one.
        let near = self.sites.iter().filter(|site| fits(&site.domain));
        near.max_by_key(|site| (site.domain.len(), std::cmp::Reverse(site.tier))).map(|site| site.tier)
    }
}

impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for App { program, class, executable, tier } in &self.apps {
            let kinds = [("program", program), ("class", class), ("executable", executable)];
            for (kind, name) in kinds {
                if let Some(name) = name {
                    writeln!(f, "{kind} {name:?}: {}", tier.word())?;
                }
            }
        }
        for Site { domain, tier } in &self.sites {
            writeln!(f, "site {domain:?}: {}", tier.word())?;
        }
        for Unseen { program, title, region } in &self.unseen {
            let said = [("program", program), ("title", title)];
            let said =
                said.iter().filter_map(|(kind, text)| Some(format!("{kind} {:?}", text.as_ref()?)));
            let place = region.map(|(x, y, width, height)| format!("region {x},{y},{width}x{height}"));
            let all: Vec<String> = said.chain(place).collect();
            writeln!(f, "{}: hidden", all.join(" and "))?;
        }
        Ok(())
    }
}

fn shlex_first(command: &str) -> Option<String> {
    shlex::split(command)?.into_iter().next()
}

impl App {
    fn fits(&self, class: Option<&str>, command: Option<&str>) -> bool {
        let same = |name: &Option<String>, other: Option<&str>| {
            name.as_ref().zip(other).is_some_and(|(name, other)| name.to_lowercase() == other)
        };
        let class = class.map(str::to_lowercase);
        let (path, name) = (command.map(str::to_owned), command.map(program_name));
        same(&self.program, class.as_deref())
            || same(&self.program, name.as_deref())
            || same(&self.class, class.as_deref())
            || same(&self.executable, name.as_deref())
            || self.executable.is_some() && self.executable == path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::{in_window, plain};
    use freehand_tools::action::EffectClass;

    const FILE: &str = "\
[[app]]
program = \"Mousepad\"
tier = \"type\"

[[app]]
class = \"xterm\"
tier = \"see\"

[[app]]
executable = \"/opt/tool\"
tier = \"full\"

[[site]]
domain = \"example.org\"
tier = \"click\"

[[site]]
domain = \"mail.example.org\"
tier = \"see\"
";

    fn tiers() -> Tiers {
        Tiers::parse(FILE, Path::new("tiers.toml")).unwrap()
    }

    #[test]
    fn programs_and_sites_have_their_tiers() {
        let tiers = tiers();
        for (app, expected) in
            [("mousepad", Some(Tier::Type)), ("XTerm", Some(Tier::See)), ("gimp", None)]
        {
            assert_eq!(tiers.of(&in_window(1, app, "x")).trust, expected, "{app}");
        }
        for (command, expected) in [
            ("mousepad notes.txt", Some(Tier::Type)),
            ("/tmp/mousepad", None),
            ("xterm", None),
            ("/opt/tool --x", Some(Tier::Full)),
            ("/tmp/tool", None),
        ] {
            let action = plain(ActionKind::OpenApp { command: command.into() }, EffectClass::Launch);
            assert_eq!(tiers.of(&action).trust, expected, "{command}");
        }
        for (url, expected) in [
            ("https://example.org/x", Some(Tier::Click)),
            ("https://a.example.org", Some(Tier::Click)),
            ("https://mail.example.org/", Some(Tier::See)),
            ("https://notexample.org", None),
            ("https://example.org@evil.net/", None),
            ("https://evil.net/example.org", None),
        ] {
            let action = plain(ActionKind::OpenUrl { url: url.into() }, EffectClass::Launch);
            assert_eq!(tiers.of(&action).trust, expected, "{url}");
        }
    }

    #[test]
    fn what_is_hidden_is_said_by_window_or_by_place() {
        let file = "[[hidden]]\nprogram = \"vault\"\n[[hidden]]\ntitle = \"Private\"\n\
                    [[hidden]]\nregion = [0, -5, 30, 40]\n";
        let tiers = Tiers::parse(file, Path::new("t")).unwrap();
        let curtain = tiers.curtain();
        assert_eq!(curtain.places, [ScreenRect::new(0, -5, 30, 40)]);
        assert_eq!(curtain.windows.len(), 2);
        assert_eq!(
            tiers.to_string(),
            "program \"vault\": hidden\ntitle \"Private\": hidden\nregion 0,-5,30x40: hidden\n"
        );
        for file in [
            "[[hidden]]\n",
            "[[hidden]]\ntitle = \" \"\n",
            "[[hidden]]\ntitle = \"a\"\nregion = [1, 2, 3, 4]\n",
            "[[hidden]]\nregion = [1, 2, 3]\n",
            "[[hidden]]\nclass = \"a\"\n",
        ] {
            let error = Tiers::parse(file, Path::new("tiers.toml")).unwrap_err().to_string();
            assert!(error.contains("tiers.toml"), "{error}");
        }
    }

    #[test]
    fn addresses_only_narrow_and_the_narrowest_holds() {
        let mut action = in_window(1, "firefox", "Mail");
        action.setting.addresses = vec!["example.org/inbox".into()];
        assert_eq!(tiers().of(&action), Reach { trust: None, limit: Some(Tier::Click) });
        action.setting.addresses.push("mail.example.org".into());
        assert_eq!(tiers().of(&action), Reach { trust: None, limit: Some(Tier::See) });
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        for (text, line, part) in [
            ("[[app]]\nprogram = \"x\"\ntier = \"all\"\n", 3, "all"),
            ("[[app]]\ntier = \"see\"\n", 1, "`program`"),
            ("\n[[apps]]\n", 2, "apps"),
        ] {
            let error = Tiers::parse(text, Path::new("t.toml")).unwrap_err().to_string();
            assert!(error.contains(&format!("`t.toml`, line {line}")), "{error}");
            assert!(error.contains(part), "{error}");
        }
    }
}
