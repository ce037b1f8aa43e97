use std::fs;

use freehand_tools::element::Role;
use serde_json::{Value, json};

use super::*;
use crate::history::chat::{Counted, Wanted, examples};
use crate::history::compare::compare;
use crate::history::film::Film;
use crate::history::search::search;
use crate::trajectory::reader::read;
use crate::trajectory::recorder::Recorder;
use crate::trajectory::sample::{clicking, element, frame, header, seen, typing};
use crate::trajectory::{Step, report};

/// A run in `runs` that began so many ms later than the others.
fn recorded(runs: &Path, name: &str, later: u64, steps: &[Step], exit: Option<&Exit>) -> PathBuf {
    let folder = runs.join(name);
    let mut header = header(&format!("Task of {name}"));
    header.started_ms += later;
    let mut recorder = Recorder::create(&folder, header).unwrap();
    for step in steps {
        recorder.step(step, &[frame(u8::try_from(step.index).unwrap())]).unwrap();
    }
    if let Some(exit) = exit {
        recorder.finish(exit).unwrap();
    }
    folder
}

fn done() -> Exit {
    Exit::Done { checked: "seen".into() }
}

#[test]
fn whatever_a_run_has_left_it_is_listed_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path();
    recorded(runs, "whole", 10, &[clicking(1), clicking(2)], Some(&done()));
    let killed = recorded(runs, "killed", 30, &[clicking(1)], None);
    // In the middle of a line.
    let mut bytes = fs::read(killed.join(FILE)).unwrap();
    bytes.extend_from_slice(b"{\"index\":2,\"at_ms\":17");
    fs::write(killed.join(FILE), bytes).unwrap();
    fs::create_dir_all(runs.join("early/frames")).unwrap();
    fs::create_dir_all(runs.join("empty/frames")).unwrap();
    fs::write(runs.join("empty").join(FILE), "").unwrap();
    fs::create_dir_all(runs.join("garbage")).unwrap();
    fs::write(runs.join("garbage").join(FILE), [0xff, 0, b'\n', b'{']).unwrap();
    fs::create_dir_all(runs.join("something else")).unwrap();
    fs::write(runs.join("a file"), "x").unwrap();
    let under_way = Recorder::create(&runs.join("under way"), header("x")).unwrap();

    let all = list(runs).unwrap();
    let of = |name: &str| all.iter().find(|past| past.name == name).unwrap();
    assert_eq!(all.len(), 6);
    assert_eq!(of("whole").standing, Standing::Ended { exit: done() });
    assert_eq!((of("whole").steps, of("whole").task.as_str()), (2, "Task of whole"));
    assert!(of("whole").ms >= 1_000, "{}", of("whole").ms);
    assert_eq!((&of("killed").standing, of("killed").steps), (&Standing::CutOff, 1));
    assert_eq!(of("under way").standing, Standing::UnderWay);
    for name in ["early", "empty", "garbage"] {
        assert!(matches!(of(name).standing, Standing::Broken { .. }), "{:?}", of(name));
    }
    let place = |name: &str| all.iter().position(|past| past.name == name).unwrap();
    assert!(place("killed") < place("whole"), "the newer one comes first");
    drop(under_way);
    assert_eq!(list(&runs.join("none")).unwrap(), []);
}

#[test]
fn the_last_lines_are_found_however_long_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let names = (0..3000).map(|id| element(id, Role::Button, "a button with a long name")).collect();
    let long = seen(2, names);
    assert!(serde_json::to_vec(&long).unwrap().len() as u64 > END);
    recorded(dir.path(), "long", 0, &[clicking(1), long], Some(&done()));
    let past = list(dir.path()).unwrap().remove(0);
    assert_eq!((past.steps, past.standing), (2, Standing::Ended { exit: done() }));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path();
    for (later, name) in [(0, "2026-01-01-a"), (1, "2026-01-01-ab"), (2, "2026-01-02-b")] {
        recorded(runs, name, later, &[], None);
    }
    let found = |name: &str| find(runs, name).map(|folder| folder.file_name().unwrap().to_owned());
    assert_eq!(found("2026-01-02").unwrap(), "2026-01-02-b");
    assert_eq!(found("2026-01-01-a").unwrap(), "2026-01-01-a");
    assert_eq!(found("last").unwrap(), "2026-01-02-b");
    assert_eq!(found(runs.join("2026-01-02-b").to_str().unwrap()).unwrap(), "2026-01-02-b");
    assert!(found("2026-01-01").unwrap_err().to_string().contains("any of 2 runs"));
    assert!(found("x").unwrap_err().to_string().contains("no run `x`"));
}

