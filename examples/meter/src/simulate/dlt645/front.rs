//! The meter behind the crate's slave: reads, writes and actions of one edition.

use super::model::Model;
use super::{old, registers};
use crate::civil::Civil;
use dlt645::{
    Access, Data, FreezeTime, Identifier, Meter, Moment, Part, Password, Query, Rate, Reason, Refusal, Relay,
    Request, Value, Version,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone)]
pub struct Front {
    version: Version,
    model: Arc<Mutex<Model>>,
    /// The answer in progress: the registers move on between its frames.
    answer: Option<(Identifier, Vec<u8>)>,
}

impl Front {
    pub fn new(version: Version, model: Arc<Mutex<Model>>) -> Self {
        Self { version, model, answer: None }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Levels 02 and 04 have the one password, as for parameters of both classes.
    fn check(&self, password: Password) -> Result<(), Reason> {
        let good = matches!(password.level, 2 | 4) && password.digits == self.model().password;
        if good { Ok(()) } else { Err(Reason::Password) }
    }

    /// 1997 has another word for what is not there.
    fn bad_data(&self) -> Reason {
        if self.version == Version::V1997 { Reason::IllegalData } else { Reason::Other }
    }
}

impl Meter for Front {
    fn get(
        &mut self,
        identifier: Identifier,
        query: Query,
        part: u8,
        out: &mut [u8],
    ) -> Result<Part, Reason> {
        let at = usize::from(part) * out.len();
        if part == 0 {
            let octets = {
                let model = self.model();
                match identifier {
                    Identifier::V2007(code) => registers::read(&model, code, query)?,
                    Identifier::V1997(code) => old::read(&model, code)?,
                }
            };
            self.answer = Some((identifier, octets));
        }
        // "Read next" carries SEQ, so that its parts are one octet shorter: all are cut to that.
        let most = if self.version == Version::V2007 && part == 0 { out.len() - 1 } else { out.len() };
        let at = if self.version == Version::V2007 && part > 0 { usize::from(part) * most } else { at };
        let (_, octets) =
            self.answer.as_ref().filter(|(asked, _)| *asked == identifier).ok_or(Reason::NoData)?;
        let rest = octets.get(at..).filter(|rest| part == 0 || !rest.is_empty()).ok_or(Reason::NoData)?;
        let len = rest.len().min(most);
        let (now, _) = rest.split_at(len);
        out.get_mut(..len).ok_or(Reason::Other)?.copy_from_slice(now);
        Ok(Part { len, more: rest.len() > len })
    }

    fn set(&mut self, identifier: Identifier, access: &Access, data: Data<'_>) -> Result<(), Reason> {
        self.check(access.password)?;
        let bad = self.bad_data();
        let octets: Vec<u8> = data.iter().collect();
        let code = match identifier {
            Identifier::V2007(code) => code,
            Identifier::V1997(0xC010) => 0x0400_0101,
            Identifier::V1997(0xC011) => 0x0400_0102,
            Identifier::V1997(_) => return Err(Reason::Identifier),
        };
        let mut model = self.model();
        let now = model.now();
        match code {
            0x0400_0101 | 0x0400_0102 | 0x0400_010C => {
                let time = Identifier::V2007(code)
                    .layout()
                    .and_then(|layout| layout.get(0))
                    .and_then(|field| match field.value(data) {
                        Ok(Value::Time(time)) if time.is_calendar() => Some(time),
                        _ => None,
                    })
                    .ok_or(bad)?;
                let to = merged(model.time(), time);
                model.set_clock(to.seconds());
                model.log.times_set.insert(0, (access.operator, now, to.seconds()));
            }
            0x0400_0000..=0x04FF_FFFF => {
                let present = registers::one(&model, code).ok_or(Reason::NoData)?;
                // Addresses and status words are not for writing.
                let fixed =
                    matches!(code, 0x0400_0401 | 0x0400_0500..=0x0400_05FF | 0x0480_0000..=0x0480_FFFF);
                if fixed || present.len() != octets.len() {
                    return Err(bad);
                }
                model.written.insert(code, octets);
            }
            _ => return Err(Reason::NoData),
        }
        model.log.programmed.insert(0, (now, access.operator, code));
        model.log.programmed.truncate(100);
        model.log.times_set.truncate(10);
        Ok(())
    }

    fn action(&mut self, request: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        match request {
            Request::BroadcastTime(time) => {
                let mut model = self.model();
                let to = merged(model.time(), *time);
                model.set_clock(to.seconds());
            }
            Request::Freeze(time) => {
                let mut model = self.model();
                if *time == FreezeTime::NOW {
                    let now = model.now();
                    model.frozen.insert(0, now);
                    model.frozen.truncate(3);
                } else {
                    model.freeze = *time;
                }
            }
            Request::WriteAddress(address) if address.is_digits() => self.model().address = *address,
            Request::WriteAddress(_) => return Err(Refusal::Silent),
            Request::ChangePassword { old, new, .. } => {
                self.check(*old)?;
                self.model().password = new.digits;
            }
            Request::ClearDemand(access) => {
                self.check(access.password)?;
                let mut model = self.model();
                model.demand_cleared = model.now();
                let entry = (model.demand_cleared, access.operator);
                model.log.demands_cleared.insert(0, entry);
            }
            Request::ClearMeter(access) => {
                self.check(access.password)?;
                let mut model = self.model();
                model.cleared = model.now();
                model.frozen.clear();
            }
            Request::ClearEvents { access, .. } => {
                self.check(access.password)?;
                self.model().log = Default::default();
            }
            Request::Relay { access, command, until, .. } => {
                self.check(access.password)?;
                let mut model = self.model();
                if until.is_calendar() && merged(model.time(), *until).seconds() < model.now() {
                    return Err(Reason::Other.into());
                }
                match command {
                    Relay::Trip | Relay::TripRecovering | Relay::TripPermitting => model.relay_open = true,
                    Relay::Close | Relay::PermitClose => model.relay_open = false,
                    Relay::Other(_) => return Err(Reason::Other.into()),
                    _ => {}
                }
            }
            Request::Terminal(_) => {}
            // No security module.
            Request::Security { .. } | Request::RelaySealed { .. } => return Err(Reason::Other.into()),
            _ => return Err(Refusal::Silent),
        }
        Ok(0)
    }

    fn supports_rate(&self, rate: Rate) -> bool {
        rate.bits_per_second(self.version).is_some()
    }

    fn clock(&self) -> Option<Moment> {
        Some(self.model().time().moment())
    }
}

/// The time `now` with the parts that `to` has.
fn merged(now: Civil, to: Moment) -> Civil {
    Civil {
        year: to.year().map_or(now.year, |year| 2000 + i64::from(year)),
        month: to.month().unwrap_or(now.month),
        day: to.day().unwrap_or(now.day),
        hour: to.hour().unwrap_or(now.hour),
        minute: to.minute().unwrap_or(now.minute),
        second: to.second().unwrap_or(now.second),
    }
}
