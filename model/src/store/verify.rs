//! Whether a file holds the bytes that it should. Hashing a gigabyte takes seconds, so the result is
//! kept beside the file together with the size and the time of its last change, and holds for as long
//! as these do.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;
/// As long as a note may be, in bytes.
const LONGEST_NOTE: u64 = 4096;

/// What was found when a file was last hashed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    bytes: u64,
    changed_ns: u64,
    sha256: String,
}

/// The note beside `file`.
pub(super) fn note_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".verified");
    name.into()
}

/// Whether `file` was found to be `sha256` and has not changed since.
pub(super) fn is_noted(file: &Path, metadata: &Metadata, sha256: &str) -> bool {
    let Some(now) = note(metadata, sha256) else { return false };
    let Ok(note) = File::open(note_path(file)) else { return false };
    let mut text = String::new();
    let read = note.take(LONGEST_NOTE).read_to_string(&mut text);
    read.is_ok() && serde_json::from_str::<Note>(&text).is_ok_and(|then| then == now)
}

/// Notes that `file` is `sha256`. Where that cannot be written, it is hashed again the next time.
pub(super) fn write_note(file: &Path, sha256: &str) {
    let written = || -> io::Result<()> {
        let note = note(&fs::metadata(file)?, sha256);
        let temporary = note_path(file).with_extension("verified.new");
        fs::write(&temporary, serde_json::to_vec(&note)?)?;
        fs::rename(&temporary, note_path(file))
    };
    if let Err(error) = written() {
        tracing::debug!(%error, file = %file.display(), "the result of the check is not kept");
    }
}

fn note(metadata: &Metadata, sha256: &str) -> Option<Note> {
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let changed_ns = u64::try_from(changed.as_nanos()).ok()?;
    Some(Note { bytes: metadata.len(), changed_ns, sha256: sha256.to_owned() })
}

/// The SHA-256 of a file, in lower-case hexadecimal digits. `seen` is told the bytes read so far.
pub(super) fn hash(file: &Path, mut seen: impl FnMut(u64)) -> io::Result<String> {
    let mut from = File::open(file)?;
    let mut hash = Sha256::new();
    let mut done = 0;
    loop {
        let read = copy(&mut from, BLOCK as u64, |block| {
            hash.update(block);
            Ok(())
        })?;
        if read == 0 {
            return Ok(hex(hash));
        }
        done += read;
        seen(done);
    }
}

/// Hands up to `limit` bytes of `from` to `sink`, and tells how many there were.
pub(super) fn copy(
    from: &mut impl Read,
    limit: u64,
    mut sink: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut block = vec![0; usize::try_from(limit).unwrap_or(BLOCK).min(BLOCK)];
    let mut from = from.take(limit);
    let mut done = 0;
    loop {
        let read = match from.read(&mut block) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            return Ok(done);
        }
        sink(block.get(..read).unwrap_or_default())?;
        done += read as u64;
    }
}

/// The digits of a hash.
pub(super) fn hex(hash: Sha256) -> String {
    format!("{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "abc").unwrap();
        let mut seen = Vec::new();
        let hash = hash(&file, |bytes| seen.push(bytes)).unwrap();
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(seen, [3]);
    }

    #[test]
    fn a_note_holds_until_the_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        let noted = |sha256: &str| is_noted(&file, &fs::metadata(&file).unwrap(), sha256);
        fs::write(&file, "abc").unwrap();
        assert!(!noted("s"));
        write_note(&file, "s");
        assert!(noted("s") && !noted("t"));
        let later = fs::metadata(&file).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
        File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        assert!(!noted("s"));
        for garbage in [vec![0xff; 9], vec![b'['; 100_000], b"null".to_vec()] {
            fs::write(note_path(&file), garbage).unwrap();
            assert!(!noted("s"));
        }
    }
}
