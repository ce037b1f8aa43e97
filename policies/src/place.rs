//! What kind of place a window or a field is: a terminal, a box that runs a command, a browser, its
//! address bar, and the host of an address. It goes by names, so a program that hides what it is is not
//! known; what is not known only ever counts for less.

use freehand_tools::action::{Action, ActionKind, Target};
use freehand_tools::element::Role;

/// Windows whose keys a shell reads, by whole words of their class.
const TERMINALS: &[&str] = &[
    "alacritty",
    "blackbox",
    "console",
    "cool-retro-term",
    "cutefish-terminal",
    "deepin-terminal",
    "eterm",
    "foot",
    "footclient",
    "ghostty",
    "gnome-terminal",
    "gnome-terminal-server",
    "guake",
    "hyper",
    "kgx",
    "kitty",
    "konsole",
    "lxterminal",
    "mate-terminal",
    "mlterm",
    "ptyxis",
    "qterminal",
    "rio",
    "roxterm",
    "rxvt",
    "sakura",
    "st",
    "st-256color",
    "terminal",
    "terminator",
    "terminology",
    "termite",
    "tilda",
    "tilix",
    "urxvt",
    "uxterm",
    "warp",
    "wezterm",
    "wezterm-gui",
    "xfce4-terminal",
    "xterm",
    "yakuake",
    "zutty",
];
/// Boxes whose Return starts what is typed.
const RUNNERS: &[&str] = &[
    "bemenu",
    "dmenu",
    "fuzzel",
    "gmrun",
    "krunner",
    "lxqt-runner",
    "mate-panel-run",
    "rofi",
    "tofi",
    "ulauncher",
    "albert",
    "wofi",
    "xfce4-appfinder",
    "xfrun4",
];
/// Browsers, by whole words of their class.
const BROWSERS: &[&str] = &[
    "brave",
    "brave-browser",
    "chrome",
    "chromium",
    "chromium-browser",
    "epiphany",
    "falkon",
    "firefox",
    "firefox-esr",
    "google-chrome",
    "icecat",
    "konqueror",
    "librewolf",
    "microsoft-edge",
    "midori",
    "navigator",
    "opera",
    "palemoon",
    "qutebrowser",
    "surf",
    "tor-browser",
    "vivaldi",
    "vivaldi-stable",
    "waterfox",
    "zen",
];
/// Whole titles of boxes whose Return starts what is typed.
const RUNNER_TITLES: &[&str] = &[
    "application finder",
    "run",
    "run application",
    "run command",
    "run program",
    "ausführen",
    "befehl ausführen",
    "exécuter",
    "exécuter une commande",
    "ejecutar",
    "esegui",
    "выполнить",
    "运行",
    "ファイル名を指定して実行",
];
/// Spreadsheets, by whole words of their class.
const SPREADSHEETS: &[&str] = &[
    "calligrasheets",
    "et",
    "excel",
    "gnumeric",
    "libreoffice-calc",
    "localc",
    "openoffice-calc",
    "sheets",
];
/// The same by words of the title, for those that share their class with other things.
const SPREADSHEET_TITLES: &[&str] = &[
    "calc",
    "excel",
    "google sheets",
    "google tabellen",
    "google таблицы",
    ".csv",
    ".ods",
    ".xls",
    ".xlsm",
    ".xlsx",
];
/// Words of the titles of windows in which programs are typed: editors of macros, consoles of scripts.
const MACRO_TITLES: &[&str] = &[
    "apps script",
    "developer tools",
    "devtools",
    "libreoffice basic",
    "macro editor",
    "microsoft visual basic",
    "my macros",
    "python console",
    "python-fu console",
    "script editor",
    "script-fu console",
    "visual basic for applications",
    "web console",
];
/// Words by which a browser names the field for the address, in small letters.
const ADDRESS_BAR: &[&str] = &[
    "address",
    "adress",
    "adres",
    "url",
    "adresse",
    "dirección",
    "endereço",
    "indirizzi",
    "indirizzo",
    "adresu",
    "адрес",
    "адреса",
    "адресная",
    "地址",
    "アドレス",
    "주소",
];

/// Whether `word`, in small letters, stands in `text` as a word of its own.
pub(crate) fn mentions(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        free(before) && free(after)
    })
}

/// Whether a class is one of `known`, in whole or in its last part: `org.gnome.Terminal`.
fn is_one_of(class: &str, known: &[&str]) -> bool {
    let class = class.to_lowercase();
    let last = class.rsplit('.').next().unwrap_or_default();
    known.contains(&class.as_str()) || known.contains(&last)
}

