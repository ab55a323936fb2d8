//! Files that may change while the scaler runs, such as what Kubernetes mounts from a Secret: it swaps a
//! symbolic link, so that only reading again shows a change. Knows nothing of what the files mean.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// So often files are read again. Kubernetes itself takes up to a minute to mount a change.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// A larger file is none of those that are meant: a bundle of all public authorities has 250 KiB.
const BYTES_MAX: u64 = 1 << 20;

/// What a file holds; wiped when it is dropped, as it may be a key.
pub type Content = Zeroizing<Vec<u8>>;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path:?}")]
pub struct FileError {
    path: PathBuf,
    source: io::Error,
}

/// Files that are read together.
#[derive(Debug, Clone)]
pub struct WatchedFiles {
    paths: Vec<PathBuf>,
    /// Of what was read last; the content itself is not kept.
    seen: Option<[u8; 32]>,
}

impl WatchedFiles {
    /// Reads nothing yet.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, seen: None }
    }

    /// What the files hold, in their order, unless it is what was read last.
    ///
    /// # Errors
    /// When a file cannot be read or is larger than a mebibyte.
    pub fn read_if_changed(&mut self) -> Result<Option<Vec<Content>>, FileError> {
        let contents: Vec<Content> = self
            .paths
            .iter()
            .map(|path| read(path))
            .collect::<Result<_, _>>()?;
        let digest = digest(&contents);
        Ok((self.seen.replace(digest) != Some(digest)).then_some(contents))
    }
}

fn read(path: &Path) -> Result<Content, FileError> {
    read_bounded(path).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

fn read_bounded(path: &Path) -> io::Result<Content> {
    let file = File::open(path)?;
    // Room for all of it at once: a buffer that grows leaves copies of a key behind.
    let size = file.metadata()?.len();
    if size > BYTES_MAX {
        let found = format!("expected at most {BYTES_MAX} bytes, found {size}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, found));
    }
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    file.take(BYTES_MAX).read_to_end(&mut content)?;
    Ok(content)
}

fn digest(contents: &[Content]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for content in contents {
        hasher.update(content.len().to_le_bytes());
        hasher.update(content);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn given_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sluice-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn only_a_change_of_content_is_told() {
        let folder = given_folder("watched");
        let path = folder.join("file");
        let mut files = WatchedFiles::new(vec![path.clone()]);
        fs::write(&path, "one").unwrap();
        let told = files.read_if_changed().unwrap().expect("the first content");
        assert_eq!(told[0].as_slice(), b"one");
        assert!(files.read_if_changed().unwrap().is_none());
        fs::write(&path, "two").unwrap();
        assert!(files.read_if_changed().unwrap().is_some());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_missing_and_an_oversized_file_are_errors_with_their_path() {
        let folder = given_folder("oversized");
        let path = folder.join("large");
        File::create(&path).unwrap().set_len(BYTES_MAX + 1).unwrap();
        let error = WatchedFiles::new(vec![path]).read_if_changed().unwrap_err();
        assert!(error.to_string().contains("large"), "{error}");
        assert_eq!(error.source.kind(), io::ErrorKind::FileTooLarge);
        let missing = folder.join("missing");
        let error = WatchedFiles::new(vec![missing]).read_if_changed();
        assert_eq!(error.unwrap_err().source.kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(folder).unwrap();
    }
}
