use freehand_tools::action::TargetElement;
use freehand_tools::element::{ElementId, ElementKey, Role, Source};
use freehand_tools::gate::{Decision, Reason};
use freehand_tools::geometry::Rect;

use super::*;
use crate::arbitrary::in_window;

/// What a rule allows.
fn allowed() -> Verdict {
    Verdict {
        decision: Decision::Allow,
        reasons: Vec::new(),
        approval: None,
        earlier: false,
        allowed: true,
    }
}

fn written(folder: &Path) -> PathBuf {
    let path = folder.join("state").join("audit.jsonl");
    let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
    for (summary, allowed) in [("click \"Save\"", true), ("click \"Delete\"", false), ("wait", true)] {
        let mut action = in_window(1, "mousepad", "x");
        action.summary = summary.into();
        let verdict = Verdict {
            decision: Decision::Ask,
            reasons: vec![Reason { rule: "supervised:input".into(), because: "it does".into() }],
            approval: Some(Approval::Once),
            earlier: false,
            allowed,
        };
        audit.judged(&action, &verdict).unwrap();
    }
    path
}

fn fault(path: &Path) -> String {
    verify(path, None, |_| ()).unwrap_err().to_string()
}

#[test]
fn what_was_written_can_be_read_and_follows() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut seen = Vec::new();
    let whole = verify(&path, None, |entry| seen.push(entry.clone())).unwrap();
    assert_eq!((whole.entries, whole.last.len(), whole.torn), (3, 64, 0));
    assert_eq!(verify(&path, Some(&seen[2].before), |_| ()).unwrap(), whole);
    assert!(matches!(verify(&path, Some("00"), |_| ()), Err(AuditError::Cut { .. })));
    assert_eq!(seen[1].action, "click \"Delete\"");
    assert!(!seen[1].verdict.allowed && seen[1].app.as_deref() == Some("mousepad"));
}

#[test]
fn a_change_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (changed, part) in [
        (text.replacen("Delete", "Save", 1), "line 2: it was changed"),
        (text.replacen("{\"number\":3", "{\"more\":1,\"number\":3", 1), "line 3: it was changed"),
        (format!("{}\n{}\n", lines[0], lines[2]), "line 2: it does not follow"),
        (format!("{}\n{}\n", lines[1], lines[2]), "line 1: it does not follow"),
        (format!("{}\n{}\n", lines[1], lines[0]), "line 1: it does not follow"),
        (format!("{}\nnothing\n", lines[0]), "line 2: it is no entry"),
        (format!("{}\n\n{}\n{}\n", lines[0], lines[1], lines[2]), "line 2: it does not follow"),
        (format!("{}\n", lines[0]), "it ends before the entry 3"),
        (String::new(), "it ends before the entry 3"),
        (text.trim_end().to_owned(), "it ends before the entry 3"),
    ] {
        std::fs::write(&path, changed).unwrap();
        assert!(fault(&path).contains(part), "{part}: {}", fault(&path));
    }
}

#[test]
fn half_a_line_does_not_end_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "{\"number\":4,").unwrap();
    let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
    let verdict = allowed();
    audit.judged(&in_window(1, "x", "x"), &verdict).unwrap();
    let whole = verify(&path, None, |_| ()).unwrap();
    assert_eq!((whole.entries, whole.torn), (4, 1), "the entry after it vouches for it");
    let text = std::fs::read_to_string(&path).unwrap();
    for changed in [text.replace("{\"number\":4,\n", ""), text.replace("{\"number\":4,\n", "{\n")] {
        std::fs::write(&path, changed).unwrap();
        assert!(fault(&path).contains("line 4: it does not follow"), "{}", fault(&path));
    }
}

