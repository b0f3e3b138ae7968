//! `meter`: reads smart meters. `meter help` lists what it can do.

mod args;
mod civil;
mod decode;
mod dlt645;
mod input;
mod output;
mod simulate;
mod upgrade;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args::Args { command } = args::Args::parse();
    match command {
        args::Command::Decode(args) => decode::run(&args),
        args::Command::Dlt645(args) => dlt645::run(&args),
        args::Command::Simulate(args) => simulate::run(&args),
        args::Command::Upgrade { args } => ExitCode::from(u8::try_from(upgrade::run(&args)).unwrap_or(1)),
    }
}
