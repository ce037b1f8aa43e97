//! Weights that are missing, cut off or damaged, as a user comes by them: by a file's name and by a
//! name of the catalogue.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use freehand_model::store::Catalogue;

use super::last_line;
use crate::screen::Screen;
use crate::support::Account;

const NAME: &str = "qwen2.5-coder-1.5b";

/// A header with these counts of tensors and entries, and then `rest`.
fn gguf(version: u32, tensors: u64, entries: u64, rest: &[u8]) -> Vec<u8> {
    [&b"GGUF"[..], &version.to_le_bytes(), &tensors.to_le_bytes(), &entries.to_le_bytes(), rest].concat()
}

/// An entry of the header: a list of texts that claims to be this long.
fn endless_list(kind: u32) -> Vec<u8> {
    let name = b"tokens";
    let length = (name.len() as u64).to_le_bytes();
    [&length, &name[..], &9_u32.to_le_bytes(), &kind.to_le_bytes(), &(1_u64 << 60).to_le_bytes()]
        .concat()
}

#[test]
fn a_file_that_holds_no_weights_ends_it_with_5_and_what_to_do() {
    let screen = Screen::bare();
    let cut = "cut off";
    for (name, bytes, part) in [
        ("empty", Vec::new(), ""),
        ("a page", b"<!DOCTYPE html>".to_vec(), "is not a GGUF file"),
        ("wrong magic", [b"FUGG", &gguf(3, 1, 1, &[])[4..]].concat(), "is not a GGUF file"),
        ("only magic", b"GGUF".to_vec(), cut),
        ("newer", gguf(99, 1, 1, &[]), "has GGUF version 99"),
        ("endless tensors", gguf(3, u64::MAX, 0, &[]), cut),
        ("endless entries", gguf(3, 0, u64::MAX, &[]), cut),
        ("an endless name", gguf(3, 0, 1, &u64::MAX.to_le_bytes()), cut),
        ("an endless list of texts", gguf(3, 0, 1, &endless_list(8)), cut),
        ("an endless list of numbers", gguf(3, 0, 1, &endless_list(4)), cut),
        ("nothing in it", gguf(3, 0, 0, &[]), "has no `general.architecture`"),
    ] {
        let account = Account::new();
        std::fs::write(account.path("my.gguf"), bytes).unwrap();
        let args = ["run", "x", "--model", "./my.gguf", "--out", "r"];
        let said = account.run(&[&args, &screen.vouched()[..]].concat());
        assert_eq!(said.code, Some(5), "{name}: {said:#?}");
        said.check(5, &["the model failed: `./my.gguf`", part, "fetch it again, or name another model"]);
        assert_eq!(last_line(&account.path("r"))["exit"], "model_failed", "{name}");
        screen.expect_untouched(name);
    }
}

#[test]
fn weights_that_are_not_the_right_ones_are_not_used() {
    let account = Account::new();
    let entry = Catalogue::builtin().unwrap().entry(NAME).unwrap().clone();
    let file = account.write(&format!(".cache/freehand/models/{}", entry.file), "short");
    account.write("w.yaml", "name: x\nsteps:\n  - task: write a note\n");
    let mend = format!("run `freehand model pull {NAME}` to fetch it again");
    for (size, part) in [(5, "it has 5 bytes instead of"), (entry.bytes, "its SHA-256 is wrong")] {
        std::fs::File::options().write(true).open(&file).unwrap().set_len(size).unwrap();
        for args in [
            &["run", "x", "--display", "virtual", "--out", "r"][..],
            &["workflow", "run", "w.yaml", "--display", "virtual", "--out", "r"],
        ] {
            account.run(args).check(5, &[part, &mend]);
            assert!(!account.path("r").exists(), "nothing was begun");
        }
    }
    std::fs::remove_file(&file).unwrap();
    let args = ["workflow", "run", "w.yaml", "--display", "virtual"];
    account.run(&args).check(5, &[&format!("run `freehand model pull {NAME}`")]);
}

mod real {
    use super::*;

    fn weights() -> PathBuf {
        let named = std::env::var_os("FREEHAND_TEST_GGUF");
        named.unwrap_or_else(|| panic!("`FREEHAND_TEST_GGUF` names the weights")).into()
    }

    #[test]
    fn a_part_of_the_weights_is_refused() {
        let (account, screen) = (Account::new(), Screen::bare());
        let mut part = std::fs::File::create(account.path("part.gguf")).unwrap();
        let whole = std::fs::File::open(weights()).unwrap();
        std::io::copy(&mut whole.take(300 << 20), &mut part).unwrap();
        let args = ["run", "x", "--model", "./part.gguf", "--out", "r"];
        let said = account.run(&[&args, &screen.vouched()[..]].concat());
        said.check(5, &["it is cut off; fetch it again"]);
        assert_eq!(last_line(&account.path("r"))["exit"], "model_failed");
    }

    #[test]
    fn one_altered_byte_is_found() {
        let account = Account::new();
        let entry = Catalogue::builtin().unwrap().entry(NAME).unwrap().clone();
        let path = account.write(&format!(".cache/freehand/models/{}", entry.file), "");
        std::fs::copy(weights(), &path).unwrap();
        let mut file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let mut byte = [0];
        file.seek(SeekFrom::Start(entry.bytes / 2)).unwrap();
        file.read_exact(&mut byte).unwrap();
        file.seek(SeekFrom::Start(entry.bytes / 2)).unwrap();
        file.write_all(&byte.map(|byte| byte ^ 1)).unwrap();
        let said = account.run(&["run", "x", "--display", "virtual", "--out", "r"]);
        said.check(5, &["its SHA-256 is wrong", &format!("freehand model pull {NAME}")]);
    }
}
