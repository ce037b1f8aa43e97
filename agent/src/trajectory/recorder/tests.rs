use std::fs;
use std::process::Command;

use tempfile::{TempDir, tempdir};

use super::*;
use crate::trajectory::reader::{FILE, read};
use crate::trajectory::sample::{clicking, frame, header};

fn done() -> Exit {
    Exit::Done { checked: "é".into() }
}

/// A record of three steps and an end.
fn recorded() -> (TempDir, Vec<Step>) {
    let dir = tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header("task é")).unwrap();
    let steps: Vec<Step> = (1..=3).map(clicking).collect();
    for step in &steps {
        recorder.step(step, &[frame(u8::try_from(step.index).unwrap())]).unwrap();
    }
    recorder.finish(&done()).unwrap();
    (dir, steps)
}

#[test]
fn what_is_recorded_is_read_back() {
    let (dir, steps) = recorded();
    let read = read(dir.path()).unwrap();
    assert_eq!((read.header, read.steps, read.exit), (header("task é"), steps.clone(), Some(done())));
    let png = dir.path().join("frames").join(format!("{}.png", steps[0].seen.frame.short()));
    assert_eq!(image::open(png).unwrap().to_rgb8(), *frame(1).pixels());
    assert_eq!(fs::read_dir(dir.path().join("frames")).unwrap().count(), 3, "no file is left over");
    assert!(fs::read_to_string(dir.path().join("report.html")).unwrap().contains("task é"));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempdir().unwrap();
    let dir = parent.path().join("run");
    let mut recorder = Recorder::create(&dir, header("task")).unwrap();
    recorder.step(&clicking(1), &[frame(1)]).unwrap();
    recorder.finish(&done()).unwrap();
    let frame = dir.join("frames").join(format!("{}.png", frame(1).digest().short()));
    for (path, mode) in
        [(dir.clone(), 0o700), (dir.join(FILE), 0o600), (dir.join("report.html"), 0o600), (frame, 0o600)]
    {
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            mode,
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_record_that_was_cut_anywhere_can_be_read_and_gone_on_with() {
    let (dir, steps) = recorded();
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    let ends: Vec<usize> =
        whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at).collect();
    assert_eq!(ends.len(), 5);
    let cut_dir = tempdir().unwrap();
    let path = cut_dir.path().join(FILE);
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        // A line counts from its last brace on, with or without its line break.
        let lines = ends.iter().filter(|end| **end <= cut).count();
        let result = read(&path);
        if lines == 0 {
            assert!(
                matches!(result, Err(AgentError::BadTrajectory { line: 1, .. })),
                "{cut}: {result:?}"
            );
            continue;
        }
        let read_back = result.unwrap();
        let kept = (lines - 1).min(3);
        assert_eq!(read_back.steps, steps[..kept], "cut at {cut}");
        assert_eq!(read_back.exit.is_some(), lines == 5, "cut at {cut}");
        let near_an_end = ends.iter().any(|end| cut.abs_diff(*end) < 3);
        if near_an_end || cut % 97 == 0 {
            let (mut recorder, trajectory) = Recorder::resume(cut_dir.path()).unwrap();
            assert_eq!(trajectory, read_back);
            assert_eq!(usize::try_from(recorder.last()).unwrap(), kept);
            let next = clicking(recorder.last() + 1);
            recorder.step(&next, &[]).unwrap();
            drop(recorder);
            let longer = read(&path).unwrap();
            assert_eq!((longer.steps.len(), longer.exit), (kept + 1, None), "cut at {cut}");
            assert_eq!(longer.steps.last(), Some(&next));
        }
    }
}

#[test]
fn a_folder_is_used_once() {
    let (dir, _) = recorded();
    let before = fs::read(dir.path().join(FILE)).unwrap();
    let error = Recorder::create(dir.path(), header("other")).unwrap_err();
    assert!(error.to_string().contains("resume"), "{error}");
    assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), before);
    let (_held, _) = Recorder::resume(dir.path()).unwrap();
    let error = Recorder::resume(dir.path()).unwrap_err();
    assert!(error.to_string().contains("another run"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Recorder::create(&file.join("run"), header("task")).unwrap_err();
    assert!(matches!(error, AgentError::Unwritable { .. }), "{error:?}");
    assert!(error.to_string().contains("file/run"), "{error}");
    assert!(matches!(Recorder::resume(dir.path()).unwrap_err(), AgentError::Unreadable { .. }));
}

#[test]
fn a_part_is_numbered_on_and_does_not_end_the_whole() {
    let dir = tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header("task")).unwrap();
    recorder.step(&clicking(1), &[]).unwrap();
    let part = recorder.part();
    assert_eq!(part.recorder.last(), 0);
    part.recorder.step(&clicking(1), &[]).unwrap();
    part.recorder.step(&clicking(2), &[]).unwrap();
    part.recorder.finish(&Exit::Interrupted).unwrap();
    drop(part);
    recorder.step(&clicking(4), &[]).unwrap();
    recorder.finish(&done()).unwrap();
    let read = read(dir.path()).unwrap();
    assert_eq!(read.steps.iter().map(|step| step.index).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(read.exit, Some(done()));
}

#[test]
fn nothing_is_kept_without_a_folder() {
    let mut recorder = Recorder::off();
    recorder.step(&clicking(1), &[frame(1)]).unwrap();
    recorder.finish(&done()).unwrap();
    assert_eq!(recorder.last(), 1);
}

#[test]
fn a_step_that_is_too_long_loses_its_list() {
    let dir = tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header("task")).unwrap();
    let mut step = clicking(1);
    step.list = "x".repeat(33 << 20);
    recorder.step(&step, &[]).unwrap();
    let read = read(dir.path()).unwrap();
    assert_eq!((read.steps[0].list.as_str(), read.steps[0].actions.len()), ("", 1));
    assert!(read.steps[0].seen.gaps[0].contains("too long"));
}

const LIMITED: &str = "FREEHAND_TEST_LIMITED_DIR";

/// Not a test by itself: the next one runs it in a process that may write 64 kB to a file.
#[test]
#[ignore = "run by a_full_disk_ends_the_run_and_keeps_what_was_written"]
fn write_until_it_fails() {
    let dir = std::path::PathBuf::from(std::env::var(LIMITED).unwrap());
    let mut recorder = Recorder::create(&dir, header("task")).unwrap();
    let mut written = 0;
    let error = loop {
        match recorder.step(&clicking(written + 1), &[]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "the limit does not hold");
    };
    assert!(matches!(error, AgentError::Unwritable { .. }), "{error:?}");
    assert!(written > 5, "{written} {error}");
    let read = read(&dir).unwrap();
    assert_eq!(read.steps.len(), usize::try_from(written).unwrap());
    assert_eq!(read.exit, Some(Exit::GaveUp { reason: error.to_string() }));
    let raw = fs::read(dir.join(FILE)).unwrap();
    assert!(raw.ends_with(b"\n"), "no torn line is left");
    // Whoever knows a better end may still say so.
    recorder.finish(&Exit::Interrupted).unwrap();
    assert_eq!(super::super::reader::read(&dir).unwrap().exit, Some(Exit::Interrupted));
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_and_keeps_what_was_written() {
    // A limit on the size of files fails at the same call as a full disk, and needs no rights.
    let dir = tempdir().unwrap();
    let name = "trajectory::recorder::tests::write_until_it_fails";
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" --ignored --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(LIMITED, dir.path().join("run"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(
        status.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&status.stderr)
    );
}
