//! The AMS reader's acceptance criteria AC1 to AC11, each a test, against a real broker over real TLS. AC12 (spare ports,
//! differential ADC) is hardware.

use avr_harness::meters::{Make, Shown, frame, unix};
use avr_harness::net::{Broker, Modem, Subscriber, there};
use avr_harness::streams::Random;
use avr_harness::{EEPROM, METER, Machine, OTHER};

/// Hold-up time of the backup power, in milliseconds: the paper measured more than a second, and this is half of it.
const HOLD_UP: u64 = 500;
/// The watchdog's control register.
const WDTCSR: u16 = 0x60;

/// The reader with its meter and its module.
struct Rig {
    machine: Machine,
    modem: Modem,
    subscriber: Subscriber,
    received: Vec<(String, Vec<u8>)>,
    make: Make,
    shown: Shown,
    /// Of the meter's clock.
    second: u32,
    /// Lists sent, in order.
    lists: Vec<Shown>,
    damage: Option<Random>,
}

const SHOWN: Shown = Shown {
    powers: [1500, 0, 200, 30],
    currents: [6400, 1200, 300],
    voltages: [2310, 2320, 2330],
    energies: None,
};

impl Rig {
    fn new(broker: &Broker, make: Make, eeprom: Option<[u8; EEPROM]>) -> Rig {
        let mut machine = Machine::new("ams");
        machine.line(METER, 2400, 11);
        machine.line(OTHER, 115_200, 10);
        machine.pin(b'B', 2, true);
        if let Some(eeprom) = eeprom {
            *machine.eeprom() = eeprom;
        }
        let (modem, subscriber) = (Modem::new(broker), broker.subscribe());
        let received = Vec::new();
        Rig {
            machine,
            modem,
            subscriber,
            received,
            make,
            shown: SHOWN,
            second: 1000,
            lists: Vec::new(),
            damage: None,
        }
    }

    /// Lets time pass without a message of the meter.
    fn pass(&mut self, ms: u64) {
        let end = self.machine.ms() + ms;
        while self.machine.ms() < end {
            self.machine.run_ms(2);
            for octet in self.machine.sent(OTHER) {
                self.modem.take(octet);
            }
            self.modem.poll();
            let octets: Vec<u8> = self.modem.out.drain(..).collect();
            self.machine.feed(OTHER, &octets);
        }
        while let Some(message) = self.subscriber.next() {
            self.received.push(message);
        }
    }

    /// A list every ten seconds, for so many of them; `each` may change what the meter shows.
    fn run(&mut self, lists: u32, mut each: impl FnMut(u32, &mut Shown)) {
        for number in 0..lists {
            self.shown.energies = None;
            each(number, &mut self.shown);
            let mut octets = frame(self.make, &self.shown, self.second);
            let mut whole = true;
            if let Some(random) = &mut self.damage {
                for octet in &mut octets {
                    if random.below(100) == 0 {
                        *octet ^= 1 << random.below(8);
                        whole = false;
                    }
                }
            }
            if whole {
                self.lists.push(self.shown);
            }
            self.machine.feed(METER, &octets);
            self.pass(10_000);
            self.second += 10;
        }
    }

    fn under(&self, topic: &str) -> Vec<&[u8]> {
        self.received.iter().filter(|(t, _)| t == topic).map(|(_, payload)| payload.as_slice()).collect()
    }

    /// Waits for messages under a topic, in simulated time.
    fn until(&mut self, topic: &str, count: usize, seconds: u64) {
        for _ in 0..seconds {
            if self.under(topic).len() >= count {
                return;
            }
            self.pass(1000);
        }
        panic!("{} of {count} under {topic}; received {:?}", self.under(topic).len(), self.received);
    }

    fn online(&self) -> bool {
        self.machine.peek(0x28) & 1 != 0
    }

    fn knows_meter(&self) -> bool {
        self.machine.peek(0x28) & 2 != 0
    }

