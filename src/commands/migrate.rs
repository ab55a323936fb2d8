//! `sluice migrate`: reads and writes the files. All of them are understood before one is written.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, bail};

use super::files;
use crate::{
    cli::MigrateArgs,
    migrate::{self, Direction, MigrateSettings, Rewritten},
};

pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let settings = MigrateSettings::from(args);
    if args.in_place && args.files.iter().any(|path| files::is_standard_input(path)) {
        bail!("--in-place: standard input cannot be written");
    }
    let mut rewritten = Vec::with_capacity(args.files.len());
    for path in &args.files {
        rewritten.push(migrate::rewrite(
            &files::name(path),
            &files::read(path)?,
            &settings,
        )?);
    }
    let files = rewritten;
    let is_changed = files.iter().any(Rewritten::is_changed);
    if args.check {
        io::stdout().lock().write_all(diffs(&files).as_bytes())?;
        return Ok(ExitCode::from(u8::from(is_changed)));
    }
    tell(&files, settings.direction)?;
    if args.in_place {
        for (path, file) in args.files.iter().zip(&files) {
            write(path, file)?;
        }
    } else {
        io::stdout().lock().write_all(joined(&files).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error what changes and what is lost.
fn tell(files: &[Rewritten], direction: Direction) -> anyhow::Result<()> {
    let mut out = io::stderr().lock();
    let triggers: usize = files.iter().map(|file| file.triggers.len()).sum();
    if triggers == 0 {
        writeln!(
            out,
            "nothing to migrate in {}",
            counted(files.len(), "file")
        )?;
    }
    write!(out, "{}", diffs(files))?;
    let notes = migrate::notes(files, direction);
    if !notes.is_empty() {
        writeln!(out, "\nTo know:")?;
    }
    for note in &notes {
        writeln!(out, "- {note}")?;
    }
    let policy = migrate::policy(files).filter(|_| direction == Direction::ToSluice);
    if let Some(policy) = policy {
        writeln!(
            out,
            "\nThe role of Sluice's service account needs this policy, and no other permission:\n{}",
            policy.json()
        )?;
    }
    Ok(())
}

fn counted(number: usize, of: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {of}{plural}")
}

fn diffs(files: &[Rewritten]) -> String {
    files.iter().map(Rewritten::diff).collect()
}

/// One file as it is; several as the documents of one.
fn joined(files: &[Rewritten]) -> String {
    let mut joined = String::new();
    for file in files {
        if !joined.is_empty() && !joined.ends_with('\n') {
            joined.push('\n');
        }
        if !joined.is_empty() && !file.after.starts_with("---") {
            joined.push_str("---\n");
        }
        joined.push_str(&file.after);
    }
    joined
}

/// Replaces a file at once, so that it is never half of it.
fn write(path: &Path, file: &Rewritten) -> anyhow::Result<()> {
    if !file.is_changed() {
        return Ok(());
    }
    let cannot = || format!("cannot write {}", path.display());
    // What a link leads to is replaced, not the link.
    let path = fs::canonicalize(path).with_context(cannot)?;
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".sluice-{}", std::process::id()));
    let permissions = fs::metadata(&path).with_context(cannot)?.permissions();
    let replaced = fs::write(&beside, &file.after)
        .and_then(|()| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, &path));
    if replaced.is_err() {
        // What is left of the attempt may be nothing.
        let _gone = fs::remove_file(&beside);
    }
    replaced.with_context(cannot)
}
