//! The commands of `meter dlt645` that change something.

use super::args::{Action, Command, Output, SetTime};
use super::{Peer, Stop, access, value};
use crate::civil::{self, Civil};
use dlt645::{Address, Data, FreezeTime, Identifier, Moment, Rate, Relay, Request, Terminal, Version};

pub fn run(action: &Action) -> Result<bool, Stop> {
    match action {
        Action::Address(line) => {
            let mut peer = Peer::open(line)?;
            peer.ask("address", &Request::ReadAddress)
        }
        Action::SetTime(args) => set_time(args),
        Action::Freeze(args) => {
            let time = freeze(&args.at)?;
            let mut peer = Peer::open(&args.line)?;
            if args.broadcast {
                peer.address = Address::BROADCAST;
            }
            peer.ask("freeze", &Request::Freeze(time))
        }
        Action::Write(args) => {
            let access = args.guarded.secrets.access()?;
            let identifier = args.identifier;
            let octets = match (&args.hex, &args.value) {
                (Some(text), _) => value::hex(text).ok_or("--hex: pairs of hex digits")?,
                (None, Some(text)) => value::encode(identifier, text)?,
                (None, None) => return Err("--value or --hex is needed".into()),
            };
            let mut peer = Peer::open(&args.guarded.line)?;
            named(&peer)?;
            peer.ask(
                &identifier.to_string(),
                &Request::Write { identifier, access, data: Data::plain(&octets) },
            )
        }
        Action::WriteAddress(args) => {
            if !args.new.is_digits() || args.new.is_broadcast() {
                return Err(format!("{} is no address for a meter", args.new).into());
            }
            let mut peer = Peer::open(&args.line)?;
            peer.ask("write address", &Request::WriteAddress(args.new))
        }
        Action::SetRate(args) => {
            let mut peer = Peer::open(&args.line)?;
            named(&peer)?;
            let rate = Rate::from_bits_per_second(peer.version, args.rate)
                .ok_or_else(|| format!("{} bit/s is no rate of this edition", args.rate))?;
            let good = peer.ask("change rate", &Request::ChangeRate(rate))?;
            if good {
                peer.session.set_rate(args.rate.into()).map_err(|error| Stop::Failed(error.to_string()))?;
            }
            Ok(good)
        }
        Action::SetPassword(args) => {
            let old = args.guarded.secrets.access()?.password;
            let new = access::password(&args.new_password)?;
            let mut peer = Peer::open(&args.guarded.line)?;
            named(&peer)?;
            let identifier = match (peer.version, args.identifier) {
                (Version::V1997, None) | (Version::V2007, Some(_)) => args.identifier,
                (Version::V2007, None) => Some(Identifier::V2007(0x0400_0C01 + u32::from(new.level))),
                (Version::V1997, Some(_)) => return Err("1997 names no password by identifier".into()),
            };
            peer.ask("change password", &Request::ChangePassword { identifier, old, new })
        }
        Action::ClearDemand(args) => {
            let access = args.secrets.access()?;
            let mut peer = Peer::open(&args.line)?;
            named(&peer)?;
            peer.ask("clear demand", &Request::ClearDemand(access))
        }
        Action::ClearMeter(args) => {
            let access = args.secrets.access()?;
            let mut peer = Peer::open(&args.line)?;
            named(&peer)?;
            peer.ask("clear meter", &Request::ClearMeter(access))
        }
        Action::ClearEvents(args) => {
            let access = args.guarded.secrets.access()?;
            let mut peer = Peer::open(&args.guarded.line)?;
            named(&peer)?;
            peer.ask("clear events", &Request::ClearEvents { access, identifier: args.identifier })
        }
        Action::Relay(args) => {
            let access = args.guarded.secrets.access()?;
            let until = match &args.until {
                Some(text) => {
                    Civil::parse(text).ok_or_else(|| format!("{text}: expected YYYY-MM-DDThh:mm:ss"))?
                }
                None => Civil::from_seconds(civil::utc() + civil::offset(&args.utc_offset)? + 3600),
            };
            let mut peer = Peer::open(&args.guarded.line)?;
            named(&peer)?;
            let command = relay(args.command);
            let request = Request::Relay { access, command, option: args.option, until: until.moment() };
            peer.ask("relay", &request)
        }
        Action::Terminal(args) => {
            let output = match args.output {
                Output::Clock => Terminal::ClockPulse,
                Output::Demand => Terminal::DemandPeriod,
                Output::Period => Terminal::PeriodSwitch,
            };
            let mut peer = Peer::open(&args.line)?;
            peer.ask("terminal", &Request::Terminal(output))
        }
        Action::Read(_) | Action::Discover(_) => Err("not a command that changes something".into()),
    }
}