#[test]
fn a_secret_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut action = in_window(1, "firefox", "Sign in");
    action.summary = "press h u n t e r 2".into();
    action.target.element = Some(TargetElement {
        id: ElementId(1),
        key: ElementKey("k".into()),
        role: Role::Password,
        name: "Password".into(),
        looks: None,
        within: None,
        source: Source::Accessibility,
        bounds: Rect::new(0, 0, 1, 1),
    });
    let verdict = allowed();
    Audit::new(path.clone(), "virtual".into(), "d1".into()).judged(&action, &verdict).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("h u n t e r 2") && text.contains("in a password field"), "{text}");
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file").join("audit.jsonl");
    let mut audit = Audit::new(path, "virtual".into(), "d1".into());
    let verdict = allowed();
    let said = audit.judged(&in_window(1, "x", "x"), &verdict).unwrap_err();
    assert!(said.contains("audit.jsonl"), "{said}");
}

#[test]
fn lines_that_were_cut_off_stay_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let first = text.lines().next().unwrap();
    for left in ["", &format!("{first}\n")] {
        std::fs::write(&path, left).unwrap();
        std::fs::write(note_beside(&path), format!("3 {}\n", "0".repeat(64))).unwrap();
        assert!(fault(&path).contains("it ends before the entry 3"));
        let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
        audit.judged(&in_window(1, "x", "x"), &allowed()).unwrap();
        audit.judged(&in_window(1, "x", "x"), &allowed()).unwrap();
        assert!(fault(&path).contains("entries before it are gone"), "{}", fault(&path));
    }
}

#[test]
fn a_note_that_a_kill_left_behind_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let mut hashes = Vec::new();
    verify(&path, None, |entry| hashes.push(entry.before.clone())).unwrap();
    std::fs::write(note_beside(&path), format!("2 {}\n", hashes[2])).unwrap();
    verify(&path, None, |_| ()).unwrap();
    Audit::new(path.clone(), "virtual".into(), "d1".into())
        .judged(&in_window(1, "x", "x"), &allowed())
        .unwrap();
    assert_eq!(verify(&path, None, |_| ()).unwrap().entries, 4);
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

/// The log with one thing changed in it.
fn altered(text: &[u8], lines: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.to_vec();
    let mut lines: Vec<&[u8]> = lines.to_vec();
    let (here, there) = (dice.roll(bytes.len()), dice.roll(bytes.len()));
    let (one, other) = (dice.roll(lines.len()), dice.roll(lines.len()));
    match dice.roll(12) {
        0 => bytes[here] ^= 1 << dice.roll(8),
        1 => bytes[here] = b"0123456789abcdef\"{},: \n"[dice.roll(22)],
        2 => _ = bytes.remove(here),
        3 => bytes.insert(here, b"0aZ \n\"{}"[dice.roll(8)]),
        4 => bytes.truncate(here),
        5 => drop(bytes.drain(here.min(there)..here.max(there))),
        6 => bytes.swap(here, there),
        kind => {
            match kind {
                7 => _ = lines.remove(one),
                8 => lines.swap(one, other),
                9 => lines.insert(one, lines[other]),
                10 => lines.truncate(one),
                _ => {
                    let line = lines.remove(one);
                    lines.insert(other.min(lines.len()), line);
                }
            }
            bytes = lines.concat();
        }
    }
    bytes
}

#[test]
fn ten_thousand_alterations_are_all_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
    for n in 0..25 {
        let mut action = in_window(n, "mousepad", "x");
        action.summary = format!("click \"{n}\" \u{e9}");
        audit.judged(&action, &Verdict { allowed: n % 3 > 0, ..allowed() }).unwrap();
    }
    let text = std::fs::read(&path).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut tried = 0;
    while tried < 10_000 {
        let changed = altered(&text, &lines, &mut dice);
        if changed == text {
            continue;
        }
        tried += 1;
        std::fs::write(&path, &changed).unwrap();
        let verdict = verify(&path, None, |_| ());
        assert!(verdict.is_err(), "{verdict:?} of {}", String::from_utf8_lossy(&changed));
    }
    std::fs::write(&path, &text).unwrap();
    assert_eq!(verify(&path, None, |_| ()).unwrap().entries, 25);
}
