//! The command line.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Reads smart meters.
#[derive(Parser)]
#[command(version, about)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Decode what a meter sends into named, scaled values.
    ///
    /// Exit status: 0 all decoded, 1 something was damaged or encrypted without a key given (what can be read is still
    /// printed), 2 bad usage.
    Decode(Decode),
    /// Read and control DL/T 645 meters.
    ///
    /// Exit status: 0 done, 1 no reply or a refusal, 2 bad usage or no such port.
    Dlt645(crate::dlt645::Args),
    /// Virtual meters, to try readers on.
    Simulate(crate::simulate::Args),
    /// Firmware upgrade of many meters at once: `meter upgrade --help`.
    #[command(disable_help_flag = true)]
    Upgrade {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(ClapArgs)]
pub struct Decode {
    /// FILE, `-` for standard input, serial:/dev/ttyUSB0@2400,8N1 or tcp:HOST:PORT.
    /// Raw octets or hex text; `#` starts a comment in hex text.
    #[arg(default_value = "-")]
    pub source: String,

    #[arg(long, value_enum, default_value_t = Protocol::Auto)]
    pub protocol: Protocol,

    /// DL/T 645: edition of the standard; the frames do not tell.
    #[arg(long, value_enum, value_name = "YEAR", default_value_t = Edition::V2007)]
    pub dlt645_version: Edition,

    /// Default: table on a terminal, json elsewhere.
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Kamstrup: energies are in so many Wh. The lists do not say; else the type of the meter tells, or nobody: then
    /// they are printed without a unit.
    #[arg(long, value_enum, value_name = "WH")]
    pub energy_unit: Option<EnergyUnit>,

    /// P1: print telegrams whose check is wrong, too; they say so.
    #[arg(long)]
    pub lenient: bool,

    /// P1: which check the telegrams carry; X-25 has been seen on Holley meters.
    #[arg(long, value_enum, default_value_t = P1Check::Arc)]
    pub p1_check: P1Check,

    /// P1: take bit 7 of each octet for parity, for a 7E1 meter read by a port set to 8N1.
    #[arg(long)]
    pub strip_parity: bool,

    #[command(flatten)]
    pub keys: Keys,
}

#[derive(ClapArgs)]
pub struct Keys {
    /// Encryption key (GUEK), 32 or 64 hex digits. Others on the machine can see it here: METER_KEY or --key-file hide it.
    #[arg(long, value_name = "HEX", env = "METER_KEY", hide_env_values = true)]
    pub key: Option<String>,

    /// Authentication key (GAK), as long as the encryption key. Without it the tag of a message is not checked.
    #[arg(long, value_name = "HEX", env = "METER_AUTH_KEY", hide_env_values = true)]
    pub auth_key: Option<String>,

    /// System title of the meter, 16 hex digits, for encrypted telegrams that do not carry it.
    #[arg(long, value_name = "HEX")]
    pub system_title: Option<String>,

    /// File whose first line is the encryption key, and its second, if any, the authentication key. Goes before others.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Whichever finds whole frames.
    Auto,
    /// HDLC frame format type 3, as on most HAN ports.
    Hdlc,
    /// Wired M-Bus with DLMS on it.
    Mbus,
    /// DLMS over TCP or UDP.
    Wrapper,
    /// One DLMS APDU without any frame.
    Apdu,
    /// P1 telegrams: DSMR, SMR, e-MUCS and their neighbours, encrypted or not.
    P1,
    /// DL/T 645 frames, requests and replies.
    Dlt645,
}

/// Edition of DL/T 645.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Edition {
    /// DL/T 645-1997.
    #[value(name = "1997")]
    V1997,
    /// DL/T 645-2007, with its extensions of 2013.
    #[value(name = "2007")]
    V2007,
}

impl From<Edition> for dlt645::Version {
    fn from(edition: Edition) -> Self {
        match edition {
            Edition::V1997 => Self::V1997,
            Edition::V2007 => Self::V2007,
        }
    }
}

/// What a Kamstrup meter counts energies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EnergyUnit {
    /// 1 Wh, as in Sweden and Switzerland.
    #[value(name = "1")]
    WattHours,
    /// 10 Wh, as in Norway.
    #[value(name = "10")]
    TenWattHours,
}

/// The check on the last line of a telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum P1Check {
    Arc,
    X25,
    /// Not compared.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// One object a line for each message.
    Json,
    /// Every field of every layer.
    Tree,
    /// time,obis,name,value,unit
    Csv,
}
