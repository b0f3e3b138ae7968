//! Streams that are not what a meter sends: damage, noise, and what is made to keep a decoder busy.

use core::hint::black_box;

/// Whose decoder a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HDLC frame format type 3.
    Hdlc,
    /// P1 telegrams.
    P1,
    /// DL/T 645 frames.
    Dlt645,
}

/// What arrives instead of messages, or among them.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What it is.
    pub name: &'static str,
    /// About as many octets for each.
    pub octets: Vec<u8>,
}

const LENGTH: usize = 1 << 18;
/// One bit in this many is inverted: 1 % bit errors.
const BIT_ERRORS: u32 = 100;

impl Protocol {
    /// As people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hdlc => "HDLC",
            Self::P1 => "P1",
            Self::Dlt645 => "DL/T 645",
        }
    }

    /// Messages one after another, first as they are; then everything that may come instead.
    #[must_use]
    pub fn streams(self, clean: &[u8]) -> Vec<Stream> {
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 32) as u32
        };
        let whole = repeated(clean);
        let mut damaged = whole.clone();
        for octet in &mut damaged {
            for bit in 0..8 {
                *octet ^= u8::from(next() % BIT_ERRORS == 0) << bit;
            }
        }
        let noise: Vec<u8> = (0..LENGTH).map(|_| next() as u8).collect();
        let mut streams = vec![("clean", whole), ("1 % bit errors", damaged), ("noise", noise)];
        // A start, and headers that are whole and promise the longest message there is, or a short one.
        let (start, header, short): (&[u8], _, _) = match self {
            Self::Hdlc => (&[0x7E], hdlc_header(2038), Some(hdlc_header(60))),
            Self::P1 => (b"\n/", b"\n/AAA5\r\n\r\n".to_vec(), None),
            Self::Dlt645 => (&[0x68], dlt645_header(200), Some(dlt645_header(20))),
        };
        streams.extend([("start octets", repeated(start)), ("false headers", repeated(&header))]);
        streams.extend(short.map(|header| ("false headers, short claims", repeated(&header))));
        streams.into_iter().map(|(name, octets)| Stream { name, octets }).collect()
    }

    /// All events of a stream that arrives in chunks.
    pub fn in_chunks(self, octets: &[u8], chunk: usize) {
        match self {
            Self::Hdlc => {
                let mut decoder = dlms_hdlc::Decoder::new([0; 2356]);
                drain(octets, chunk, |input| decoder.decode(input).is_some());
            }
            Self::P1 => {
                let mut decoder = dsmr::Decoder::new([0; 2048]);
                drain(octets, chunk, |input| decoder.decode(input).is_some());
            }
            Self::Dlt645 => {
                let mut decoder = dlt645::Decoder::new([0; dlt645::STORAGE]);
                drain(octets, chunk, |input| decoder.decode(input).is_some());
            }
        }
    }

    /// All events of a stream that lies in memory.
    pub fn in_a_slice(self, octets: &[u8]) {
        black_box(match self {
            Self::Hdlc => dlms_hdlc::frames(octets).count(),
            Self::P1 => dsmr::telegrams(octets).count(),
            Self::Dlt645 => dlt645::frames(octets).count(),
        });
    }
}

fn drain<'i>(octets: &'i [u8], chunk: usize, mut decode: impl FnMut(&mut &'i [u8]) -> bool) {
    let mut events = 0u32;
    for mut input in octets.chunks(chunk) {
        while decode(&mut input) {
            events += 1;
        }
    }
    black_box(events);
}

fn repeated(octets: &[u8]) -> Vec<u8> {
    octets.repeat((LENGTH / octets.len()).max(1))
}

/// Flag, format, addresses, control and a header check that is right.
fn hdlc_header(claimed: usize) -> Vec<u8> {
    let information = vec![0; claimed];
    let builder = dlms_hdlc::Builder {
        segmented: false,
        destination: dlms_hdlc::Address::one(0x20),
        source: dlms_hdlc::Address::one(0x01),
        control: dlms_hdlc::Control(0x13),
        information: &information,
    };
    [0x7E].into_iter().chain(builder.octets().take(7)).collect()
}

fn dlt645_header(claimed: u8) -> Vec<u8> {
    vec![0x68, 1, 0, 0, 0, 0, 0, 0x68, 0x91, claimed]
}