    fn check(&self) {
        assert_eq!(
            self.machine.overruns(METER) + self.machine.overruns(OTHER),
            0,
            "an octet was lost in the FIFO"
        );
        let worst = [METER, OTHER].map(|port| self.machine.worst_latency(port));
        assert!(worst[OTHER] <= 2 * self.machine.octet_time(OTHER), "octets waited {worst:?} cycles");
        let ram = self.machine.static_ram() + self.machine.stack();
        assert!(ram <= 1536, "{ram} octets of RAM");
        println!(
            "RAM {} + stack {}, octets waited at most {worst:?} cycles",
            self.machine.static_ram(),
            self.machine.stack()
        );
    }
}

/// A payload of `avg/ID` taken apart.
#[derive(Debug, PartialEq)]
struct Average {
    time: u32,
    messages: u16,
    fields: Vec<Option<[u32; 3]>>,
}

fn average(payload: &[u8]) -> Average {
    let word = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().expect("four octets"));
    let half = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    let mut at = 8;
    let fields = (0..10)
        .map(|field| {
            (half(6) >> field & 1 != 0).then(|| {
                at += 12;
                [word(at - 12), word(at - 8), word(at - 4)]
            })
        })
        .collect();
    assert_eq!(at, payload.len());
    Average { time: word(0), messages: half(4), fields }
}

const AVG: &str = "avg/meter001";
const HR: &str = "hr/meter001";
const PF: &str = "pf/meter001";

#[test]
fn ac1_works_with_meters_of_each_maker_and_of_one_and_three_phases() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac1");
    for make in
        [Make::Kaifa(1), Make::Kaifa(3), Make::Kamstrup(1), Make::Kamstrup(3), Make::Aidon(1), Make::Aidon(3)]
    {
        let mut rig = Rig::new(&broker, make, None);
        rig.run(7, |_, _| {});
        rig.until(AVG, 1, 30);
        assert!(rig.knows_meter(), "{make:?}: the orange LED is off");
        let got = average(rig.under(AVG)[0]);
        let (Make::Kaifa(phases) | Make::Kamstrup(phases) | Make::Aidon(phases)) = make;
        let mut expected = SHOWN.powers.map(Some).to_vec();
        for numbers in [SHOWN.currents, SHOWN.voltages] {
            expected.extend((0u8..3).zip(numbers).map(|(phase, number)| (phase < phases).then_some(number)));
        }
        let expected: Vec<_> = expected.into_iter().map(|number| number.map(|number| [number; 3])).collect();
        assert_eq!(got.fields, expected, "{make:?}");
        rig.check();
    }
}

#[test]
fn ac2_takes_values_from_messages_with_a_right_check_only() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac2");
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    rig.damage = Some(Random::new(7));
    rig.run(60, |_, _| {});
    rig.damage = None;
    rig.run(7, |_, _| {});
    rig.pass(5000);
    let averages: Vec<Average> = rig.under(AVG).into_iter().map(average).collect();
    assert!(averages.len() >= 8, "{averages:?}");
    let messages: u32 = averages.iter().map(|average| u32::from(average.messages)).sum();
    let whole = rig.lists.len() as u32;
    assert!(whole < 60, "nothing was damaged");
    assert!((whole - 7..=whole).contains(&messages), "{messages} of {whole} whole messages counted");
    for field in averages.iter().flat_map(|average| &average.fields).flatten() {
        assert_eq!(field[1], field[2], "a damaged value got in");
    }
    rig.check();
}

#[test]
fn ac3_connects_to_a_broker_by_mqtt_over_tls() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac3");
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    rig.pass(10_000);
    assert!(rig.online(), "the yellow LED is off");
    assert_eq!(rig.modem.opened, 1);
    let connect = &rig.modem.sent[0];
    assert_eq!(connect[..9], [0x10, 20, 0, 4, b'M', b'Q', b'T', b'T', 4]);
    // Nothing to publish: pings keep the connection, each answered.
    rig.pass(120_000);
    let pings = rig.modem.sent.iter().filter(|packet| packet[..] == [0xC0, 0]).count();
    assert!((7..=9).contains(&pings), "{pings} pings in two minutes");
    assert!(rig.online() && rig.modem.opened == 1);
    rig.check();
}