#[test]
fn a_text_is_found_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let folder = recorded(dir.path(), "r", 0, &[clicking(1), clicking(2)], None);
    let places = |words: &str| {
        let hits = search(&folder, words, 10).unwrap();
        hits.iter().map(|hit| format!("{:?} {}", hit.step, hit.place)).collect::<Vec<_>>()
    };
    assert_eq!(places("task OF"), ["None task"]);
    assert_eq!(places("SAVE"), ["Some(1) screen", "Some(1) action", "Some(2) screen", "Some(2) action"]);
    assert_eq!(places("nowhere"), [] as [&str; 0]);
    assert_eq!(search(&folder, "save", 1).unwrap().len(), 1);
}

#[test]
fn two_runs_part_where_they_do_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let field = || vec![element(1, Role::Textbox, "Name")];
    let a = recorded(dir.path(), "a", 0, &[clicking(1), typing(2, field(), 1, "Ada")], Some(&done()));
    let b = recorded(dir.path(), "b", 0, &[clicking(1), typing(2, field(), 1, "Grace")], None);
    let (a, b) = (read(&a).unwrap(), read(&b).unwrap());
    let found = compare(&a, &b);
    assert_eq!((found.alike, found.headers.len()), (1, 1));
    let parting = found.parting.unwrap();
    assert!(parting.same_screen);
    assert!(parting.a.unwrap().action.contains("Ada"));
    assert!(parting.b.unwrap().action.contains("Grace"));
    assert_eq!(compare(&a, &a).parting, None);
    let mut shorter = a.clone();
    shorter.steps.pop();
    assert_eq!(compare(&a, &shorter).parting.unwrap().b, None);
}

#[test]
fn examples_are_chats_with_calls_and_hold_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let field = vec![element(1, Role::Password, "Password")];
    let steps = [clicking(1), typing(2, field, 1, "hunter2222"), clicking(3)];
    let folder = recorded(dir.path(), "r", 0, &steps, Some(&done()));
    let mut lines: Vec<Value> = Vec::new();
    let counted = examples::<AgentError>(&folder, &[], Wanted::default(), |example| {
        lines.push(example.clone());
        Ok(())
    });
    assert_eq!(counted.unwrap(), Counted { examples: 2, left_out: 1 });
    let messages = lines[1]["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant"]);
    let user = messages[1]["content"].as_str().unwrap();
    assert!(user.contains("Task of r") && user.contains("Step 1: click button \"Save\""), "{user}");
    let call = &messages[2]["tool_calls"][0]["function"];
    assert_eq!(
        (call["name"].as_str(), call["arguments"].as_str()),
        (Some("click"), Some("{\"target\":2}"))
    );
    assert!(!json!(lines).to_string().contains("hunter2222"));
}

#[test]
fn a_film_has_a_picture_for_each_action() {
    let dir = tempfile::tempdir().unwrap();
    let folder = recorded(dir.path(), "r", 0, &[seen(1, Vec::new()), clicking(2)], Some(&done()));
    // One of its files is gone, and the other is none.
    let mut frames: Vec<_> = fs::read_dir(folder.join(FRAMES)).unwrap().flatten().collect();
    fs::remove_file(frames.pop().unwrap().path()).unwrap();
    let film = Film::of(&folder).unwrap();
    let (width, height) = film.size;
    assert!(width % 2 == 0 && height % 2 == 0);
    let pictures: Vec<_> = film.collect();
    assert_eq!(pictures.len(), 2);
    assert!(pictures.iter().all(|picture| picture.dimensions() == (width, height)));
    assert_ne!(pictures[0], pictures[1]);
}

#[test]
fn a_page_of_its_own_holds_its_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let folder = recorded(dir.path(), "r", 0, &[clicking(1)], Some(&done()));
    let to = dir.path().join("page.html");
    report::write_alone(&folder, &to).unwrap();
    let page = fs::read_to_string(&to).unwrap();
    assert!(page.contains("src=\"data:image/png;base64,iVBOR") && !page.contains("frames/"), "{page}");
    assert!(page.ends_with("</html>\n"));
    assert!(report::write_alone(&folder, &to).is_err(), "it is written over");
}

#[test]
fn a_copy_is_whole_and_what_is_removed_is_the_run_alone() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path();
    let from = recorded(runs, "r", 0, &[clicking(1)], Some(&done()));
    fs::write(from.join("mine.txt"), "x").unwrap();
    #[cfg(unix)]
    {
        fs::write(runs.join("elsewhere.png"), "x").unwrap();
        std::os::unix::fs::symlink(runs.join("elsewhere.png"), from.join("frames/abc.png")).unwrap();
    }
    let to = runs.join("copy");
    folder::copy(&from, &to).unwrap();
    assert_eq!(read(&to).unwrap(), read(&from).unwrap());
    assert!(to.join(report::FILE).is_file() && !to.join("mine.txt").exists());
    assert!(folder::copy(&from, &to).is_err(), "it is not empty");
    assert!(!folder::remove(&from).unwrap());
    assert!(from.join("mine.txt").is_file() && !from.join(FILE).exists());
    assert!(!cfg!(unix) || runs.join("elsewhere.png").is_file());
    assert!(folder::remove(&to).unwrap());
    assert!(!to.exists());
}
