//! Records that cannot be written: a folder that takes nothing, and a disk that is full in the middle
//! of a run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehand_agent::trajectory::{Exit, reader};

use super::{DONE, Server};
use crate::screen::Screen;
use crate::support::{Account, Running, Said, wait_for};

#[test]
fn a_folder_that_takes_nothing_ends_it_with_2_before_anything_is_done() {
    let (account, screen) = (Account::new(), Screen::bare());
    account.write("file", "");
    let touch = "name: x\nsteps:\n  - do: open_app\n    args: { name: touch done.txt }\n";
    account.write("w.yaml", touch);
    for out in ["file/r", "/proc/r"] {
        for args in [&["run", "x", "--model", "http://127.0.0.1:9"][..], &["workflow", "run", "w.yaml"]]
        {
            let said = account.run(&[args, &["--out", out], &screen.vouched()[..]].concat());
            said.check(2, &[&format!("cannot write `{out}`"), "choose another folder"]);
        }
    }
    assert!(!account.path("done.txt").exists());
}

/// A folder on a disk of its own, which holds 256 kB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount anything.
    fn at(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "none"]).arg(&path);
        mount.output().is_ok_and(|said| said.status.success()).then_some(Self(path))
    }

    fn grow(&self) {
        let grown = Command::new("mount").args(["-o", "remount,size=16m"]).arg(&self.0).status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The arguments of a run that types again and again, each time before a new picture.
fn endless<'a>(url: &'a str, out: &'a Path, screen: &'a Screen) -> Vec<&'a str> {
    let run = ["run", "x", "--model", url, "--max-steps", "300", "--out", out.to_str().unwrap()];
    [&run, &screen.vouched()[..]].concat()
}

/// The end of a run on a full disk: told, recorded, nothing left held, and gone on with.
fn check(account: &Account, screen: &Screen, folder: &Path, said: &Said, grow: impl FnOnce()) {
    said.check(2, &["cannot write", &folder.display().to_string(), "make room"]);
    let record = reader::read(folder).unwrap();
    assert!(record.steps.len() > 2, "{}", record.steps.len());
    let Some(Exit::GaveUp { reason }) = record.exit else { panic!("{:?}", record.exit) };
    assert!(reason.contains("cannot write"), "{reason}");
    screen.expect_untouched("a full disk");
    grow();
    let server = Server::start(&[DONE]);
    let folder = folder.display().to_string();
    let args = ["resume", &folder, "--model", &server.url];
    account.run(&[&args, &screen.vouched()[..]].concat()).check(0, &["done: "]);
}

#[test]
fn a_full_disk_ends_it_with_2_and_a_record_that_can_be_gone_on_with() {
    let screen = Screen::whole();
    screen.start(&["xterm", "-T", "shell", "-e", "cat", "-n"]);
    wait_for("the window", || screen.shows("shell").then_some(()));
    let account = Account::new();
    let text = r#"{"tool":"type_text","args":{"text":"The Quick BROWN Fox ","submit":true}}"#;
    let server = Server::start(&[text]);

    let folder = account.path("limited");
    let said = Running::start(account.limited(&endless(&server.url, &folder, &screen))).end();
    check(&account, &screen, &folder, &said, || {});

    let Some(disk) = SmallDisk::at(account.path("small")) else {
        let note = "nothing may be mounted here, so only the limit on files was tried";
        return writeln!(std::io::stderr(), "{note}").unwrap();
    };
    let folder = disk.0.join("r");
    let said = account.run(&endless(&server.url, &folder, &screen));
    check(&account, &screen, &folder, &said, || disk.grow());
}
