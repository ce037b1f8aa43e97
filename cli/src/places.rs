//! The folders of the user's account that Freehand uses, and the names of the runs in them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use directories::{BaseDirs, ProjectDirs};
use freehand_model::store::{OCR_DETECTION, OCR_RECOGNITION, Store};
use freehand_tools::apps::{self, App};
use freehand_tools::desktop::ocr::Networks;

/// Characters of a task that go into a folder's name.
const SLUG: usize = 40;

fn project() -> Result<ProjectDirs> {
    ProjectDirs::from("", "", "freehand").context("the account has no home folder; set `HOME`")
}

/// The configuration file.
pub fn config() -> Result<PathBuf> {
    Ok(project()?.config_dir().join("config.toml"))
}

/// What clients of `freehand serve` have to send.
pub fn serve_token() -> Result<PathBuf> {
    Ok(project()?.config_dir().join("serve-token"))
}

/// What the person has allowed for good.
pub fn grants() -> Result<PathBuf> {
    Ok(project()?.config_dir().join("grants.toml"))
}

/// What the person's secrets are called, and where they may go.
pub fn secrets() -> Result<PathBuf> {
    Ok(project()?.config_dir().join("secrets.toml"))
}

/// The folder for the records of runs when nobody names another.
pub fn runs() -> Result<PathBuf> {
    let dirs = project()?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("runs"))
}

/// The desktops that are kept, each in a folder of its name.
pub fn desktops() -> Result<PathBuf> {
    let dirs = project()?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("desktops"))
}

/// Where the commands that are at work say so.
pub fn running() -> Result<PathBuf> {
    let dirs = project()?;
    let folder =
        dirs.runtime_dir().or_else(|| dirs.state_dir()).unwrap_or_else(|| dirs.data_local_dir());
    Ok(folder.join("running"))
}

/// While this is there nothing acts.
pub fn stopped() -> Result<PathBuf> {
    let dirs = project()?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("stopped"))
}

/// The log of all that was judged.
pub fn audit() -> Result<PathBuf> {
    let dirs = project()?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("audit.jsonl"))
}

/// The folder of the benchmark: its records while it runs, and what it compares with.
pub fn bench() -> Result<PathBuf> {
    Ok(project()?.cache_dir().join("bench"))
}

/// The weights.
pub fn store() -> Result<Store> {
    let dirs = BaseDirs::new().context("the account has no home folder; set `HOME`")?;
    Ok(Store::open(dirs.cache_dir())?)
}

/// The networks that read text off the screen, where both are there and right.
pub fn networks() -> Result<Networks> {
    let store = store()?;
    let (detection, recognition) = (store.path(OCR_DETECTION)?, store.path(OCR_RECOGNITION)?);
    Ok(Networks { detection, recognition })
}

/// The folder for what a model has read in each run alike.
pub fn prefixes() -> Option<PathBuf> {
    Some(BaseDirs::new()?.cache_dir().join("freehand").join("prefixes"))
}

/// The programs that the menu offers.
pub fn menu() -> Vec<App> {
    let home = BaseDirs::new().map(|dirs| dirs.data_dir().to_owned());
    let dirs = std::env::var("XDG_DATA_DIRS").ok();
    apps::installed(&apps::folders(home, dirs.as_deref()))
}

/// A folder below `runs` that is not there yet, named by date and task.
pub fn run_folder(runs: &Path, task: &str, now: SystemTime) -> PathBuf {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("{}-{}", stamp(since), slug(task));
    let name = name.trim_end_matches('-');
    let numbered = (2..1000).map(|n| runs.join(format!("{name}-{n}")));
    let mut all = std::iter::once(runs.join(name)).chain(numbered);
    all.find(|folder| !folder.exists()).unwrap_or_else(|| runs.join(name))
}

fn slug(task: &str) -> String {
    let mut slug = String::new();
    for c in task.chars().flat_map(char::to_lowercase) {
        if slug.len() >= SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// A moment in ms since 1970 as date and time of day in UTC.
pub fn moment(at_ms: u64) -> String {
    stamp(Duration::from_millis(at_ms))
}

/// Today's date in UTC: `2026-11-24`.
pub fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    stamp(since).chars().take("2026-11-24".len()).collect()
}

/// Date and time of day in UTC: `2026-11-24-153012`.
fn stamp(since: Duration) -> String {
    let seconds = since.as_secs();
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}-{:02}{:02}{:02}", time / 3600, time / 60 % 60, time % 60)
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar. Years begin in March here, so
/// that the day that is not always there comes last.
const fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + if month <= 2 { 1 } else { 0 }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps() {
        for (seconds, expected) in [
            (0, "1970-01-01-000000"),
            (951_782_399, "2000-02-28-235959"),
            (951_782_400, "2000-02-29-000000"),
            (1_709_251_199, "2024-02-29-235959"),
            (1_735_689_600, "2025-01-01-000000"),
            (4_107_542_400, "2100-03-01-000000"),
        ] {
            assert_eq!(stamp(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn folders_are_named_by_their_task_and_never_twice() {
        let runs = tempfile::tempdir().unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(1_735_689_600);
        let first =
            run_folder(runs.path(), "Write 'Buy milk', then save it as ../../todo.txt, please", at);
        let name = first.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, "2025-01-01-000000-write-buy-milk-then-save-it-as-todo-txt");
        std::fs::create_dir(&first).unwrap();
        let second =
            run_folder(runs.path(), "Write 'Buy milk', then save it as ../../todo.txt, please", at);
        assert!(second.to_str().unwrap().ends_with("-2"));
        assert_eq!(run_folder(runs.path(), "日本", at).file_name().unwrap(), "2025-01-01-000000");
    }
}
