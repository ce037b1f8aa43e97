//! A file that is still being fetched. It stays on the disk when a fetch breaks off, and the next one
//! goes on where it ended, from whichever source.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::Part;
use super::verify::{copy, hex};

/// What is there so far, open at its end and hashed as it grows.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Partial {
    /// Opens what is there, or an empty file. What is longer than `limit` is not what we began.
    pub(super) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = File::options().read(true).append(true).create(true).open(path)?;
        let mut partial = Self { path: path.to_owned(), file, hash: Sha256::new(), bytes: 0 };
        if partial.file.metadata()?.len() > limit {
            partial.clear()?;
        }
        let (hash, from) = (&mut partial.hash, &mut partial.file);
        from.seek(SeekFrom::Start(0))?;
        partial.bytes = copy(from, u64::MAX, |block| {
            hash.update(block);
            Ok(())
        })?;
        Ok(partial)
    }

    /// Opens what is there up to the last whole and right one of `parts`, and counts these.
    pub(super) fn open_parts(path: &Path, parts: &[Part]) -> io::Result<(Self, usize)> {
        let file = File::options().read(true).append(true).create(true).open(path)?;
        let mut partial = Self { path: path.to_owned(), file, hash: Sha256::new(), bytes: 0 };
        let mut whole = 0;
        partial.file.seek(SeekFrom::Start(0))?;
        for part in parts {
            let mut hash = partial.hash.clone();
            let mut own = Sha256::new();
            let read = copy(&mut partial.file, part.bytes, |block| {
                hash.update(block);
                own.update(block);
                Ok(())
            })?;
            if read != part.bytes || hex(own) != part.sha256 {
                break;
            }
            partial.hash = hash;
            partial.bytes += read;
            whole += 1;
        }
        partial.file.set_len(partial.bytes)?;
        Ok((partial, whole))
    }

    /// Bytes that are there.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds what comes next.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Adds a whole part, or nothing where it is not the right one.
    pub(super) fn append_part(&mut self, part: &Part, from: &mut impl io::Read) -> io::Result<bool> {
        let before = (self.hash.clone(), self.bytes);
        let mut own = Sha256::new();
        // One byte more than there should be tells a longer part from the right one.
        let read = copy(from, part.bytes + 1, |block| {
            own.update(block);
            self.append(block)
        });
        if matches!(read, Ok(read) if read == part.bytes) && hex(own) == part.sha256 {
            return Ok(true);
        }
        (self.hash, self.bytes) = before;
        self.file.set_len(self.bytes)?;
        read.map(|_| false)
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.hash = Sha256::new();
        self.bytes = 0;
        Ok(())
    }

    /// Moves the whole file to `to` where it is `sha256`, and removes it where it is not.
    pub(super) fn finish(self, to: &Path, sha256: &str) -> io::Result<bool> {
        if hex(self.hash) != sha256 {
            fs::remove_file(&self.path)?;
            return Ok(false);
        }
        self.file.sync_all()?;
        drop(self.file);
        fs::rename(&self.path, to)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Part {
        let mut hash = Sha256::new();
        hash.update(text);
        Part { bytes: text.len() as u64, sha256: hex(hash) }
    }

    #[test]
    fn grows_over_several_fetches() {
        let dir = tempfile::tempdir().unwrap();
        let (path, to) = (dir.path().join("p"), dir.path().join("f"));
        Partial::open(&path, 6).unwrap().append(b"abc").unwrap();
        let mut partial = Partial::open(&path, 6).unwrap();
        assert_eq!(partial.bytes(), 3);
        partial.append(b"def").unwrap();
        assert!(partial.finish(&to, &part("abcdef").sha256).unwrap());
        assert_eq!((fs::read(&to).unwrap(), path.exists()), (b"abcdef".to_vec(), false));
        fs::write(&path, "much too long").unwrap();
        assert_eq!(Partial::open(&path, 6).unwrap().bytes(), 0);
    }

    #[test]
    fn keeps_whole_parts_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let parts = [part("abc"), part("de"), part("f")];
        for (there, whole) in
            [("", 0), ("ab", 0), ("abcd", 1), ("abXde", 0), ("abcdeX", 2), ("abcdef", 3)]
        {
            fs::write(&path, there).unwrap();
            let (partial, found) = Partial::open_parts(&path, &parts).unwrap();
            assert_eq!((found, partial.bytes()), (whole, [0, 3, 5, 6][whole]), "{there}");
            assert_eq!(fs::metadata(&path).unwrap().len(), partial.bytes());
        }
        fs::write(&path, "abc").unwrap();
        let (mut partial, _) = Partial::open_parts(&path, &parts).unwrap();
        for wrong in ["d", "dx", "dee"] {
            assert!(!partial.append_part(&parts[1], &mut wrong.as_bytes()).unwrap(), "{wrong}");
        }
        assert!(partial.append_part(&parts[1], &mut "de".as_bytes()).unwrap());
        assert!(partial.append_part(&parts[2], &mut "f".as_bytes()).unwrap());
        assert!(partial.finish(&dir.path().join("f"), &part("abcdef").sha256).unwrap());
    }

    #[test]
    fn removes_a_wrong_file() {
        let dir = tempfile::tempdir().unwrap();
        let (path, to) = (dir.path().join("p"), dir.path().join("f"));
        let mut partial = Partial::open(&path, 3).unwrap();
        partial.append(b"abX").unwrap();
        assert!(!partial.finish(&to, &part("abc").sha256).unwrap());
        assert!(!path.exists() && !to.exists());
    }
}
