//! Conservation, chunk invariance, agreement with the slice iterator, progress; the fifth law, resynchronisation, needs
//! frames known to be good, which the structured targets make.

use std::fmt::Debug;

/// What a decoder reported: the octets of a frame, or an error.
pub type Event<E> = Result<Vec<u8>, E>;

/// A stream decoder of the family, with its storage on the heap.
pub trait Streamed {
    type Error: Copy + PartialEq + Debug;
    /// Whether octets that are lost, but not reported yet, count as held; else the counter has them already.
    const HOLDS_UNREPORTED: bool;
    /// Whether [`Streamed::limited`] is reported for anything that the storage is too small for.
    const SAYS_TOO_LONG: bool;

    fn with_storage(octets: usize) -> Self;
    fn decode(&mut self, input: &mut &[u8]) -> Option<Event<Self::Error>>;
    fn finish(&mut self) -> Option<Event<Self::Error>>;
    fn spare_mut(&mut self) -> &mut [u8];
    fn commit(&mut self, n: usize);
    /// Octets reported lost since the start.
    fn counted_lost(&self) -> u32;
    /// Octets passed as fill since the start.
    fn fill(&self) -> u32;
    /// Octets taken in and not yet accounted for.
    fn held(&self) -> usize;
    /// What the slice iterator gives, and the fill it passed.
    fn sliced(input: &[u8]) -> (Vec<Event<Self::Error>>, u32);
    fn lost(error: &Self::Error) -> u32;
    /// The storage was too small: what a slice iterator cannot say.
    fn limited(error: &Self::Error) -> bool;
}

/// Checks the laws on a fuzzer's input. The storage and the chunks come from its last two octets and its hash.
pub fn check<S: Streamed>(data: &[u8], storages: [usize; 3]) {
    let Some((input, &[storage, mode])) = data.split_last_chunk::<2>() else { return };
    let storage = match storages.get(usize::from(storage)) {
        Some(&storage) => storage,
        None => storages[2],
    };
    let mut cuts = Cuts::new(input, mode);
    let whole = streamed::<S>(input, storage, || usize::MAX);
    assert_eq!(whole, streamed::<S>(input, storage, || 1), "octet by octet");
    assert_eq!(whole, streamed::<S>(input, storage, || cuts.cut()), "in chunks");
    assert_eq!(whole, committed::<S>(input, storage, || cuts.cut()), "through spare_mut and commit");
    let limited = whole.iter().any(|event| event.as_ref().is_err_and(S::limited));
    let (sliced, fill) = S::sliced(input);
    assert_eq!(octets(&sliced) + lost::<S>(&sliced) + fill as usize, input.len(), "conservation in a slice");
    if !limited && (S::SAYS_TOO_LONG || storage >= input.len()) {
        assert_eq!(whole, sliced, "the slice iterator");
    }
}

/// Feeds the input in chunks and asserts conservation and progress at each call.
pub fn streamed<S: Streamed>(
    input: &[u8],
    storage: usize,
    mut cut: impl FnMut() -> usize,
) -> Vec<Event<S::Error>> {
    let mut decoder = S::with_storage(storage);
    let mut events = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at(cut().clamp(1, rest.len()));
        rest = behind;
        loop {
            let before = chunk.len();
            let Some(event) = decoder.decode(&mut chunk) else { break };
            // Without input, an event takes from what is held, which has an end.
            let reported = event.as_ref().map_or_else(S::lost, |frame| frame.len() as u32);
            assert!(chunk.len() < before || reported > 0, "an event without progress");
            events.push(event);
        }
        assert!(chunk.is_empty(), "None with input left");
        conserved(&decoder, &events, input.len() - rest.len());
    }
    while let Some(event) = decoder.finish() {
        events.push(event);
        conserved(&decoder, &events, input.len());
        assert!(events.len() <= 3 * input.len() + 3, "finish without an end");
    }
    assert_eq!(decoder.held(), 0, "held after finish");
    assert_eq!(decoder.counted_lost() as usize, lost::<S>(&events), "the counter of lost octets");
    assert!(decoder.decode(&mut &[][..]).is_none(), "an event from nothing");
    events
}