#[test]
fn ac4_delivers_with_qos_1_and_repeats_what_was_not_acknowledged() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac4");
    let mut rig = Rig::new(&broker, Make::Kaifa(1), None);
    rig.modem.swallow = true;
    rig.run(8, |_, _| {});
    rig.modem.swallow = false;
    rig.pass(20_000);
    let published: Vec<&Vec<u8>> = rig.modem.sent.iter().filter(|packet| packet[0] & 0xF0 == 0x30).collect();
    assert_eq!(published[0][0], 0x32, "QoS 1");
    assert_eq!(published[1][0], 0x3A, "QoS 1, again");
    assert_eq!(published[0][1..], published[1][1..], "the same message");
    assert!(rig.under(AVG).len() >= 2 && rig.under(AVG)[0] == rig.under(AVG)[1]);
    assert!(rig.online());
    let before = rig.modem.sent.len();
    rig.pass(12_000);
    assert!(
        rig.modem.sent[before..].iter().all(|packet| packet[0] & 0xF0 != 0x30),
        "acknowledged, but sent once more"
    );
    rig.check();
}

#[test]
fn ac5_averages_minima_and_maxima_are_right() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac5");
    let mut rig = Rig::new(&broker, Make::Aidon(3), None);
    let mut random = Random::new(5);
    rig.run(20, |_, shown| {
        shown.powers = [random.below(20_000) as u32, random.below(500) as u32, 100, random.below(900) as u32];
        shown.currents = [0; 3].map(|_: u32| random.below(630) as u32 * 100);
        shown.voltages = [0; 3].map(|_: u32| 2200 + random.below(200) as u32);
    });
    rig.pass(3000);
    let averages: Vec<Average> = rig.under(AVG).into_iter().map(average).collect();
    assert!(averages.len() >= 3, "{averages:?}");
    let mut lists = rig.lists.iter();
    let mut ends = 0;
    for average in averages {
        let part: Vec<&Shown> = lists.by_ref().take(average.messages.into()).collect();
        ends += u32::from(average.messages);
        for (field, got) in average.fields.iter().enumerate() {
            let values: Vec<u32> = part
                .iter()
                .map(|shown| match field {
                    0..4 => shown.powers[field],
                    4..7 => shown.currents[field - 4],
                    _ => shown.voltages[field - 7],
                })
                .collect();
            let mean = values.iter().sum::<u32>() / values.len() as u32;
            let expected = [mean, *values.iter().min().expect("one"), *values.iter().max().expect("one")];
            assert_eq!(*got, Some(expected), "field {field}, up to list {ends}");
        }
    }
    rig.check();
}

#[test]
fn ac6_the_period_is_set_by_a_message_to_all_readers() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac6");
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    rig.run(7, |_, _| {});
    rig.until(AVG, 1, 20);
    for (text, qos, minutes) in
        [("3", "1", 3), ("61", "1", 3), ("10", "0", 10), ("60", "1", 60), ("1", "1", 1)]
    {
        broker.publish("freq", text, qos);
        rig.run(1, |_, _| {});
        std::thread::sleep(std::time::Duration::from_millis(200));
        let before = rig.under(AVG).len();
        rig.run(minutes * 6 + 1, |_, _| {});
        rig.pass(2000);
        // The first after the change may cover less; the next is a whole period.
        let counted = rig.under(AVG).len() - before;
        assert!((1..=2).contains(&counted), "{counted} messages in {minutes} minutes after {text}");
        if minutes < 60 {
            rig.run(minutes * 6, |_, _| {});
            rig.pass(2000);
        }
        let last = average(rig.under(AVG).last().expect("one"));
        assert!(
            u32::from(last.messages).abs_diff(minutes * 6) <= 1,
            "{} in {minutes} minutes",
            last.messages
        );
    }
    rig.check();
}

