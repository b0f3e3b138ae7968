//! A master and a meter on a bad line: every request ends, and what is read is what the meter has.
#![no_main]

use arbitrary::Arbitrary;
use dlt645::{
    Access, Address, Data, End, Identifier, Master, MasterConfig, MasterEvent, Meter, Part, Password, Query,
    Reason, Refusal, Reply, Request, Slave, SlaveConfig, Version, frames,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Read(u8),
    Write(u8, u8),
    Freeze,
    /// A frame on the line: what happens to it.
    Line(Fate),
    Wait(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    Damaged(u8, u8),
}

/// Each identifier's data follow from it: length up to 255 octets, in parts of 50.
struct Numbers {
    writes: u32,
}

fn content(identifier: Identifier) -> Vec<u8> {
    let seed = identifier.code() as u8;
    (0..seed).map(|at| at.wrapping_mul(seed)).collect()
}

impl Meter for Numbers {
    fn get(&mut self, identifier: Identifier, _: Query, part: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let content = content(identifier);
        let rest =
            content.get(usize::from(part) * 50..).filter(|rest| !rest.is_empty()).ok_or(Reason::NoData)?;
        let len = rest.len().min(50);
        out.get_mut(..len).ok_or(Reason::NoData)?.copy_from_slice(&rest[..len]);
        Ok(Part { len, more: rest.len() > 50 })
    }

    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        self.writes += 1;
        Ok(())
    }

    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Ok(0)
    }
}

fuzz_target!(|input: (bool, Vec<Step>)| {
    let (of1997, steps) = input;
    let version = if of1997 { Version::V1997 } else { Version::V2007 };
    let identifier = |n: u8| {
        if of1997 {
            Identifier::V1997(0x9000 | u16::from(n))
        } else {
            Identifier::V2007(0x0201_0000 | u32::from(n))
        }
    };
    let address = Address::from_number(123_456_789_012);
    let mut master = Master::new(MasterConfig::new(version), [0; 300]);
    let mut slave = Slave::new(SlaveConfig::new(version, address), Numbers { writes: 0 }, [0; 300]);
    let mut now = 0u32;
    let mut read: Vec<u8> = Vec::new();
    let mut asked = None;
    let mut started = 0u32;

    // What the master makes of one frame.
    let mut hear =
        |master: &mut Master<'_, [u8; 300]>, asked: Option<Identifier>, octets: &[u8], now: u32| {
            for frame in frames(octets).flatten() {
                if let MasterEvent::Reply { reply: Reply::Data { identifier, data, .. }, part, end, .. } =
                    master.handle_frame(&frame, now)
                {
                    assert_eq!(Some(identifier), asked, "an answer to something else");
                    if part == 0 {
                        read.clear();
                    }
                    read.extend(data.iter());
                    if end == End::Whole {
                        assert_eq!(read, content(identifier), "parts that do not follow on");
                    }
                }
            }
        };

    let mut out = [0; 300];
    for step in &steps {
        match *step {
            Step::Read(n) if master.is_idle() => {
                asked = Some(identifier(n));
                let request = Request::Read { identifier: identifier(n), query: Query::All };
                master.start(address, &request).expect("an idle master takes a read");
                started = now;
            }
            Step::Write(n, value) if master.is_idle() => {
                let access = Access { password: Password { level: 2, digits: [0; 3] }, operator: [0; 4] };
                let value = [value];
                let request = Request::Write { identifier: identifier(n), access, data: Data::plain(&value) };
                master.start(address, &request).expect("an idle master takes a write");
                started = now;
            }
            Step::Freeze if master.is_idle() => {
                let _ = master.start(Address::BROADCAST, &Request::ReRead);
                started = now;
            }
            Step::Read(_) | Step::Write(..) | Step::Freeze => {}
            Step::Wait(ms) => now = now.wrapping_add(u32::from(ms)),
            Step::Line(fate) => {
                // "Read next" of 1997 has no number: a meter that hears it twice counts on, and nothing tells.
                let fate = if of1997 && matches!(fate, Fate::Twice) { Fate::Arrives } else { fate };
                if let Some(octets) = master.poll_transmit(&mut out, now) {
                    for octets in carried(octets, fate) {
                        for frame in frames(&octets).flatten() {
                            slave.handle_frame(&frame, now);
                        }
                    }
                } else if let Some(octets) = slave.poll_transmit(&mut out, now) {
                    for octets in carried(octets, fate) {
                        hear(&mut master, asked, &octets, now);
                    }
                }
            }
        }
        if let Some(MasterEvent::Reply { .. }) = master.handle_timeout(now) {
            panic!("a reply out of nothing");
        }
        slave.handle_timeout(now);
    }

    // On a line that is silent from now on, the master gives up by itself.
    for _ in 0..1_000 {
        let _ = master.poll_transmit(&mut out, now);
        let Some(due) = master.poll_timeout() else { break };
        now = due;
        let _ = master.handle_timeout(now);
    }
    assert!(master.is_idle(), "a request without an end, since {started}");
});

/// The octets that arrive, as often as they do. One inverted octet never makes another good frame: the sum sees it.
fn carried(octets: &[u8], fate: Fate) -> Vec<Vec<u8>> {
    match fate {
        Fate::Arrives => vec![octets.to_vec()],
        Fate::Lost => vec![],
        Fate::Twice => vec![octets.to_vec(), octets.to_vec()],
        Fate::Damaged(at, with) => {
            let mut octets = octets.to_vec();
            let at = usize::from(at) % octets.len();
            octets[at] ^= with;
            vec![octets]
        }
    }
}
