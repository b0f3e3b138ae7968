//! What holds of a stream that was built: its whole frames come out.

use std::ops::Range;

/// Each frame that was put whole into the stream, by its place, is delivered. A frame that is good as well, started earlier and
/// reaches into this one is the exception: then this one is a part of its content.
///
/// # Panics
///
/// If one is lost.
pub fn all_delivered<'s>(stream: &'s [u8], whole: &[Range<usize>], found: impl Iterator<Item = &'s [u8]>) {
    let found: Vec<Range<usize>> = found.map(|frame| place(stream, frame)).collect();
    for frame in whole {
        let swallowed = |found: &Range<usize>| found.start < frame.start && found.end > frame.start;
        assert!(found.contains(frame) || found.iter().any(swallowed), "lost: {frame:?} of {stream:02X?}");
    }
}

/// Where in the stream a frame that is borrowed from it stands.
fn place(stream: &[u8], frame: &[u8]) -> Range<usize> {
    let start = frame.as_ptr().addr() - stream.as_ptr().addr();
    start..start + frame.len()
}