#[test]
fn ac7_goes_on_receiving_without_a_network() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac7");
    let mut rig = Rig::new(&broker, Make::Kamstrup(3), None);
    rig.run(7, |_, _| {});
    rig.until(AVG, 1, 20);
    rig.modem.set_network(false);
    rig.run(30, |number, shown| shown.powers[0] = 1000 + number);
    assert!(!rig.online(), "the yellow LED is on");
    assert_eq!(rig.under(AVG).len(), 1);
    rig.modem.set_network(true);
    rig.run(4, |_, _| {});
    rig.until(AVG, 2, 60);
    let got = average(rig.under(AVG)[1]);
    let power = got.fields[0].expect("a power");
    assert!(got.messages >= 30 && power[1] == 1000 && power[2] >= 1029, "{got:?}");
    rig.check();
}

#[test]
fn ac8_reconnects_after_loss_of_the_network_and_of_the_broker() {
    if !there() {
        return;
    }
    let mut broker = Broker::start("ac8");
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    rig.pass(10_000);
    assert!(rig.online());
    for _ in 0..2 {
        rig.modem.set_network(false);
        rig.pass(40_000);
        assert!(!rig.online());
        rig.modem.set_network(true);
        rig.pass(45_000);
        assert!(rig.online(), "not back after the network was");
    }
    broker.down();
    rig.pass(60_000);
    assert!(!rig.online());
    broker.up();
    rig.pass(30_000);
    assert!(rig.online(), "not back after the broker was");
    rig.subscriber = broker.subscribe();
    rig.run(8, |_, _| {});
    rig.until(AVG, 1, 30);
    rig.check();
}

/// Runs for a while, then takes the meter's bus away at a cycle drawn at random, and the power after the hold-up time.
fn power_failure(rig: &mut Rig, random: &mut Random, hold_up: u64) -> u64 {
    let lists = 3 + random.below(10) as u32;
    rig.run(lists, |number, shown| shown.voltages = [2200 + number, 2300 + number, 2400 + number]);
    rig.pass(random.below(9000));
    let at = rig.machine.cycle() + random.below(110_592);
    rig.machine.run_until(at);
    rig.machine.pin(b'B', 2, false);
    let start = rig.machine.ms();
    let mut last = start;
    let mut programmed = rig.machine.programmed();
    while rig.machine.ms() < start + hold_up {
        rig.machine.run_ms(1);
        if rig.machine.programmed() != programmed {
            programmed = rig.machine.programmed();
            last = rig.machine.ms();
        }
    }
    last + 4 - start
}

/// Times and voltages in the EEPROM whose check value is right, newest first.
fn records(eeprom: &[u8; EEPROM], phases: usize) -> Vec<(u32, Vec<u16>)> {
    let len = 6 + 2 * phases;
    let records = eeprom[1..].chunks(len).take(10);
    let good = records.filter(|record| {
        let crc = record[..len - 2].iter().fold(0xFFFFu16, |crc, octet| {
            (0..8).fold(
                crc ^ u16::from(*octet),
                |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0x8408 },
            )
        });
        !crc == u16::from_be_bytes([record[len - 2], record[len - 1]])
    });
    good.map(|record| {
        let time = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
        let voltages =
            record[4..len - 2].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        (time, voltages)
    })
    .collect()
}

#[test]
fn ac9_keeps_the_last_voltages_when_the_power_fails() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac9");
    let mut random = Random::new(9);
    for round in 0..6u64 {
        let (make, phases) = if round % 2 == 0 { (Make::Kaifa(3), 3) } else { (Make::Aidon(1), 1) };
        let mut rig = Rig::new(&broker, make, None);
        // Half of the rounds have power for a few octets only, down to none.
        let hold_up = if round < 3 { HOLD_UP } else { random.below(120) };
        let took = power_failure(&mut rig, &mut random, hold_up);
        let lists = rig.lists.clone();
        let eeprom = rig.machine.cut(random.below(256) as u8);
        let kept = records(&eeprom, phases);
        if round < 3 {
            assert!(took <= HOLD_UP, "{took} ms of writing");
            assert_eq!(eeprom[0], if phases == 3 { 0xFC } else { 0xFE });
            assert_eq!(kept.len(), lists.len().min(10));
            println!("{} records written in {took} ms", kept.len());
        }
        // However short the power was: what has a right check value is the newest, without a gap.
        for (record, shown) in kept.iter().zip(lists.iter().rev()) {
            let voltages: Vec<u16> =
                shown.voltages.iter().take(phases).map(|voltage| *voltage as u16).collect();
            assert_eq!(record.1, voltages);
        }
    }
}

