//! What the tests share: every way to decode, and the laws that all of them keep.
#![allow(dead_code, reason = "each test file uses its part")]

use dlms_hdlc::decoder::{Decoder, Framing};
use dlms_hdlc::{Error, ErrorKind, Frames};
use std::path::PathBuf;

pub(crate) type Event = Result<Vec<u8>, Error>;

/// Access to what differs between the framings.
pub(crate) trait Tested: Framing + Clone {
    fn all(octets: &[u8]) -> Frames<'_, Self>;
    fn content<'a>(frame: &Self::Frame<'a>) -> &'a [u8];
}

impl Tested for dlms_hdlc::frame::Hdlc {
    fn all(octets: &[u8]) -> Frames<'_, Self> {
        dlms_hdlc::frames(octets)
    }
    fn content<'a>(frame: &Self::Frame<'a>) -> &'a [u8] {
        frame.octets()
    }
}

impl Tested for dlms_hdlc::mbus::MBus {
    fn all(octets: &[u8]) -> Frames<'_, Self> {
        dlms_hdlc::mbus::frames(octets)
    }
    fn content<'a>(frame: &Self::Frame<'a>) -> &'a [u8] {
        frame.octets()
    }
}

impl Tested for dlms_hdlc::wrapper::Wrapper {
    fn all(octets: &[u8]) -> Frames<'_, Self> {
        dlms_hdlc::wrapper::frames(octets)
    }
    fn content<'a>(frame: &Self::Frame<'a>) -> &'a [u8] {
        frame.octets()
    }
}

impl Tested for dlms_hdlc::transparent::Transparent {
    fn all(octets: &[u8]) -> Frames<'_, Self> {
        dlms_hdlc::transparent::frames(octets)
    }
    fn content<'a>(frame: &Self::Frame<'a>) -> &'a [u8] {
        frame.octets()
    }
}

/// Decodes `octets` in chunks of the sizes that `chunk` gives, `storage` octets being lent, and checks conservation
/// and progress on the way.
pub(crate) fn chunked<F: Tested>(
    octets: &[u8],
    storage: usize,
    mut chunk: impl FnMut() -> usize,
) -> Vec<Event> {
    let mut decoder = Decoder::<F, _>::new(vec![0; storage]);
    let (mut events, mut rest, mut fed) = (Vec::new(), octets, 0);
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at(chunk().clamp(1, rest.len()));
        (fed, rest) = (fed + piece.len(), behind);
        while let Some(event) = decoder.decode(&mut piece) {
            events.push(event.map(|frame| F::content(&frame).to_vec()));
        }
        assert!(piece.is_empty(), "None leaves the input empty");
        let stats = decoder.stats();
        let accounted = whole(&events) + (stats.lost + stats.fill) as usize + decoder.pending();
        assert_eq!(accounted, fed, "conservation");
    }
    loop {
        let event = decoder.finish().map(|event| event.map(|frame| F::content(&frame).to_vec()));
        let Some(event) = event else { break };
        events.push(event);
        assert!(events.len() <= 3 * octets.len() + 3, "finish must end");
    }
    assert_eq!(decoder.pending(), 0);
    let stats = decoder.stats();
    assert_eq!(whole(&events) + (stats.lost + stats.fill) as usize, octets.len(), "conservation at the end");
    assert_eq!(stats.frames as usize, events.iter().flatten().count());
    events
}

/// The same through `spare_mut` and `commit`.
pub(crate) fn committed<F: Tested>(
    octets: &[u8],
    storage: usize,
    mut chunk: impl FnMut() -> usize,
) -> Vec<Event> {
    let mut decoder = Decoder::<F, _>::new(vec![0; storage]);
    let (mut events, mut rest) = (Vec::new(), octets);
    while !rest.is_empty() {
        let spare = decoder.spare_mut();
        assert!(!spare.is_empty(), "there is room after None");
        let n = chunk().clamp(1, rest.len()).min(spare.len());
        spare[..n].copy_from_slice(&rest[..n]);
        decoder.commit(n);
        rest = &rest[n..];
        while let Some(event) = decoder.decode(&mut &[][..]) {
            events.push(event.map(|frame| F::content(&frame).to_vec()));
        }
    }
    while let Some(event) = decoder.finish() {
        events.push(event.map(|frame| F::content(&frame).to_vec()));
    }
    events
}

/// The slice iterator.
pub(crate) fn sliced<F: Tested>(octets: &[u8]) -> Vec<Event> {
    let mut frames = F::all(octets);
    let events: Vec<Event> =
        frames.by_ref().map(|event| event.map(|frame| F::content(&frame).to_vec())).collect();
    assert!(frames.rest().is_empty());
    let lost: usize =
        events.iter().filter_map(|event| event.as_ref().err()).map(|error| error.lost as usize).sum();
    assert_eq!(whole(&events) + lost + frames.fill() as usize, octets.len(), "conservation in a slice");
    events
}

/// Laws 1 to 4 on one stream; gives the events.
pub(crate) fn laws<F: Tested>(octets: &[u8], storage: usize, seed: u64) -> Vec<Event> {
    let mut state = seed | 1;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below
    };
    let events = chunked::<F>(octets, storage, || usize::MAX);
    assert_eq!(events, chunked::<F>(octets, storage, || 1), "octet by octet");
    assert_eq!(events, chunked::<F>(octets, storage, || 1 + random(40)), "in chunks");
    assert_eq!(events, committed::<F>(octets, storage, || 1 + random(70)), "committed");
    assert_eq!(events, committed::<F>(octets, storage, || usize::MAX), "committed at once");
    let limited =
        |event: &Event| matches!(event, Err(Error { kind: ErrorKind::Overrun | ErrorKind::TooLong, .. }));
    if !events.iter().any(limited) {
        assert_eq!(events, sliced::<F>(octets), "slice");
    }
    events
}

pub(crate) fn whole(events: &[Event]) -> usize {
    events.iter().flatten().map(Vec::len).sum()
}

/// The folder of captured frames, which stands beside a checkout or not at all.
pub(crate) fn captures() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dlms"));
    if !folder.is_dir() {
        eprintln!("SKIPPED: no captures, {} not found", folder.display());
        return None;
    }
    Some(folder)
}

/// Octets of a hex file with `#` comments.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
