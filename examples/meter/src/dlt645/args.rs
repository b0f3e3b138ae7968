//! The command line of `meter dlt645`.

use super::access::Secrets;
use crate::args::Format;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use dlt645::{Address, Identifier};

#[derive(ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub enum Action {
    /// Read data identifiers, blocks and load records with their follow-up frames.
    Read(Read),
    /// Read the address of the only meter on the line (13H).
    Address(Line),
    /// Find meters: rate, edition and address, several meters on one line included.
    Discover(Discover),
    /// Set date and time, of one meter (with a password) or of all (--broadcast).
    SetTime(SetTime),
    /// Freeze: now, or from now on every hour, day, month or year (16H).
    Freeze(Freeze),
    /// Write a data identifier (14H).
    Write(Write),
    /// Give the meter that is addressed a new address (15H).
    WriteAddress(WriteAddress),
    /// Change the rate of the line (17H); the port follows.
    SetRate(SetRate),
    /// Change a password (18H). The new one is read from METER_DLT645_NEW_PASSWORD or --new-password.
    SetPassword(SetPassword),
    /// Clear the maximum demand (19H).
    ClearDemand(Guarded),
    /// Clear the meter (1AH).
    ClearMeter(Guarded),
    /// Clear events (1BH).
    ClearEvents(ClearEvents),
    /// Trip, close or permit to close the relay, alarm, keep the supply (1CH).
    Relay(Relay),
    /// What the multi-function terminal puts out (1DH).
    Terminal(Terminal),
}

/// Edition of the standard that a meter speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Edition {
    #[value(name = "1997")]
    V1997,
    #[value(name = "2007")]
    V2007,
    /// Ask in 2007, then in 1997.
    Auto,
}

/// Where the meter is and how it is asked.
#[derive(ClapArgs)]
pub struct Line {
    /// `/dev/ttyUSB0[@2400[,8E1]]`, tcp:HOST:PORT or pty:PATH.
    #[arg(long, value_name = "PORT")]
    pub port: String,

    /// Address on the meter's plate, up to 12 digits; pairs AA at the front stand for any.
    #[arg(long, value_name = "DIGITS", default_value = "AAAAAAAAAAAA")]
    pub address: Address,

    #[arg(long = "dlt645-version", value_enum, value_name = "YEAR", default_value_t = Edition::V2007)]
    pub edition: Edition,

    /// Milliseconds to wait for a reply; gateways and radio modules need seconds.
    #[arg(long, value_name = "MS", default_value_t = 1500, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub timeout: u32,

    /// Repetitions after the first try.
    #[arg(long, default_value_t = 2)]
    pub retries: u8,

    /// Wake-up octets FE before a request.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub wake_up: u8,

    /// Frames of one answer at most.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_frames: u8,

    /// Default: table on a terminal, json elsewhere.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

#[derive(ClapArgs)]
pub struct Read {
    #[command(flatten)]
    pub line: Line,

    /// Data identifiers, 8 hex digits (2007) or 4 (1997), separated by commas.
    #[arg(long = "di", value_name = "DI", value_delimiter = ',', required = true)]
    pub identifiers: Vec<Identifier>,

    /// Load records (06xxxxxx): how many.
    #[arg(long, value_name = "N")]
    pub records: Option<u8>,

    /// Load records: from this time on, YYYY-MM-DDThh:mm.
    #[arg(long, value_name = "TIME", requires = "records")]
    pub since: Option<String>,
}

#[derive(ClapArgs)]
pub struct Discover {
    /// /dev/ttyUSB0, tcp:HOST:PORT or pty:PATH.
    #[arg(long, value_name = "PORT")]
    pub port: String,

    /// Rates to try on a serial port, in this order.
    #[arg(long, value_name = "BAUD", value_delimiter = ',')]
    pub rates: Vec<u16>,

    /// Milliseconds to listen after each question.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub window: u32,

