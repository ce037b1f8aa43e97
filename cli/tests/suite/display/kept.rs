//! Virtual desktops that are kept: each with its own home, bus and programs, and going on between commands.

use serde_json::Value;

use super::{SHELL, SHELL_IS_THERE, typing};
use crate::support::{Account, Said, processes_with, wait_for};

fn on(account: &Account, desktop: &str, calls: &[&str]) -> Said {
    account.run(&[&["do", "--display", desktop][..], calls].concat())
}

fn standing(account: &Account) -> Vec<(String, String)> {
    let listed = account.run(&["desktop", "list", "--json"]).out;
    let desktops = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    desktops.map(|desktop| (text(&desktop["name"]), text(&desktop["standing"]))).collect()
}

#[test]
fn a_kept_desktop_goes_on_until_it_is_ended() {
    let account = Account::new();
    let mark = format!("HOME={}", account.path(".local/state/freehand/desktops").display());
    let write = typing("echo $HOME > here.txt");
    on(&account, "virtual:work", &[SHELL, SHELL_IS_THERE, &write]).check(0, &[]);
    let home = account.path(".local/state/freehand/desktops/work/home");
    let here = wait_for("the file", || {
        std::fs::read_to_string(home.join("here.txt")).ok().filter(|text| text.ends_with('\n'))
    });
    assert_eq!(here.trim(), home.to_str().unwrap());

    // Another one at the same time knows nothing of it.
    let bus = typing("echo $DBUS_SESSION_BUS_ADDRESS $DISPLAY > bus.txt");
    on(&account, "virtual:other", &[SHELL, SHELL_IS_THERE, &bus]).check(0, &[]);
    let work = on(&account, "virtual:work", &[&bus]);
    work.check(0, &[]);
    let other = home.parent().unwrap().with_file_name("other").join("home/bus.txt");
    let read = |path: &std::path::Path| {
        wait_for("the bus", || std::fs::read_to_string(path).ok().filter(|text| text.ends_with('\n')))
    };
    assert_ne!(read(&home.join("bus.txt")), read(&other));
    let both = ["other", "work"].map(|name| (name.to_owned(), "on".to_owned()));
    assert_eq!(standing(&account), both);

    let args = ["observe", "--display", "virtual:work"];
    let seen = account.run(&args);
    assert!(seen.out.contains("1280x800") && seen.out.contains("XTerm"), "{seen:#?}");
    let sized = [
        "do",
        "--display",
        "virtual:work",
        "--size",
        "900x600",
        r#"{"tool":"wait","args":{"timeout_ms":1}}"#,
    ];
    account.run(&sized).check(0, &[]);
    let smaller = account.run(&args);
    assert!(smaller.out.contains("900x600") && smaller.out.contains("XTerm"), "{smaller:#?}");
    let huge = ["do", "--display", "virtual:work", "--size", "8000x600", SHELL];
    account.run(&huge).check(5, &["freehand desktop stop"]);

    account.run(&["desktop", "stop", "work"]).check(0, &["ended"]);
    account.run(&["desktop", "stop", "other"]).check(0, &["ended"]);
    assert_eq!(processes_with(&mark), [] as [u32; 0]);
    let off = ["other", "work"].map(|name| (name.to_owned(), "off".to_owned()));
    assert_eq!(standing(&account), off);
    // What is in its home is there the next time.
    let seen = account.run(&args);
    assert!(seen.out.contains("1280x800") && !seen.out.contains("XTerm"), "{seen:#?}");
    assert!(home.join("here.txt").is_file());
    account.run(&["desktop", "delete", "work"]).check(2, &["--yes"]);
    account.run(&["desktop", "delete", "work", "--yes"]).check(0, &["deleted"]);
    assert_eq!(processes_with(&mark), [] as [u32; 0]);
    assert!(!home.exists());
}

#[test]
fn a_kept_desktop_whose_server_died_is_begun_anew() {
    let account = Account::new();
    let mark = format!("HOME={}", account.path(".local/state/freehand/desktops").display());
    on(&account, "virtual:work", &[SHELL, SHELL_IS_THERE]).check(0, &[]);
    for process in processes_with(&mark) {
        let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        if name.trim() == "Xvfb" {
            crate::support::signal(process, "KILL");
        }
    }
    on(&account, "virtual:work", &[SHELL, SHELL_IS_THERE]).check(0, &[]);
    account.run(&["desktop", "stop", "work"]).check(0, &["ended"]);
    assert_eq!(processes_with(&mark), [] as [u32; 0]);
    account.run(&["do", "--size", "900x600", SHELL]).check(2, &["`--size` is for a virtual display"]);
    account.run(&["desktop", "stop", "none"]).check(2, &["there is no desktop `none`"]);
}

/// Takes its time when it is asked to end, and keeps nothing when it is asked twice or has no display any more.
const SLOW_TO_END: &str = "\
trap 'trap - TERM; sleep 1; xdotool getdisplaygeometry >/dev/null && echo kept > kept.txt; exit' TERM
while :; do sleep 0.05; done
";

#[test]
fn programs_of_a_kept_desktop_end_as_they_mean_to() {
    let account = Account::new();
    on(&account, "virtual:work", &[SHELL, SHELL_IS_THERE]).check(0, &[]);
    let home = account.path(".local/state/freehand/desktops/work/home");
    std::fs::write(home.join("slow.sh"), SLOW_TO_END).unwrap();
    let start = typing("setsid sh slow.sh & echo > begun.txt");
    on(&account, "virtual:work", &[&start]).check(0, &[]);
    wait_for("the program", || std::fs::metadata(home.join("begun.txt")).ok());
    account.run(&["desktop", "stop", "work"]).check(0, &["ended"]);
    assert_eq!(std::fs::read_to_string(home.join("kept.txt")).unwrap(), "kept\n");
    let mark = format!("HOME={}", account.path(".local/state/freehand/desktops").display());
    assert_eq!(processes_with(&mark), [] as [u32; 0]);
}
