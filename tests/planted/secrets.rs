//! Secrets that must not turn up in any output. Every secret of every test begins with [`MARK`], and whatever a program that
//! a test starts prints, answers or serves is looked at for it; CI looks at the output of the whole run as well.

use std::process::Output;

/// What every secret of every test begins with.
pub(crate) const MARK: &str = "planted-secret";

/// A key that nobody may see.
pub(crate) const SECRET: &str = "planted-secret-7c1f";

/// Fails when a secret is in `output`, of a program or of a server.
#[track_caller]
pub(crate) fn assert_no_secret(output: impl AsRef<[u8]>) {
    let text = String::from_utf8_lossy(output.as_ref());
    let found = text.lines().find(|line| line.contains(MARK));
    // What is told of it must not be found again.
    let found = found.map(|line| line.replace(MARK, "[here]"));
    assert_eq!(found, None, "a secret is in the output");
}

/// What a program printed, in which there is no secret.
#[track_caller]
pub(crate) fn looked_at(output: Output) -> Output {
    assert_no_secret(&output.stdout);
    assert_no_secret(&output.stderr);
    output
}