    /// Go on after the first rate and edition that is answered.
    #[arg(long)]
    pub all: bool,

    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// A line, and the password for what changes something.
#[derive(ClapArgs)]
pub struct Guarded {
    #[command(flatten)]
    pub line: Line,
    #[command(flatten)]
    pub secrets: Secrets,
}

#[derive(ClapArgs)]
pub struct SetTime {
    #[command(flatten)]
    pub guarded: Guarded,

    /// `now` or YYYY-MM-DDThh:mm:ss.
    #[arg(long, default_value = "now")]
    pub time: String,

    /// Offset of the meters' clock from UTC, for `now`.
    #[arg(long, default_value = "+08:00", allow_hyphen_values = true)]
    pub utc_offset: String,

    /// To all meters, without a password (08H). None answers; each takes it once a day, if it is within 5 minutes.
    #[arg(long)]
    pub broadcast: bool,
}

#[derive(ClapArgs)]
pub struct Freeze {
    #[command(flatten)]
    pub line: Line,

    /// `now`, or MMDDhhmm with 99 for "every": 99990000 is each day at 00:00.
    #[arg(long, default_value = "now")]
    pub at: String,

    /// To all meters. None answers.
    #[arg(long)]
    pub broadcast: bool,
}

#[derive(ClapArgs)]
pub struct Write {
    #[command(flatten)]
    pub guarded: Guarded,

    #[arg(long = "di", value_name = "DI")]
    pub identifier: Identifier,

    /// The new value, as `read` shows it.
    #[arg(long, required_unless_present = "hex", allow_hyphen_values = true)]
    pub value: Option<String>,

    /// The new value as octets in the order of the wire, before 33H is added.
    #[arg(long, conflicts_with = "value")]
    pub hex: Option<String>,
}

#[derive(ClapArgs)]
pub struct WriteAddress {
    #[command(flatten)]
    pub line: Line,

    /// The new address, 12 digits.
    #[arg(long, value_name = "DIGITS")]
    pub new: Address,
}

#[derive(ClapArgs)]
pub struct SetRate {
    #[command(flatten)]
    pub line: Line,

    /// In bit/s.
    #[arg(long)]
    pub rate: u16,
}

#[derive(ClapArgs)]
pub struct SetPassword {
    #[command(flatten)]
    pub guarded: Guarded,

    /// Which password (2007): 04000C01 is level 0, 04000C03 level 2.
    #[arg(long = "di", value_name = "DI")]
    pub identifier: Option<Identifier>,

    /// LEVEL:DIGITS.
    #[arg(long, value_name = "LEVEL:DIGITS", env = "METER_DLT645_NEW_PASSWORD", hide_env_values = true)]
    pub new_password: String,
}

#[derive(ClapArgs)]
pub struct ClearEvents {
    #[command(flatten)]
    pub guarded: Guarded,

    /// FFFFFFFF for all, xxxxxxFF for one class.
    #[arg(long = "di", value_name = "DI", default_value = "FFFFFFFF")]
    pub identifier: Identifier,
}

#[derive(ClapArgs)]
pub struct Relay {
    #[command(flatten)]
    pub guarded: Guarded,

    #[arg(value_enum)]
    pub command: Command,

    /// Octet N2: delay of an alarm or trip as the meter defines it.
    #[arg(long, default_value_t = 0)]
    pub option: u8,

    /// The meter obeys until then, YYYY-MM-DDThh:mm:ss. Default: an hour from now.
    #[arg(long)]
    pub until: Option<String>,

    /// Offset of the meter's clock from UTC, for the default.
    #[arg(long, default_value = "+08:00", allow_hyphen_values = true)]
    pub utc_offset: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Command {
    Trip,
    PermitClose,
    Close,
    TripRecovering,
    TripPermitting,
    AlarmOn,
    AlarmOff,
    KeepOn,
    KeepOff,
}

#[derive(ClapArgs)]
pub struct Terminal {
    #[command(flatten)]
    pub line: Line,

    #[arg(value_enum)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Clock pulses.
    Clock,
    /// Ends of demand periods.
    Demand,
    /// Switches of tariff periods.
    Period,
}