/// What changes a meter must name it: others on the line would do the same.
fn named(peer: &Peer) -> Result<(), Stop> {
    if peer.address.is_digits() && !peer.address.is_broadcast() {
        return Ok(());
    }
    Err("the whole --address of the meter is needed for this".into())
}

fn set_time(args: &SetTime) -> Result<bool, Stop> {
    let fixed = match args.time.as_str() {
        "now" => None,
        text => {
            Some(Civil::parse(text).ok_or_else(|| format!("{text}: expected now or YYYY-MM-DDThh:mm:ss"))?)
        }
    };
    let offset = civil::offset(&args.utc_offset)?;
    let time = || fixed.unwrap_or_else(|| Civil::from_seconds(civil::utc() + offset));
    if args.broadcast {
        let mut peer = Peer::open(&args.guarded.line)?;
        peer.address = Address::BROADCAST;
        return peer.ask("broadcast time", &Request::BroadcastTime(time().moment()));
    }
    let access = args.guarded.secrets.access()?;
    let mut peer = Peer::open(&args.guarded.line)?;
    named(&peer)?;
    let [date_id, time_id] = match peer.version {
        Version::V2007 => [0x0400_0101, 0x0400_0102].map(Identifier::V2007),
        Version::V1997 => [0xC010, 0xC011].map(Identifier::V1997),
    };
    let date = time();
    if !write(&mut peer, date_id, access, date.date())? {
        return Ok(false);
    }
    let clock = time();
    let good = write(&mut peer, time_id, access, clock.time())?;
    if good && (clock.day, clock.month) != (date.day, date.month) {
        // Midnight has passed between the two.
        return write(&mut peer, date_id, access, clock.date());
    }
    Ok(good)
}

fn write(
    peer: &mut Peer,
    identifier: Identifier,
    access: dlt645::Access,
    time: Moment,
) -> Result<bool, Stop> {
    let octets: Vec<u8> = time.octets().collect();
    peer.ask(&identifier.to_string(), &Request::Write { identifier, access, data: Data::plain(&octets) })
}

/// `now` or MMDDhhmm, 99 for "every" from the month down.
fn freeze(text: &str) -> Result<FreezeTime, String> {
    if text == "now" {
        return Ok(FreezeTime::NOW);
    }
    let wrong = || format!("{text}: expected now or MMDDhhmm, with 99 for every month, day or hour");
    let number: u32 = text.parse().map_err(|_| wrong())?;
    if text.len() != 8 {
        return Err(wrong());
    }
    let [month, day, hour, minute] =
        [1_000_000, 10_000, 100, 1].map(|unit| u8::try_from(number / unit % 100).unwrap_or_default());
    match (month, day, hour, minute) {
        (99, 99, 99, 99) => Ok(FreezeTime::NOW),
        (99, 99, 99, 0..=59) => Ok(FreezeTime::hourly(minute)),
        (99, 99, 0..=23, 0..=59) => Ok(FreezeTime::daily(hour, minute)),
        (99, 1..=31, 0..=23, 0..=59) => Ok(FreezeTime::monthly(day, hour, minute)),
        (1..=12, 1..=31, 0..=23, 0..=59) => Ok(FreezeTime::yearly(month, day, hour, minute)),
        _ => Err(wrong()),
    }
}

fn relay(command: Command) -> Relay {
    match command {
        Command::Trip => Relay::Trip,
        Command::PermitClose => Relay::PermitClose,
        Command::Close => Relay::Close,
        Command::TripRecovering => Relay::TripRecovering,
        Command::TripPermitting => Relay::TripPermitting,
        Command::AlarmOn => Relay::AlarmOn,
        Command::AlarmOff => Relay::AlarmOff,
        Command::KeepOn => Relay::KeepOn,
        Command::KeepOff => Relay::KeepOff,
    }
}