/// The same through the storage's own spare room.
pub fn committed<S: Streamed>(
    input: &[u8],
    storage: usize,
    mut cut: impl FnMut() -> usize,
) -> Vec<Event<S::Error>> {
    let mut decoder = S::with_storage(storage);
    let mut events = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let spare = decoder.spare_mut();
        assert!(!spare.is_empty(), "no room after None");
        let n = cut().clamp(1, rest.len()).min(spare.len());
        spare[..n].copy_from_slice(&rest[..n]);
        decoder.commit(n);
        rest = &rest[n..];
        while let Some(event) = decoder.decode(&mut &[][..]) {
            events.push(event);
        }
        conserved(&decoder, &events, input.len() - rest.len());
    }
    while let Some(event) = decoder.finish() {
        events.push(event);
    }
    events
}

/// Octets in frames, lost, passed as fill and still held are those that were fed.
fn conserved<S: Streamed>(decoder: &S, events: &[Event<S::Error>], fed: usize) {
    let lost = if S::HOLDS_UNREPORTED { lost::<S>(events) } else { decoder.counted_lost() as usize };
    let accounted = octets(events) + lost + decoder.fill() as usize + decoder.held();
    assert_eq!(accounted, fed, "conservation");
}

fn octets<E>(events: &[Event<E>]) -> usize {
    events.iter().flatten().map(Vec::len).sum()
}

fn lost<S: Streamed>(events: &[Event<S::Error>]) -> usize {
    events.iter().filter_map(|event| event.as_ref().err()).map(|error| S::lost(error) as usize).sum()
}

/// Chunk lengths that follow from the input, so that a finding can be repeated.
pub struct Cuts {
    state: u64,
    longest: u64,
}

impl Cuts {
    pub fn new(input: &[u8], mode: u8) -> Cuts {
        let hash = |sum: u64, octet: &u8| (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3);
        let state = input.iter().fold(0xCBF2_9CE4_8422_2325 ^ u64::from(mode), hash) | 1;
        Cuts { state, longest: u64::from(mode).max(1) }
    }

    /// From 1 to the mode octet.
    pub fn cut(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        1 + (self.state % self.longest) as usize
    }
}

/// Writes [`Streamed`] for a decoder whose methods have the family's names.
#[macro_export]
macro_rules! streamed {
    ($decoder:ty, $error:ty, held: $held:ident, unreported: $unreported:literal, says_too_long: $says:literal, octets: $octets:ident, sliced: $sliced:expr, limited: $limited:pat) => {
        impl $crate::laws::Streamed for $decoder {
            type Error = $error;
            const HOLDS_UNREPORTED: bool = $unreported;
            const SAYS_TOO_LONG: bool = $says;

            fn with_storage(octets: usize) -> Self {
                Self::new(vec![0; octets].into_boxed_slice())
            }
            fn decode(&mut self, input: &mut &[u8]) -> Option<$crate::laws::Event<$error>> {
                let event = self.decode(input)?;
                Some(event.map(|frame| frame.$octets().to_vec()))
            }
            fn finish(&mut self) -> Option<$crate::laws::Event<$error>> {
                let event = self.finish()?;
                Some(event.map(|frame| frame.$octets().to_vec()))
            }
            fn spare_mut(&mut self) -> &mut [u8] {
                self.spare_mut()
            }
            fn commit(&mut self, n: usize) {
                self.commit(n);
            }
            fn counted_lost(&self) -> u32 {
                self.stats().lost
            }
            fn fill(&self) -> u32 {
                self.stats().fill
            }
            fn held(&self) -> usize {
                self.$held() as usize
            }
            fn sliced(input: &[u8]) -> (Vec<$crate::laws::Event<$error>>, u32) {
                $sliced(input)
            }
            fn lost(error: &$error) -> u32 {
                error.lost
            }
            fn limited(error: &$error) -> bool {
                matches!(error.kind, $limited)
            }
        }
    };
}
