//! What a process prints, read and looked at to its end, whatever ends first: the process or the test.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    os::fd::OwnedFd,
    thread::JoinHandle,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use super::secrets::{MARK, assert_no_secret};

/// Far more than a process needs to start, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is kept of a log for tests to read; the rest is looked at alone.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Drop the process before this: its end is waited for.
pub(crate) struct Log(Option<JoinHandle<String>>);

impl Log {
    /// Reads `pipe` from now on, and waits for the line that contains `wanted`.
    pub(crate) async fn with_line(pipe: OwnedFd, wanted: &'static str) -> (String, Self) {
        let (found, line) = oneshot::channel();
        // A thread of its own: a runtime ends with its test, and nobody would read the rest.
        let log = Self(Some(std::thread::spawn(move || read(pipe, wanted, found))));
        let line = timeout(PATIENCE, line).await.expect("a line in time");
        let Ok(line) = line else {
            panic!("it ended early: {}", log.whole());
        };
        (line, log)
    }

    /// All of it, once the process has ended.
    pub(crate) fn whole(mut self) -> String {
        let whole = self.rest();
        assert_no_secret(&whole);
        whole
    }

    fn rest(&mut self) -> String {
        let reader = self.0.take();
        reader.map_or_else(String::new, |reader| reader.join().expect("a log in UTF-8"))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let rest = self.rest();
        // A test that fails says why itself.
        if !std::thread::panicking() {
            assert_no_secret(rest);
        }
    }
}

fn read(pipe: OwnedFd, wanted: &str, found: oneshot::Sender<String>) -> String {
    let (mut whole, mut found) = (String::new(), Some(found));
    for line in BufReader::new(File::from(pipe)).lines() {
        let line = line.expect("a log in UTF-8");
        if line.contains(wanted)
            && let Some(found) = found.take()
        {
            _ = found.send(line.clone());
        }
        if whole.len() < KEPT_BYTES_MAX || line.contains(MARK) {
            whole += &line;
            whole.push('\n');
        }
    }
    whole
}
