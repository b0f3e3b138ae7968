//! P1 eight octets at a time against one at a time: the library of a 64-bit host and that of a microcontroller find the same telegrams,
//! lines, values, numbers, times and devices in any octets.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::Cuts;

macro_rules! told {
    ($library:ident, $octets:ident, $storage:ident, $cuts:ident) => {{
        let mut told = String::new();
        let line = |told: &mut String, line: $library::DataLine<'_>| {
            let reading = format!("{:?}", line.reading());
            // What a line's iterator knows beforehand is the way's own; its values follow.
            let reading = if reading.starts_with("Values") { "values" } else { &reading };
            let _ = writeln!(told, "{line:?} {:?} {} {reading}", line.code(), line.is_unclosed());
            for value in line.values() {
                let _ = writeln!(
                    told,
                    "{value:?} {:?} {:?} {:?} {:?}",
                    value.content(),
                    value.decimal(),
                    value.scaled(),
                    value.timestamp()
                );
            }
        };
        line(&mut told, $library::DataLine::parse($octets));
        let whole = |told: &mut String, telegram: $library::Telegram<'_>| {
            let _ = writeln!(told, "{:?} {:?}", telegram.octets(), telegram.check());
            telegram.lines().for_each(|found| line(told, found));
            let _ = writeln!(told, "{:?}", telegram.time());
            for device in telegram.devices() {
                let _ = writeln!(told, "{device:?}");
            }
        };
        whole(&mut told, $library::Telegram::lenient($octets));
        for event in $library::telegrams($octets) {
            match event {
                Ok(telegram) => whole(&mut told, telegram),
                Err(error) => drop(writeln!(told, "{error:?}")),
            }
        }
        let mut decoder = $library::Decoder::new(vec![0; $storage].into_boxed_slice());
        let mut rest = $octets;
        while !rest.is_empty() {
            let (mut chunk, behind) = rest.split_at($cuts.cut().min(rest.len()));
            rest = behind;
            while let Some(event) = decoder.decode(&mut chunk) {
                let event = event.map(|telegram| (telegram.octets().len(), telegram.check()));
                let _ = writeln!(told, "{event:?}");
            }
        }
        let _ = writeln!(told, "{:?}", decoder.stats());
        told
    }};
}

fuzz_target!(|data: &[u8]| {
    let Some((octets, &[storage, mode])) = data.split_last_chunk::<2>() else { return };
    let storage = 32 + usize::from(storage) * 8;
    let (mut a, mut b) = (Cuts::new(octets, mode), Cuts::new(octets, mode));
    let wide = told!(dsmr, octets, storage, a);
    let narrow = told!(dsmr_narrow, octets, storage, b);
    for (wide, narrow) in wide.lines().zip(narrow.lines()) {
        assert_eq!(wide, narrow, "eight at a time, and one at a time");
    }
    assert_eq!(wide.len(), narrow.len());
});
