//! Files that are named on the command line.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::Context;

use crate::manifest::FILE_BYTES_MAX;

/// The name of a file that stands for standard input.
const STANDARD_INPUT: &str = "-";

pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// What a file is called in what is said of it.
pub(super) fn name(path: &Path) -> String {
    if is_standard_input(path) {
        "standard-input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// The text of a manifest.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    // One byte more than is taken tells that there is too much.
    let most = u64::try_from(FILE_BYTES_MAX)?.saturating_add(1);
    let mut text = String::new();
    let read = if is_standard_input(path) {
        io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", name(path)))?;
    Ok(text)
}
