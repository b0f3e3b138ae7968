//! What holds of a stream that was built: its whole frames come out.

use std::ops::Range;

/// A stream of frames, some of them damaged, with octets between them.
#[derive(Debug, Default)]
pub struct Stream {
    octets: Vec<u8>,
    whole: Vec<Range<usize>>,
}

/// What is done to a frame: an octet changed, or nothing behind it left.
pub type Damage = Option<(u16, u8)>;

impl Stream {
    /// Puts a frame behind what there is, and other octets behind it if it is damaged. `own` are the octets that a decoder
    /// gives out, of those that make the frame up.
    pub fn put(&mut self, mut frame: Vec<u8>, own: Range<usize>, damage: Damage, between: &[u8]) {
        let start = self.octets.len();
        if let Some((at, with)) = damage {
            damaged(&mut frame, at, with);
            self.octets.extend(&frame);
            self.octets.extend(between);
        } else {
            self.octets.extend(&frame);
            self.whole.push(start + own.start..start + own.end);
        }
    }

    /// Octets that belong to no frame.
    pub fn pass(&mut self, octets: &[u8]) {
        self.octets.extend(octets);
    }

    /// All of it.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Each frame that was put whole into the stream is delivered, by its place. A frame that is good as well, started
    /// earlier and reaches into this one is the exception: then this one is a part of its content.
    ///
    /// # Panics
    ///
    /// If one is lost.
    pub fn all_delivered<'s>(&'s self, found: impl Iterator<Item = &'s [u8]>) {
        let found: Vec<Range<usize>> = found.map(|frame| self.place(frame)).collect();
        self.all_delivered_at(&found);
    }

    /// The same, by the places of the frames that were delivered.
    ///
    /// # Panics
    ///
    /// If one is lost.
    pub fn all_delivered_at(&self, found: &[Range<usize>]) {
        for frame in &self.whole {
            let swallowed = |found: &Range<usize>| found.start < frame.start && found.end > frame.start;
            let there = found.contains(frame) || found.iter().any(swallowed);
            assert!(there, "lost: {frame:?} of {:02X?}", self.octets);
        }
    }

    /// Where a frame that is borrowed from the stream stands.
    fn place(&self, frame: &[u8]) -> Range<usize> {
        let start = frame.as_ptr().addr() - self.octets.as_ptr().addr();
        start..start + frame.len()
    }
}

/// Changes an octet, or cuts off what is behind it.
pub fn damaged(octets: &mut Vec<u8>, at: u16, with: u8) {
    let at = usize::from(at) % octets.len().max(1);
    match octets.get_mut(at) {
        Some(octet) if with != 0 => *octet ^= with,
        _ => octets.truncate(at),
    }
}
