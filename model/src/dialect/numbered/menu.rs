//! Which programs of the menu a task names. Many are called by words that tasks are full of (Files, Calendar,
//! Office, Cheese, the Center of something), so a single word counts where it is spelled like a name, or where
//! the task leads to it: "open calc", "in the terminal".

use freehand_tools::apps::App;

use super::named::says;
use super::program::without_address;
use super::quotes::without_quotes;

/// Words that lead to a program.
const LEADS: &[&str] = &[
    "open", "start", "launch", "run", "use", "using", "in", "with", // English
    "öffne", "starte", "nutze", "verwende", "mit", "im", // German
    "ouvre", "lance", "utilise", "dans", "avec", // French
    "abre", "inicia", "usa", "en", "con", // Spanish
    "apri", "avvia", "abra", "inicie", "em", "com", // Italian, Portuguese
    "gebruik", "met", "åbn", "brug", "med", "öppna", "använd", "i", // Dutch, Danish, Swedish
];
/// Words that may stand between.
const ARTICLES: &[&str] = &[
    "the", "a", "an", "my", "der", "die", "das", "den", "dem", "einem", "einen", "ein", "le", "la",
    "les", "un", "une", "mon", "el", "una", "mi", "il", "o", "um", "uma", "de", "het", "een",
];

/// The programs that the task names outside of quotes: by name, by kind, by command, or by the part of the
/// name that no other program shares.
pub(super) fn named<'v>(task: &str, apps: &'v [App]) -> Vec<&'v App> {
    called(task, apps, is_called)
}

/// The same in whatever spelling, for where some program has to be started.
pub(super) fn mentioned<'v>(task: &str, apps: &'v [App]) -> Vec<&'v App> {
    called(task, apps, says)
}

/// The command of a program that is its name too, for it has nothing beside.
pub(super) fn command(app: &App) -> Option<&str> {
    (!app.command.contains(char::is_whitespace)).then(|| app.program())
}

fn called<'v>(task: &str, apps: &'v [App], says_name: fn(&str, &str) -> bool) -> Vec<&'v App> {
    let plain = without_quotes(&without_address(task));
    let kinds: Vec<&str> = apps.iter().filter_map(|app| app.kind.as_deref()).collect();
    let shared = |word: &str| {
        let holders = apps.iter().filter(|app| says(&app.name, word)).count();
        holders > 1 || kinds.iter().any(|kind| says(kind, word))
    };
    let fits = |app: &&App| {
        let words = || app.name.split_whitespace();
        let own = words().next().into_iter().chain(words().next_back());
        let own = own.filter(|word| word.len() > 3 && !shared(word));
        let names = app.kind.as_deref().into_iter().chain([app.name.as_str()]).chain(command(app));
        names.chain(own).any(|name| says_name(&plain, name))
    };
    apps.iter().filter(fits).collect()
}

/// Whether `task` says `name` as one says the name of a program.
fn is_called(task: &str, name: &str) -> bool {
    if !name.chars().all(char::is_alphanumeric) {
        return says(task, name);
    }
    let spelled = name.chars().any(char::is_uppercase);
    let (wanted, mut led) = (name.to_lowercase(), false);
    for word in task.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let lower = word.to_lowercase();
        if lower == wanted && (led || spelled && word == name) {
            return true;
        }
        led = LEADS.contains(&lower.as_str()) || led && ARTICLES.contains(&lower.as_str());
    }
    false
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn app(name: &str, kind: &str, command: &str) -> App {
        App {
            name: name.into(),
            kind: (!kind.is_empty()).then(|| kind.into()),
            purpose: None,
            command: command.into(),
        }
    }

    pub(in super::super) fn menu() -> Vec<App> {
        vec![
            app("Cheese", "Webcam Booth", "cheese"),
            app("Chromium Web Browser", "Web Browser", "/usr/bin/chromium"),
            app("FeatherPad", "Text Editor", "featherpad"),
            app("Files", "", "nautilus --new-window"),
            app("LibreOffice Calc", "Spreadsheet", "libreoffice --calc"),
            app("LibreOffice Start Center", "Office", "libreoffice"),
            app("LibreOffice Writer", "Word Processor", "libreoffice --writer"),
            app("Mousepad", "Text Editor", "mousepad"),
            app("Text Editor Settings", "", "mousepad --preferences"),
            app("XTerm", "", "xterm"),
        ]
    }

    #[test]
    fn the_words_of_a_task_narrow_the_menu() {
        for (task, want) in [
            ("Write \"a\" in the text editor", &["FeatherPad", "Mousepad"][..]),
            ("Write \"the text editor\" there", &[]),
            ("Open Calc and enter 3", &["LibreOffice Calc"]),
            ("Enter 3 in LibreOffice Writer", &["LibreOffice Start Center", "LibreOffice Writer"]),
            ("Look it up in Chromium", &["Chromium Web Browser"]),
            ("Use the web browser", &["Chromium Web Browser"]),
            ("Start mousepad and write", &["Mousepad"]),
            ("start the mousepad", &["Mousepad"]),
            ("Take a picture with Cheese", &["Cheese"]),
            ("Write it with calc", &["LibreOffice Calc"]),
            (
                "Tippe das in eine Spreadsheet, öffne den writer",
                &["LibreOffice Calc", "LibreOffice Writer"],
            ),
            ("Write to a friend", &[]),
            ("Click on the center of the circle", &[]),
            ("Put the cheese into the basket", &[]),
            ("Call the office about the files", &[]),
        ] {
            let menu = menu();
            let names: Vec<&str> = named(task, &menu).iter().map(|app| app.name.as_str()).collect();
            assert_eq!(names, want, "{task}");
        }
    }

    #[test]
    fn a_mention_is_enough_where_something_has_to_be_started() {
        let menu = menu();
        let names =
            |task| -> Vec<&str> { mentioned(task, &menu).iter().map(|app| app.name.as_str()).collect() };
        assert_eq!(names("calc: 3 and 4"), ["LibreOffice Calc"]);
        assert_eq!(names("put 3 into a spreadsheet"), ["LibreOffice Calc"]);
        assert_eq!(names("Write to a friend"), [""; 0]);
    }
}
