//! M-Bus devices: what the lines of one channel say together.

use crate::object::{DeviceKind, Object, SwitchState};
use crate::telegram::Telegram;
use crate::text::Text;
use crate::timestamp::Timestamp;
use obis::{Obis, Scaled, Unit};

/// A device behind the meter, gathered from all lines of its channel.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    /// 1 to 4 by the standard. Which device has which channel is up to the installer.
    pub channel: u8,
    /// What it measures.
    pub kind: DeviceKind,
    /// Its serial number.
    pub id: Option<Text<'a>>,
    /// Its EAN.
    pub ean: Option<Text<'a>>,
    /// Its newest reading.
    pub reading: Option<DeviceReading>,
    /// Its valve.
    pub valve: Option<SwitchState>,
}

/// A reading of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeviceReading {
    /// The object it comes from: 24.2.1, 24.2.3 for gas that is not temperature-corrected, 24.3.0 …
    pub code: Obis,
    /// When, as the device says.
    pub time: Option<Timestamp>,
    /// How much.
    pub value: Scaled,
}

impl DeviceReading {
    /// Seconds since 2000 of the reading; `None` where it has none that is possible.
    #[must_use]
    pub fn age_key(&self) -> Option<u32> {
        self.time?.local_seconds()
    }
}

impl Device<'_> {
    /// Whether there is a device at all: it has a serial number or a reading that was taken, with a time and a unit. A
    /// channel with none has neither, or an impossible time.
    #[must_use]
    pub fn is_assigned(&self) -> bool {
        let named = self.id.or(self.ean).is_some_and(|id| !id.is_empty());
        let possible = self.reading.is_none_or(|reading| reading.time.is_none_or(Timestamp::is_valid));
        // Serial numbers are blanked in telegrams that are passed on.
        let live = self.reading.is_some_and(|reading| {
            let counts = reading.value.unit != Unit::NONE || reading.value.value.mantissa != 0;
            reading.time.is_some_and(Timestamp::is_valid) && counts
        });
        possible && (named || live)
    }
}

impl<'a> Telegram<'a> {
    /// The M-Bus devices, by rising channel.
    #[must_use]
    pub const fn devices(&self) -> Devices<'a> {
        Devices { telegram: *self, next: Some(1) }
    }

    /// The device of a kind whose reading is the newest, whatever its channel: after a meter was replaced two have the
    /// same kind, of which one is dead. Devices with no possible time come last, channels with no device never.
    #[must_use]
    pub fn newest(&self, kind: DeviceKind) -> Option<Device<'a>> {
        let mut best: Option<Device<'a>> = None;
        for device in self.devices().filter(|device| device.kind == kind && device.is_assigned()) {
            let key = |device: &Device<'_>| device.reading.map(|reading| reading.age_key());
            if best.as_ref().is_none_or(|best| key(&device) > key(best)) {
                best = Some(device);
            }
        }
        best
    }

    /// The device on a channel; `None` where no line names it.
    #[must_use]
    pub fn device(&self, channel: u8) -> Option<Device<'a>> {
        let mut device =
            Device { channel, kind: DeviceKind::Unknown, id: None, ean: None, reading: None, valve: None };
        let mut any = false;
        for line in self.lines().filter(|line| line.channel() == Some(channel)) {
            match line.object() {
                Object::DeviceType { kind, .. } => device.kind = kind,
                Object::DeviceId { id, .. } => device.id = Some(id),
                Object::Ean { ean, .. } => device.ean = Some(ean),
                Object::Valve { state, .. } => device.valve = Some(state),
                Object::DeviceReading { time, value, .. } => {
                    let Some(code) = line.code() else { continue };
                    let reading = DeviceReading { code, time, value };
                    if device.reading.is_none_or(|before| reading.age_key() >= before.age_key()) {
                        device.reading = Some(reading);
                    }
                }
                // Relays share the numbers of M-Bus channels and are none.
                _ => continue,
            }
            any = true;
        }
        any.then_some(device)
    }

    /// When the telegram was made, from its time object or from time of day and date.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let (mut day, mut clock) = (None, None);
        for line in self.lines() {
            match line.object() {
                Object::Time(time) => return Some(time),
                Object::Date(date) => day = Some(date),
                Object::TimeOfDay(time) => clock = Some(time),
                _ => {}
            }
        }
        let ([year, month, day], [hour, minute, second]) = (day?, clock?);
        let season = crate::timestamp::Season::Unknown;
        Some(Timestamp { year, month, day, hour, minute, second, season })
    }

    /// The version that the telegram says it has: `42`, `50`, `50217`.
    #[must_use]
    pub fn version(&self) -> Option<Text<'a>> {
        self.lines().find_map(|line| match line.object() {
            Object::Version(version) => Some(version),
            _ => None,
        })
    }

    /// How far standard time is ahead of UTC where meters with this identification stand, minutes: 120 for Lithuania
    /// (`ESO`), 60 for all others that are known. For [`Timestamp::iso`].
    #[must_use]
    pub fn winter_offset(&self) -> i16 {
        if self.identification().starts_with(b"ESO") { 120 } else { 60 }
    }
}

/// Iterator of [`Telegram::devices`].
#[derive(Clone, Copy, Debug)]
pub struct Devices<'a> {
    telegram: Telegram<'a>,
    next: Option<u8>,
}

impl<'a> Iterator for Devices<'a> {
    type Item = Device<'a>;

    fn next(&mut self) -> Option<Device<'a>> {
        loop {
            let from = self.next?;
            // The lowest channel from there on: no table of channels, so any number of them.
            let lines = self.telegram.lines().filter_map(|line| line.channel());
            let channel = lines.filter(|channel| *channel >= from).min()?;
            self.next = channel.checked_add(1);
            if let Some(device) = self.telegram.device(channel) {
                return Some(device);
            }
        }
    }
}
