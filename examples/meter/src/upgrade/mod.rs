//! `meter upgrade`: image packages, transfers, and their simulation.

mod channel;
mod command;
mod flash;
mod ihex;
mod image;
mod keys;
mod link;
mod memo;
mod options;
mod pack;
mod receive;
mod ring;
mod scenario;
mod send;
mod sign;
mod simulate;
mod sweep;

const HELP: &str = "\
meter upgrade <command> [options]

  pack       make, print and unpack image packages
  keygen     make keys
  sign       sign a package
  verify     check a signed package as a meter does
  encrypt    encipher a package, wrap its key for a meter
  send       move a package to meters over a serial port, TCP or a PTY
  receive    be a meter
  simulate   move an image to simulated meters and count the airtime

meter upgrade <command> --help says more.
";

/// Runs `meter upgrade <args>`; the process's exit code.
pub fn run(args: &[String]) -> i32 {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("--help", args),
    };
    let result = match command {
        "pack" => pack::run(rest),
        "keygen" => keys::run(rest),
        "sign" => sign::sign(rest),
        "verify" => sign::verify(rest),
        "encrypt" => sign::encrypt(rest),
        "send" => send::run(rest),
        "receive" => receive::run(rest),
        "simulate" => command::run(rest),
        "--help" | "-h" | "help" => Ok(HELP.to_string()),
        other => Err(format!("unknown command `{other}`\n\n{HELP}")),
    };
    match result {
        Ok(text) => {
            print!("{text}");
            0
        }
        Err(error) => {
            eprintln!("meter upgrade: {error}");
            2
        }
    }
}
