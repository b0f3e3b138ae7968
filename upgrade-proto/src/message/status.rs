//! What a session is, and where a meter stands with it: [`Initiate`], [`Ask`], [`Status`].

use super::Phase;
use crate::codec::{Fields, Sink};
use crate::session::Plane;

/// Opens a session on a meter.
///
/// Layout: `size u32 | block u16 | manifest length u16 (bit 15: tagged) | CRC-32 u32 | manifest digest 16`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Initiate {
    /// Octets of the image.
    pub size: u32,
    /// Octets of a block.
    pub block: u16,
    /// Octets of the manifest, 0 when there is none; below 32,768.
    pub manifest: u16,
    /// The blocks have tags.
    pub tagged: bool,
    /// CRC-32 of the image.
    pub crc: u32,
    /// First 16 octets of the manifest's SHA-256; without manifest, of the image's.
    pub digest: [u8; 16],
}

/// What a status query wants to hear.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// First missing and count only.
    Count,
    /// The missing blocks in the shortest form.
    Missing,
    /// The whole bitmap, whatever it costs.
    Bitmap,
    /// Rows still lacking in each generation.
    Deficits,
}

/// Who has nothing to say when a roll is called. Its silence is an answer that takes no airtime, but sounds like that of a meter that did not hear.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Quiet {
    /// Everyone called answers.
    #[default]
    Nobody,
    /// Who has manifest and tags and no data block yet.
    Tagged,
    /// Who lacks nothing, or no row.
    Complete,
}

/// A question about blocks: `form u8 (bits 0–1 form, 2–3 who stays silent) | from u16 | limit u16`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Kind of answer.
    pub form: Form,
    /// Who need not answer a roll call.
    pub quiet: Quiet,
    /// First block it asks about; of [`Form::Deficits`] the number of generations, for a meter that has no rows yet.
    pub from: u16,
    /// Most octets of list or bitmap in the reply.
    pub limit: u16,
}

impl Ask {
    /// First missing and count.
    pub const COUNT: Ask = Ask { form: Form::Count, quiet: Quiet::Nobody, from: 0, limit: 0 };
}

/// Which blocks a meter lacks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Report<'a> {
    /// Not said.
    Count,
    /// Rice-coded numbers from a block on ([`crate::gaps`]); all of them if their count says so.
    List {
        /// First block it is about.
        from: u16,
        /// The coded numbers.
        octets: &'a [u8],
    },
    /// One bit a block from a block on, the most significant bit first, 1 = missing; blocks past its end are not spoken of.
    Bitmap {
        /// First block it is about.
        from: u16,
        /// The bits.
        octets: &'a [u8],
    },
    /// Rows still lacking, a u16 for each generation; 65,535 when the generation cannot be solved.
    Deficits(&'a [u8]),
}

/// The block status word of a meter.
///
/// Layout: `phase and plane and form u8 (bits 0–3 phase, 4 meta plane, 5–6 form, 7 more) | first missing u16 | missing u16 | report`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// Where the meter stands.
    pub phase: Phase,
    /// The plane the numbers are of: meta until manifest and tags are complete.
    pub plane: Plane,
    /// First block it lacks; the block count when complete (DLMS IC 18, attribute 4).
    pub first_missing: u16,
    /// How many it lacks.
    pub missing: u16,
    /// The report goes on past its end.
    pub more: bool,
    /// Which.
    pub report: Report<'a>,
}

impl Initiate {
    pub(crate) fn read(r: &mut Fields<'_>) -> Initiate {
        let (size, block, manifest) = (r.u32(), r.u16(), r.u16());
        let (crc, digest) = (r.u32(), r.array());
        Initiate { size, block, manifest: manifest & 0x7FFF, tagged: manifest & 0x8000 != 0, crc, digest }
    }

    pub(crate) fn write(&self, w: &mut Sink<'_>) {
        w.number(self.size, 4);
        w.u16(self.block);
        w.u16((self.manifest & 0x7FFF) | (u16::from(self.tagged) << 15));
        w.number(self.crc, 4);
        w.put(&self.digest);
    }
}

impl Ask {
    // A meter has one place that calls it; out of line, what it reads would be copied there once more.
    #[inline(always)]
    pub(crate) fn read(r: &mut Fields<'_>) -> Ask {
        let bits = r.u8();
        let quiet = match bits & 0x0C {
            0 => Quiet::Nobody,
            4 => Quiet::Tagged,
            _ => Quiet::Complete,
        };
        let form = match bits & 3 {
            0 => Form::Count,
            1 => Form::Missing,
            2 => Form::Bitmap,
            _ => Form::Deficits,
        };
        Ask { form, quiet, from: r.u16(), limit: r.u16() }
    }

    pub(super) fn write(&self, w: &mut Sink<'_>) {
        let quiet = match self.quiet {
            Quiet::Nobody => 0,
            Quiet::Tagged => 4,
            Quiet::Complete => 8,
        };
        let form = match self.form {
            Form::Count => 0,
            Form::Missing => 1,
            Form::Bitmap => 2,
            Form::Deficits => 3,
        };
        w.u8(form | quiet);
        w.u16(self.from);
        w.u16(self.limit);
    }
}

impl Status<'_> {
    /// The plane is the meta plane.
    pub(crate) const META: u8 = 0x10;
    /// A list follows.
    pub(crate) const LIST: u8 = 0x20;
    /// A bitmap follows.
    pub(crate) const BITMAP: u8 = 0x40;
    /// Deficits follow; the bits of all three.
    pub(crate) const DEFICITS: u8 = 0x60;
    /// The report goes on past its end.
    pub(crate) const MORE: u8 = 0x80;
}

impl<'a> Status<'a> {
    /// `None`: deficits that are no whole words.
    pub(super) fn read(r: &mut Fields<'a>) -> Option<Status<'a>> {
        let bits = r.u8();
        let (first_missing, missing) = (r.u16(), r.u16());
        let report = match (bits >> 5) & 3 {
            0 => Report::Count,
            1 => Report::List { from: r.u16(), octets: r.rest() },
            2 => Report::Bitmap { from: r.u16(), octets: r.rest() },
            _ => Report::Deficits(r.rest()),
        };
        if let Report::Deficits(words) = report
            && words.len() & 1 != 0
        {
            return None;
        }
        Some(Status {
            phase: Phase::from_code(bits),
            plane: if bits & Self::META != 0 { Plane::Meta } else { Plane::Data },
            first_missing,
            missing,
            more: bits & Self::MORE != 0,
            report,
        })
    }

    pub(crate) fn write(&self, w: &mut Sink<'_>) {
        let (form, from, octets) = match self.report {
            Report::Count => (0, None, &[][..]),
            Report::List { from, octets } => (Self::LIST, Some(from), octets),
            Report::Bitmap { from, octets } => (Self::BITMAP, Some(from), octets),
            Report::Deficits(octets) => (Self::DEFICITS, None, octets),
        };
        let meta = if self.plane == Plane::Meta { Self::META } else { 0 };
        w.u8(self.phase.code() | meta | form | if self.more { Self::MORE } else { 0 });
        w.u16(self.first_missing);
        w.u16(self.missing);
        if let Some(from) = from {
            w.u16(from);
        }
        w.put(octets);
    }
}
