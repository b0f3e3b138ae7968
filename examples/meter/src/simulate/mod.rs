//! `meter simulate`: virtual meters to try readers on.

mod dlt645;

use clap::{Args as ClapArgs, Subcommand};
use std::process::ExitCode;

#[derive(ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    meter: Meter,
}

#[derive(Subcommand)]
enum Meter {
    /// A three-phase meter that speaks DL/T 645 on a pseudo-terminal or a TCP port, until it is ended.
    ///
    /// The first line of output is the path of the terminal, or the address that the port is bound to.
    Dlt645(dlt645::Args),
}

pub fn run(args: &Args) -> ExitCode {
    match &args.meter {
        Meter::Dlt645(args) => dlt645::run(args),
    }
}
