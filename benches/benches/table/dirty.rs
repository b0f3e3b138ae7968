//! Cost of an octet on damaged and on hostile streams, beside that of a clean one.

use crate::measure::{Contender, Effort, minima};
use benches::hostile::Protocol;

/// Nanoseconds an octet of a stream, and that as a multiple of the clean stream's.
pub struct Cost {
    pub protocol: &'static str,
    pub stream: &'static str,
    pub chunks: PerOctet,
    pub slice: PerOctet,
}

#[derive(Clone, Copy)]
pub struct PerOctet {
    pub nanoseconds: f64,
    pub times_clean: f64,
}

/// Of the decoder in chunks of 64 octets and of the slice iterator.
pub fn costs(clean_p1: &[u8], clean_dlt645: &[u8], effort: Effort) -> Vec<Cost> {
    let clean_hdlc: Vec<u8> = benches::han::frames().into_iter().flat_map(|input| input.octets).collect();
    let mut costs = Vec::new();
    for (protocol, clean) in
        [(Protocol::Hdlc, clean_hdlc.as_slice()), (Protocol::P1, clean_p1), (Protocol::Dlt645, clean_dlt645)]
    {
        let streams = protocol.streams(clean);
        let mut contenders: Vec<Contender<'_>> = Vec::new();
        for stream in &streams {
            contenders.push(Contender::new(stream.name, || protocol.in_chunks(&stream.octets, 64)));
            contenders.push(Contender::new(stream.name, || protocol.in_a_slice(&stream.octets)));
        }
        let times = minima(&mut contenders, effort);
        let (pairs, _) = times.as_chunks::<2>();
        let of = |at: usize| pairs[at].map(|time| time / streams[at].octets.len() as f64);
        for (at, stream) in streams.iter().enumerate() {
            let [chunks, slice] = [0, 1].map(|way| {
                let nanoseconds = of(at)[way];
                PerOctet { nanoseconds, times_clean: nanoseconds / of(0)[way] }
            });
            costs.push(Cost { protocol: protocol.name(), stream: stream.name, chunks, slice });
        }
    }
    costs
}
