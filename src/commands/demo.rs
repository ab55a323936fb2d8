//! `sluice demo`.

use std::io::{self, Write};

use super::show;
use crate::{cli::DemoArgs, demo, shutdown};

pub(super) async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    if args.law {
        let both = demo::run_law(&args.into(), stop).await?;
        end_the_screen(args)?;
        show(&both, args.json)?;
    } else {
        let summary = demo::run(&args.into(), stop).await?;
        end_the_screen(args)?;
        show(&summary, args.json)?;
    }
    Ok(())
}

/// A line between what went on and what came of it.
fn end_the_screen(args: &DemoArgs) -> io::Result<()> {
    if args.json {
        return Ok(());
    }
    writeln!(io::stdout().lock())
}
