//! `sluice explain`.

use std::io::{self, Write};

use crate::{cli::ExplainArgs, ramp::Ramp};

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let ramp = Ramp::try_from(&args.ramp)?;
    Ok(write!(io::stdout().lock(), "{ramp}")?)
}
