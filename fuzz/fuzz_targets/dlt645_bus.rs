//! The virtual bus with any packets, from any process: it never panics, tells every source why, and forgets nobody.
#![no_main]

use arbitrary::Arbitrary;
use dlt645::bus::{
    Bus, BusConfig, Conflict, Endpoint, Packet, PacketBuilder, Pipes, Process, Registry, Routed, packets,
};
use dlt645::{Address, Builder, Control, Data};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Sent<'a> {
    source: u8,
    destination: u8,
    protocol: u8,
    command: u8,
    control: u8,
    identifier: [u8; 4],
    data: &'a [u8],
    later: u16,
}

/// Pipes that keep what is written, and of which some fail.
#[derive(Default)]
struct Kept {
    broken: u16,
    written: Vec<(Process, Vec<u8>)>,
}

impl Pipes for Kept {
    type Error = ();

    fn open(&mut self, process: Process) -> Result<(), ()> {
        self.check(process)
    }

    fn send(&mut self, process: Process, packet: &[u8]) -> Result<(), ()> {
        self.check(process)?;
        self.written.push((process, packet.to_vec()));
        Ok(())
    }
}

impl Kept {
    fn check(&self, process: Process) -> Result<(), ()> {
        if self.broken >> process.number() & 1 == 0 { Ok(()) } else { Err(()) }
    }
}

fuzz_target!(|input: (u16, Vec<Sent<'_>>)| {
    let (broken, sent) = input;
    let mut bus = Bus::<8>::new(Registry::new(Conflict::Narrower), BusConfig::new());
    let mut pipes = Kept { broken, written: Vec::new() };
    let mut now = 0u32;
    for sent in &sent {
        let content = [&sent.identifier[..], sent.data.get(..200).unwrap_or(sent.data)].concat();
        let frame: Vec<u8> = Builder {
            wake_up: 0,
            address: Address::from_number(1),
            control: Control::from_octet(sent.control),
            data: Data::plain(&content),
        }
        .octets()
        .collect();
        // Bit 3 of an endpoint is reserved.
        let ends = [sent.source, sent.destination].map(|octet| Endpoint::from_octet(octet & !8));
        let [Some(source), Some(destination)] = ends else { continue };
        let builder = PacketBuilder {
            source,
            destination,
            encryption: 0,
            meter_address: Address::from_number(1),
            protocol: sent.protocol,
            command: sent.command,
            frame: &frame,
        };
        let mut out = [0; 400];
        let octets = builder.encode(&mut out).expect("400 octets are enough");
        let Ok((packet, [])) = Packet::parse(octets) else { panic!("what was built is a packet") };
        let before = pipes.written.len();
        now = now.wrapping_add(u32::from(sent.later));
        if let Routed::To(process) = bus.handle_packet(&packet, now, &mut pipes) {
            let (to, carried) = pipes.written.get(before).expect("what was routed was written");
            assert_eq!((*to, carried.as_slice()), (process, octets), "passed on unchanged");
        }
        // All that the bus writes can be read.
        for (_, octets) in &pipes.written[before..] {
            assert_eq!(
                packets(octets).flatten().map(|packet| packet.octets().len()).sum::<usize>(),
                octets.len()
            );
        }
        assert!(pipes.written.len() - before <= 260, "one packet, a flood of others");
    }
    // Combined reads that nobody answers come to an end.
    for _ in 0..10_000 {
        let Some(due) = bus.poll_timeout() else { return };
        now = due;
        bus.handle_timeout(now, &mut pipes);
    }
    panic!("a combined read without an end");
});
