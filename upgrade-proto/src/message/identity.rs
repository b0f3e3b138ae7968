//! What a meter says about itself and its past: [`Identity`], [`Phase`], [`Event`].

use crate::codec::{Fields, Reader, Sink, Writer};
use crate::error::BufferTooSmall;
use crate::package::Version;

/// What a meter says about itself.
///
/// Layout: `maker 4 | model u32 | hardware u32 | version date u32, number u16 | module u16 | block_max u16 |
/// rows u16 | read_time u16 | phase u8`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Maker's code.
    pub maker: [u8; 4],
    /// Model.
    pub model: u32,
    /// Hardware.
    pub hardware: u32,
    /// Version of the running program.
    pub version: Version,
    /// Module it is about.
    pub module: u16,
    /// Longest block it takes, in octets.
    pub block_max: u16,
    /// Most missing blocks of one generation its `coded` decoder has memory for; 0: none.
    pub rows: u16,
    /// Time its external flash takes to read 512 octets, in tens of microseconds; sets the pace of coded frames.
    pub read_time: u16,
    /// Where it stands with the transfer the query named, or with any.
    pub phase: Phase,
}

/// Octets of an identity.
pub(crate) const IDENTITY_LEN: usize = 27;

/// Where a meter stands with an image.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// No session.
    #[default]
    Idle,
    /// Making room; blocks are not taken yet.
    Erasing,
    /// Taking blocks.
    Receiving,
    /// Solving coded rows, or finding again what it has; blocks are taken.
    Working,
    /// Has every block.
    Complete,
    /// Checking the whole image.
    Verifying,
    /// The image is right.
    Verified,
    /// The image's check value is wrong.
    Failed,
    /// Told to activate.
    Armed,
    /// One this version has no name for.
    Other(u8),
}

impl Phase {
    /// The code, 0 to 15.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Phase::Idle => 0,
            Phase::Erasing => 1,
            Phase::Receiving => 2,
            Phase::Working => 3,
            Phase::Complete => 4,
            Phase::Verifying => 5,
            Phase::Verified => 6,
            Phase::Failed => 7,
            Phase::Armed => 8,
            Phase::Other(code) => code & 15,
        }
    }

    /// From the low four bits.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code & 15 {
            0 => Phase::Idle,
            1 => Phase::Erasing,
            2 => Phase::Receiving,
            3 => Phase::Working,
            4 => Phase::Complete,
            5 => Phase::Verifying,
            6 => Phase::Verified,
            7 => Phase::Failed,
            8 => Phase::Armed,
            code => Phase::Other(code),
        }
    }
}

/// One entry of the upgrade event log (paper 002 2.3): `kind u8 | time u32 | version 6`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// 1 initialised, 2 verified, 3 verification failed, 4 activated, 5 rolled back.
    pub kind: u8,
    /// Seconds since 2000-01-01 of the meter's clock.
    pub time: u32,
    /// The version it is about.
    pub version: Version,
}

impl Event {
    /// Octets of an entry.
    pub const LEN: usize = 11;

    /// Reads an entry.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Event> {
        let mut r = Reader(octets);
        Some(Event { kind: r.u8()?, time: r.u32()?, version: Version::read(&mut r)? })
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when `out` is shorter than [`Event::LEN`].
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let mut w = Writer::new(out);
        w.u8(self.kind)?;
        w.u32(self.time)?;
        self.version.write(&mut w)?;
        Ok(w.finish())
    }
}

impl Identity {
    pub(crate) fn read(r: &mut Fields<'_>) -> Identity {
        Identity {
            maker: r.array(),
            model: r.u32(),
            hardware: r.u32(),
            version: Version { date: r.u32(), number: r.u16() },
            module: r.u16(),
            block_max: r.u16(),
            rows: r.u16(),
            read_time: r.u16(),
            phase: Phase::from_code(r.u8()),
        }
    }

    pub(super) fn write(&self, w: &mut Sink<'_>) {
        w.put(&self.octets());
    }

    /// As it stands in the message.
    pub(crate) const fn octets(&self) -> [u8; IDENTITY_LEN] {
        let ([a, b, c, d], [e, f, g, h]) = (self.maker, self.model.to_be_bytes());
        let ([i, j, k, l], [m, n, o, p, q, r]) = (self.hardware.to_be_bytes(), self.version.octets());
        let ([s, t], [u, v]) = (self.module.to_be_bytes(), self.block_max.to_be_bytes());
        let ([w, x], [y, z]) = (self.rows.to_be_bytes(), self.read_time.to_be_bytes());
        let phase = self.phase.code();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, phase]
    }
}