#[test]
fn ac10_publishes_them_first_at_the_next_start() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac10");
    let mut random = Random::new(10);
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    let start = rig.second;
    power_failure(&mut rig, &mut random, HOLD_UP);
    let lists = rig.lists.clone();
    let eeprom = rig.machine.cut(0);
    let kept = records(&eeprom, 3);

    let mut rig = Rig::new(&broker, Make::Kaifa(3), Some(eeprom));
    rig.run(8, |_, _| {});
    rig.until(AVG, 1, 60);
    assert_eq!(rig.received[0].0, PF, "first of all");
    let payload = &rig.received[0].1;
    assert_eq!(payload[0], 3);
    assert_eq!(payload.len(), 1 + 10 * kept.len());
    assert_eq!(payload[1..5], kept[0].0.to_be_bytes());
    assert_eq!(kept[0].0, unix(start + 10 * (lists.len() as u32 - 1)), "the time of the newest");
    assert_eq!(rig.under(PF).len(), 1, "once");
    assert!(rig.machine.eeprom()[..121].iter().all(|octet| *octet == 0xFF), "erased for the next time");

    // Cut while it erases, the records are published once more, or not at all; never garbage.
    let mut rig = Rig::new(&broker, Make::Kaifa(3), Some(eeprom));
    while rig.machine.programmed() < 20 {
        rig.pass(20);
    }
    let torn = rig.machine.cut(0x5A);
    let mut rig = Rig::new(&broker, Make::Kaifa(3), Some(torn));
    rig.run(8, |_, _| {});
    rig.until(AVG, 1, 60);
    for payload in rig.under(PF) {
        for record in payload[1..].chunks(10) {
            let time = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
            assert!(kept.iter().any(|kept| kept.0 == time));
        }
    }
    rig.check();
}

/// simavr takes the setting but never resets, so that this is as far as it goes; AC10 goes on from the start.
#[test]
fn behind_the_records_the_reader_waits_for_the_watchdog() {
    if !there() {
        return;
    }
    let broker = Broker::start("watchdog");
    let mut rig = Rig::new(&broker, Make::Kaifa(3), None);
    rig.run(1, |_, _| {});
    assert_eq!(rig.machine.peek(WDTCSR), 0x29, "8 s in the main loop");
    let took = power_failure(&mut rig, &mut Random::new(12), HOLD_UP);
    assert!(took < HOLD_UP);
    assert_eq!(rig.machine.peek(WDTCSR), 0x08, "reset in 16 ms");
    let (pc, programmed) = (rig.machine.pc(), rig.machine.programmed());
    rig.machine.run_ms(20);
    assert!(rig.machine.pc().abs_diff(pc) < 8, "it goes round in a loop of a few instructions");
    assert_eq!(rig.machine.programmed(), programmed);
}

#[test]
fn ac11_the_energies_of_list_3_are_sent() {
    if !there() {
        return;
    }
    let broker = Broker::start("ac11");
    for make in [Make::Kaifa(3), Make::Kamstrup(3), Make::Aidon(1)] {
        let mut rig = Rig::new(&broker, make, None);
        let second = rig.second + 20;
        rig.run(4, |number, shown| {
            shown.energies = (number == 2).then_some([12_345_670, 20, 333_330, 4_440])
        });
        rig.until(HR, 1, 20);
        let words: Vec<u32> = rig.under(HR)[0]
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().expect("four")))
            .collect();
        assert_eq!(words, [unix(second), 12_345_670, 20, 333_330, 4_440], "{make:?}");
        rig.check();
    }
}
