//! How far a comparison is, on a terminal that watches it; nothing where stderr goes elsewhere.

use std::io::{self, IsTerminal, Write};

/// A line that is written over and over.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Shown if stderr is a terminal.
    pub fn on_a_terminal() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
        }
    }

    /// Says how many of how many runs are done, and takes the line away after the last.
    pub fn show(self, done: usize, runs: usize) {
        if self.is_shown {
            // A terminal that cannot be written to is no reason to stop.
            write(&mut io::stderr().lock(), done, runs).ok();
        }
    }
}

fn write(to: &mut impl Write, done: usize, runs: usize) -> io::Result<()> {
    if done < runs {
        write!(to, "\r{done} of {runs} runs")?;
    } else {
        write!(to, "\r\x1b[K")?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_away_after_the_last_run() {
        let mut written = Vec::new();
        write(&mut written, 1, 2).unwrap();
        write(&mut written, 2, 2).unwrap();
        assert_eq!(written, b"\r1 of 2 runs\r\x1b[K");
    }
}
