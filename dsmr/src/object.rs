//! What a data line means: the objects of every dialect, by value groups and by the shape of the values.

use crate::line::{DataLine, Values};
use crate::logs::{FailureLog, PeakHistory};
use crate::quantity::{Phase, Processing, Quantity};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::value::{Content, Value};
use obis::{Obis, Prefix, Scaled, Unit};

/// The meaning of a data line.
///
/// Media and channels follow the standard: medium 0 channel n is M-Bus device n, medium 1 electricity.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Object<'a> {
    /// Version of the telegram: `42`, `50`, `50217`. 1-3:0.2.8, 0-0:96.1.4.
    Version(Text<'a>),
    /// When the telegram was made. 0-0:1.0.0.
    Time(Timestamp),
    /// The time of day alone, hours, minutes and seconds. 1-0:0.9.1.
    TimeOfDay([u8; 3]),
    /// The date alone, year of the century, month and day. 1-0:0.9.2.
    Date([u8; 3]),
    /// Serial number of the meter. 0-0:96.1.0, 0-0:96.1.1, 1-0:96.1.0, 0-0:42.0.0, 1-0:0.0.0.
    EquipmentId(Text<'a>),
    /// EAN of the connection: channel 0, or of an M-Bus device. 0-n:96.1.2.
    Ean {
        /// 0, or the device's channel.
        channel: u8,
        /// The number.
        ean: Text<'a>,
    },
    /// Energy, power, voltage, current and the like. 1-b:c.d.e.
    Measurement {
        /// What is measured; value group C.
        quantity: Quantity,
        /// On which phase; value group C.
        phase: Phase,
        /// How it is made out of what is measured; value group D.
        processing: Processing,
        /// 0 total, else the tariff; value group E.
        tariff: u8,
        /// When, for a maximum.
        time: Option<Timestamp>,
        /// How much.
        value: Scaled,
    },
    /// Monthly peaks, thirteen months back. 0-0:98.1.0 as in Belgium.
    PeakHistory(PeakHistory<'a>),
    /// Values of the end of a month. 0-0:98.1.0 as in Hungary.
    MonthEnd {
        /// The end of the month.
        time: Timestamp,
        /// All values behind it.
        values: Values<'a>,
    },
    /// Long power failures. 1-0:99.97.0.
    FailureLog(FailureLog<'a>),
    /// Tariff in force: 1 is low in the Netherlands and high in Belgium. 0-0:96.14.0.
    Tariff {
        /// The number in the text.
        number: Option<u16>,
        /// As sent: `0002`, `TARIFF 1`.
        text: Text<'a>,
    },
    /// Power or current above which the meter switches off. 0-0:17.0.0.
    Limit(Scaled),
    /// Current that the fuse supervision allows; in Luxembourg for import and, negative, for export. x-0:31.4.0.
    /// Lithuania sends the mean current of phase 1 with this code; in kA it is read as such.
    FuseLimit {
        /// Import.
        import: Scaled,
        /// Export.
        export: Option<Scaled>,
    },
    /// Breaker (channel 0) or relay. 0-n:96.3.10, 0-0:24.4.0 in the text of DSMR 2.2.
    Switch {
        /// 0 is the meter's own breaker.
        channel: u8,
        /// Its state.
        state: SwitchState,
    },
    /// Valve of an M-Bus device. 0-n:24.4.0.
    Valve {
        /// The device's channel.
        channel: u8,
        /// Its state.
        state: SwitchState,
    },
    /// A message. 0-0:96.13.0 is the long one, 0-0:96.13.1 a code.
    Message {
        /// Value group E.
        number: u8,
        /// What it says.
        text: Text<'a>,
    },
    /// A number of events.
    Count {
        /// Of which.
        event: Event,
        /// How many.
        count: i64,
    },
    /// Kind of an M-Bus device. 0-n:24.1.0.
    DeviceType {
        /// The device's channel.
        channel: u8,
        /// What it measures.
        kind: DeviceKind,
    },
    /// Serial number of an M-Bus device. 0-n:96.1.0, 0-n:96.1.1.
    DeviceId {
        /// The device's channel.
        channel: u8,
        /// The number.
        id: Text<'a>,
    },
    /// Reading of an M-Bus device. 0-n:24.2.x, 0-n:24.3.x.
    DeviceReading {
        /// The device's channel.
        channel: u8,
        /// When, as the device says. For no device at all it is an impossible time.
        time: Option<Timestamp>,
        /// How much.
        value: Scaled,
    },
    /// Reading of another medium than electricity with a code of its own: 5 and 6 heat or cold, 7 gas, 8 and 9 water.
    MediumReading {
        /// Value group A.
        medium: u8,
        /// When, if it says so.
        time: Option<Timestamp>,
        /// How much.
        value: Scaled,
    },
    /// Nominal voltage of the grid, V. 1-0:94.32.1.
    NominalVoltage(Scaled),
    /// Another object with one number.
    Number(Scaled),
    /// Another object, or one with values other than it should have.
    Other(Values<'a>),
    /// The line was not understood, or it is cut short ([`DataLine::is_unclosed`]) and no message.
    Raw(&'a [u8]),
}

/// State of a breaker, relay or valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SwitchState {
    /// 0, `OFF`.
    Off,
    /// 1, `ON`.
    On,
    /// 2.
    ReadyForReconnection,
    /// Another number.
    Other(u16),
    /// Neither.
    Unknown,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Event {
    /// Power failures in any phase. 0-0:96.7.21.
    PowerFailure,
    /// Long power failures in any phase. 0-0:96.7.9.
    LongPowerFailure,
    /// Other power failures, by value group E of 0-0:96.7.e.
    OtherPowerFailure(u8),
    /// Voltage sags. 1-0:32.32.0, 52, 72; 12 and the table of Luxembourg: any phase.
    VoltageSag(Phase),
    /// Voltage swells. 1-0:32.36.0, 52, 72.
    VoltageSwell(Phase),
}

/// What an M-Bus device measures (EN 13757-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DeviceKind {
    /// 2.
    Electricity,
    /// 3.
    Gas,
    /// 4, 12 (heat volume at flow): heat; 12 in DSMR is heat or cold.
    Heat,
    /// 6, 21.
    HotWater,
    /// 7, 22 (cold water).
    Water,
    /// 10, 11.
    Cooling,
    /// 13.
    HeatAndCooling,
    /// Another number.
    Other(u16),
    /// None was sent.
    Unknown,
}

impl DeviceKind {
    /// The kind by its number in EN 13757-3.
    #[must_use]
    pub const fn from_number(number: u16) -> Self {
        match number {
            2 => Self::Electricity,
            3 => Self::Gas,
            4 | 12 => Self::Heat,
            6 | 21 => Self::HotWater,
            7 | 22 => Self::Water,
            10 | 11 => Self::Cooling,
            13 => Self::HeatAndCooling,
            other => Self::Other(other),
        }
    }
}

/// A data line boiled down to what a table or a JSON object shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Reading<'a> {
    /// One number, with the time it belongs to.
    Number {
        /// When, where the line says so.
        time: Option<Timestamp>,
        /// How much.
        value: Scaled,
    },
    /// A time.
    Time(Timestamp),
    /// A text, which may be empty.
    Text(Text<'a>),
    /// Several values.
    Values(Values<'a>),
    /// The line was not understood.
    Raw(&'a [u8]),
}

impl<'a> DataLine<'a> {
    /// What the line means.
    #[must_use]
    pub fn object(&self) -> Object<'a> {
        let Some(code) = self.code() else { return Object::Raw(self.raw()) };
        let meaning = meaning(code, self);
        // A text that is cut short is still one; a number, a state or a name is another.
        if self.is_unclosed() && !matches!(meaning, Some(Object::Message { .. })) {
            return Object::Raw(self.raw());
        }
        meaning.unwrap_or_else(|| match single(self.values()).map(Value::content) {
            Some(Content::Number(number)) if !is_name(code) => Object::Number(number),
            _ => Object::Other(self.values()),
        })
    }

    /// What a table shows of the line: one number with its time, a time, a text, several values, or the raw line.
    #[must_use]
    pub fn reading(&self) -> Reading<'a> {
        self.reading_of(self.object())
    }

    /// The same, given the [`object`](Self::object) of this line, for who looks at that as well.
    #[must_use]
    pub fn reading_of(&self, object: Object<'a>) -> Reading<'a> {
        let values = self.values();
        match object {
            Object::Raw(line) => Reading::Raw(line),
            Object::Time(time) => Reading::Time(time),
            Object::Version(text)
            | Object::EquipmentId(text)
            | Object::Ean { ean: text, .. }
            | Object::DeviceId { id: text, .. }
            | Object::Tariff { text, .. }
            | Object::Message { text, .. } => Reading::Text(text),
            Object::Measurement { time, value, .. }
            | Object::DeviceReading { time, value, .. }
            | Object::MediumReading { time, value, .. } => Reading::Number { time, value },
            Object::Limit(value)
            | Object::NominalVoltage(value)
            | Object::Number(value)
            | Object::FuseLimit { import: value, export: None } => Reading::Number { time: None, value },
            Object::TimeOfDay(_) | Object::Date(_) => self
                .value()
                .map_or(Reading::Values(values), |value| Reading::Text(Text::plain(value.octets()))),
            _ => match single(values) {
                None => Reading::Values(values),
                Some(value) if self.code().is_some_and(is_name) => {
                    Reading::Text(Text::number(value.octets()))
                }
                Some(value) => match value.content() {
                    Content::Number(value) => Reading::Number { time: None, value },
                    Content::Time(time) => Reading::Time(time),
                    // Nothing says that it is hexadecimal, and two digits by themselves are more often none.
                    _ if value.octets().len() < 4 => Reading::Text(Text::plain(value.octets())),
                    _ => Reading::Text(value.text()),
                },
            },
        }
    }
}

/// Whether digits under a code are a name or flags and no quantity: identifiers (C = 0 and 96.1), status (96.5) and
/// errors (97.97), and all that is general or of service in media with a code of their own.
const fn is_name(code: Obis) -> bool {
    match code.octets() {
        [_, _, 96, 1 | 5, ..] | [_, _, 97, 97, ..] | [1, _, 0, 0, ..] => true,
        [5..=9, _, c, ..] => c == 0 || c >= 96,
        _ => false,
    }
}

/// The value, if there is exactly one.
fn single(mut values: Values<'_>) -> Option<Value<'_>> {
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// `None`: not an object known here, or not the values it should have.
fn meaning<'a>(code: Obis, line: &DataLine<'a>) -> Option<Object<'a>> {
    let [a, b, c, d, e, _] = code.octets();
    let values = line.values();
    if let (1, 31, 4, 0) = (a, c, d, e)
        && let Some(limit) = fuse_limit(values)
    {
        return Some(limit);
    }
    let text = || single(values).map(Value::text);
    let plain = || single(values).map(|value| Text::plain(value.octets()));
    let number = || single(values).map(|value| Text::number(value.octets()));
    match (a, b, c, d, e) {
        (1, 3, 0, 2, 8) | (0, 0, 96, 1, 4) => Some(Object::Version(plain()?)),
        (0, 0, 1, 0, 0) => Some(Object::Time(single(values)?.timestamp()?)),
        (1, 0, 0, 9, 1) => Some(Object::TimeOfDay(pairs(single(values)?)?)),
        (1, 0, 0, 9, 2) => Some(Object::Date(pairs(single(values)?)?)),
        (0, 0, 96, 1, 0 | 1 | 255) | (1, _, 96, 1, 0 | 1 | 255) | (0, 0, 42, 0, 0) | (1, 0, 0, 0, 0) => {
            Some(Object::EquipmentId(number()?))
        }
        (0, _, 96, 1, 2) => Some(Object::Ean { channel: b, ean: number()? }),
        (0, _, 96, 1, 0 | 1) => Some(Object::DeviceId { channel: b, id: number()? }),
        (0, 0, 96, 14, _) => {
            let text = plain()?;
            Some(Object::Tariff { number: number_in(text.sent()), text })
        }
        (0, 0, 96, 13, _) => Some(Object::Message { number: e, text: text()? }),
        (0, _, 96, 3, 10) | (0, 0, 24, 4, 0) => {
            Some(Object::Switch { channel: b, state: state(single(values)?) })
        }
        (0 | 7, _, 24, 4, 0) => Some(Object::Valve { channel: b, state: state(single(values)?) }),
        (0, 0, 96, 7, _) => {
            let event = match e {
                21 => Event::PowerFailure,
                9 => Event::LongPowerFailure,
                e => Event::OtherPowerFailure(e),
            };
            Some(Object::Count { event, count: count(values)? })
        }
        (0 | 1, _, 12 | 32 | 52 | 72, 32, 0) => {
            Some(Object::Count { event: Event::VoltageSag(Phase::of(c)), count: count(values)? })
        }
        (0 | 1, _, 12 | 32 | 52 | 72, 36, 0) => {
            Some(Object::Count { event: Event::VoltageSwell(Phase::of(c)), count: count(values)? })
        }
        (0, _, 24, 1, 0) if b != 0 => {
            let value = single(values)?;
            let kind = match number_in(value.octets()) {
                None => DeviceKind::Unknown,
                Some(number) => DeviceKind::from_number(number),
            };
            Some(Object::DeviceType { channel: b, kind })
        }
        (0, _, 24, 2 | 3, _) if b != 0 => {
            let (time, value) = timed(values)?;
            Some(Object::DeviceReading { channel: b, time, value })
        }
        (0, 0, 17, 0, 0) => Some(Object::Limit(single(values)?.scaled()?)),
        (0 | 1, 0, 98, 1, 0) => {
            let mut rest = values;
            match rest.next()?.content() {
                Content::Time(time) => Some(Object::MonthEnd { time, values: rest }),
                _ => Some(Object::PeakHistory(PeakHistory::new(values))),
            }
        }
        (0 | 1, 0, 99, 97, 0) => Some(Object::FailureLog(FailureLog::new(values))),
        (1, 0, 94, 32, 1) => Some(Object::NominalVoltage(single(values)?.scaled()?)),
        (1, _, 1..=91, 3..=6 | 7 | 8 | 24, _) => {
            let (quantity, phase) = Quantity::of(c)?;
            let processing = Processing::of(d)?;
            let (time, value) = timed(values)?;
            Some(Object::Measurement { quantity, phase, processing, tariff: e, time, value })
        }
        (5..=9, _, 1..=95, ..) => {
            let (time, value) = timed(values)?;
            Some(Object::MediumReading { medium: a, time, value })
        }
        _ => None,
    }
}

/// One current or two, in plain amperes: no fuse is rated in kA, as the mean currents of early Lithuanian meters are.
fn fuse_limit<'a>(mut values: Values<'a>) -> Option<Object<'a>> {
    let mut current = || -> Option<Option<Scaled>> {
        let Some(value) = values.next() else { return Some(None) };
        let value = value.scaled()?;
        (value.unit == Unit::AMPERE && value.prefix == Prefix::None).then_some(Some(value))
    };
    let (import, export) = (current()??, current()?);
    values.next().is_none().then_some(Object::FuseLimit { import, export })
}

/// A number and its time, in whatever order: `(time)(number*unit)`, `(number*unit)(time)`, `(number*unit)`, and the
/// gas line of DSMR 2.2 and 3.0, `(time)(status)(minutes)(count)(code)(unit)(number)`.
fn timed(values: Values<'_>) -> Option<(Option<Timestamp>, Scaled)> {
    let (mut time, mut number, mut unit) = (None, None, None);
    let (mut numbers, mut others) = (0u8, 0u8);
    let mut first = true;
    for value in values {
        // Twelve digits, with the century fourteen, are a time in DSMR 2.2 and 3.0, and where Belgian meters swap time and number.
        let digits = value.octets();
        let long = digits.len() == 14 && digits.starts_with(b"20");
        let plain = (long || matches!(digits.len(), 10 | 12)) && digits.iter().all(u8::is_ascii_digit);
        if plain && (first || number.is_some()) && time.is_none() {
            time = value.timestamp();
        } else {
            match value.content() {
                Content::Time(found) if time.is_none() => time = Some(found),
                Content::Number(found) => {
                    number = Some(found);
                    numbers = numbers.saturating_add(1);
                }
                Content::Text(_) if value.lone_unit().is_some() => {
                    unit = value.lone_unit();
                    // One number in front of it is the short form; several are status, minutes and count.
                    if numbers > 1 {
                        (number, numbers) = (None, 0);
                    }
                }
                // The long form: what stands in front of the code is no reading.
                Content::Code(_) => (number, numbers, others) = (None, 0, 0),
                _ => others = others.saturating_add(1),
            }
        }
        first = false;
    }
    let mut number: Scaled = number?;
    if let (Some((prefix, lone)), true) = (unit, number.unit == Unit::NONE) {
        (number.prefix, number.unit) = (prefix, lone);
    }
    // With more numbers than one it is the long form, or something that only the caller can make sense of.
    let long_form = unit.is_some() && time.is_some();
    ((numbers == 1 || long_form) && others == 0).then_some((time, number))
}

fn count(values: Values<'_>) -> Option<i64> {
    let number = single(values)?.scaled()?;
    (number.unit == Unit::NONE).then(|| number.value.to_integer())?
}

fn state(value: Value<'_>) -> SwitchState {
    let text = value.octets().trim_ascii();
    if text.eq_ignore_ascii_case(b"ON") {
        return SwitchState::On;
    }
    if text.eq_ignore_ascii_case(b"OFF") {
        return SwitchState::Off;
    }
    match number_in(text) {
        Some(0) => SwitchState::Off,
        Some(1) => SwitchState::On,
        Some(2) => SwitchState::ReadyForReconnection,
        Some(other) => SwitchState::Other(other),
        None => SwitchState::Unknown,
    }
}

/// The first run of digits.
fn number_in(text: &[u8]) -> Option<u16> {
    let start = text.iter().position(u8::is_ascii_digit)?;
    let digits = text.get(start..)?.iter().take_while(|octet| octet.is_ascii_digit());
    digits
        .copied()
        .try_fold(0u16, |number, digit| number.checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into()))
}

/// Three numbers of two digits, with or without something between them.
fn pairs(value: Value<'_>) -> Option<[u8; 3]> {
    let mut out = [0u8; 3];
    let mut digits = value.octets().iter().filter(|octet| !matches!(octet, b':' | b'-' | b' '));
    for pair in &mut out {
        let mut digit = || digits.next().map(|octet| octet.wrapping_sub(b'0')).filter(|digit| *digit < 10);
        *pair = digit()?.wrapping_mul(10).wrapping_add(digit()?);
    }
    digits.next().is_none().then_some(out)
}
