//! What `--help` says of the commands that people type by hand, all of it. `UPDATE_HELP=1` writes it anew.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::planted::secrets::looked_at;

#[test]
fn the_help_is_what_was_last_agreed_on() {
    for command in ["doctor", "explain", "migrate"] {
        let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args([command, "--help"])
            .env_clear()
            // A terminal would be asked how wide it is.
            .stdin(Stdio::null())
            .output()
            .map(looked_at)
            .expect("the binary");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{command}.txt"));
        if std::env::var_os("UPDATE_HELP").is_some() {
            std::fs::write(&path, &found).expect("a file");
        }
        let agreed = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(found, agreed, "{command}");
    }
}