/// Whether keys for `target` go to a shell or start a program with the next Return.
pub(crate) fn runs_what_is_typed(target: &Target) -> bool {
    target.window.as_ref().is_some_and(|window| {
        is_one_of(&window.app, TERMINALS)
            || is_one_of(&window.app, RUNNERS)
            || RUNNER_TITLES.contains(&window.title.trim().to_lowercase().as_str())
    })
}

/// Whether `target` stands in a spreadsheet, where a formula may reach out of it.
pub(crate) fn is_spreadsheet(target: &Target) -> bool {
    target.window.as_ref().is_some_and(|window| {
        is_one_of(&window.app, SPREADSHEETS) || titled(&window.title, SPREADSHEET_TITLES)
    })
}

/// Whether programs are typed into the window of `target`, and run from there.
pub(crate) fn is_macro_editor(target: &Target) -> bool {
    target.window.as_ref().is_some_and(|window| titled(&window.title, MACRO_TITLES))
}

fn titled(title: &str, known: &[&str]) -> bool {
    known.iter().any(|words| mentions(title, words))
}

/// Whether a program of that class is a terminal.
pub(crate) fn is_terminal(class: &str) -> bool {
    is_one_of(class, TERMINALS)
}

/// Whether `target` stands in a browser.
pub(crate) fn in_browser(target: &Target) -> bool {
    target.window.as_ref().is_some_and(|window| is_one_of(&window.app, BROWSERS))
}

/// Whether `target` is a browser's field for the address. A field of a page that calls itself so only
/// has its text looked at more closely.
pub(crate) fn is_address_bar(target: &Target) -> bool {
    let Some(element) = &target.element else { return false };
    let name = element.name.to_lowercase();
    let is_named = ADDRESS_BAR
        .iter()
        .any(|word| if word.is_ascii() { mentions(&name, word) } else { name.contains(word) });
    in_browser(target) && matches!(element.role, Role::Textbox | Role::Dropdown) && is_named
}

/// The host of an address, in small letters and without name, password and port. A search for a word
/// is no visit to it.
pub(crate) fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    // Browsers read a backslash as a slash.
    let place = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = place.rsplit('@').next().unwrap_or_default();
    let bare = match place.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => place,
    };
    bare.trim_end_matches('.').to_lowercase()
}

/// The scheme of an address, in small letters; empty where it has none.
pub(crate) fn scheme(address: &str) -> String {
    let head = address.trim_start().split([':', '/', '?', '#']).next().unwrap_or_default();
    let is_scheme = address.trim_start().get(head.len()..).is_some_and(|rest| rest.starts_with(':'));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // `localhost:80` has a port and no scheme.
    let port = address.trim_start().get(head.len() + 1..).and_then(|rest| rest.chars().next());
    let is_port = port.is_some_and(|c| c.is_ascii_digit());
    if is_scheme && !is_port && head.chars().all(fits) { head.to_lowercase() } else { String::new() }
}

/// The hosts that an action has to do with: the one that it opens, or those that may be the page's on
/// which it lands.
pub(crate) fn hosts(action: &Action) -> Vec<String> {
    let named = if let ActionKind::OpenUrl { url } = &action.kind {
        vec![host(url)]
    } else if in_browser(&action.target) {
        action.setting.addresses.iter().map(|address| host(address.trim())).collect()
    } else {
        Vec::new()
    };
    named.into_iter().filter(|host| !host.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::in_window;

    #[test]
    fn windows_are_told_apart_by_their_class() {
        for (app, shell, browser) in [
            ("XTerm", true, false),
            ("org.gnome.Terminal", true, false),
            ("Rofi", true, false),
            ("firefox-esr", false, true),
            ("Chromium", false, true),
            ("mousepad", false, false),
            ("best", false, false),
            ("", false, false),
        ] {
            let target = in_window(1, app, "xterm").target;
            assert_eq!(runs_what_is_typed(&target), shell, "{app}");
            assert_eq!(in_browser(&target), browser, "{app}");
        }
    }

    #[test]
    fn hosts_and_schemes() {
        for (address, its_host, its_scheme) in [
            ("https://Example.org:80/x?y", "example.org", "https"),
            ("example.org/x", "example.org", ""),
            ("https://good.org@evil.net/", "evil.net", "https"),
            ("https://evil.net\\@good.org/", "evil.net", "https"),
            ("localhost:8000", "localhost", ""),
            ("javascript:alert(1)", "javascript:alert(1)", "javascript"),
            (" data:text/html,x", " data:text", "data"),
            ("file:///etc/passwd", "", "file"),
        ] {
            assert_eq!(host(address), its_host, "{address}");
            assert_eq!(scheme(address), its_scheme, "{address}");
        }
    }
}
