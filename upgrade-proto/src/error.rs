//! What can be wrong.

/// The output slice is shorter than what is to be written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct BufferTooSmall;

impl core::fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("output buffer too small")
    }
}

impl core::error::Error for BufferTooSmall {}

/// Why octets are no message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// Shorter than the message's fixed fields, or longer than they allow.
    Length,
    /// No message of this kind is known.
    Kind(u8),
    /// A field holds what it must not (a list that does not rise, no block in an XOR frame, more than 32, zero generations).
    Field,
}

impl core::fmt::Display for MessageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            MessageError::Length => f.write_str("message length does not fit its kind"),
            MessageError::Kind(kind) => write!(f, "unknown message kind {kind:#04x}"),
            MessageError::Field => f.write_str("message field out of range"),
        }
    }
}

impl core::error::Error for MessageError {}

/// Why a meter refuses an image or a command; travels in [`Message::Refused`](crate::message::Message::Refused).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Refusal {
    /// Another maker's image.
    Maker = 1,
    /// Another model's image.
    Model = 2,
    /// For another hardware.
    Hardware = 3,
    /// The meter runs this version or a newer one.
    Version = 4,
    /// The meter's address is outside the image's scope.
    Scope = 5,
    /// The image, its tag table or its blocks do not fit the meter's memory.
    Memory = 6,
    /// Sizes make no image.
    Geometry = 7,
    /// Manifest or tags are required and missing, or the manifest contradicts the initiate message.
    Manifest = 8,
    /// Blocks are missing or the image is not verified.
    Incomplete = 9,
    /// The image's check value is wrong.
    Verify = 10,
    /// The command does not fit the state (no session, another image).
    State = 11,
    /// The meter's flash fails.
    Flash = 12,
    /// The manifest's signature is missing or wrong, or its key is not taken.
    Signature = 13,
    /// The image is older than what was confirmed (security counter).
    Counter = 14,
    /// The command is not authenticated.
    Authentication = 15,
    /// The command's number is not above the last one's.
    Stale = 16,
    /// A reason this version of the crate has no name for.
    Other(u8) = 0,
}

impl Refusal {
    /// The code in the message.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Refusal::Maker => 1,
            Refusal::Model => 2,
            Refusal::Hardware => 3,
            Refusal::Version => 4,
            Refusal::Scope => 5,
            Refusal::Memory => 6,
            Refusal::Geometry => 7,
            Refusal::Manifest => 8,
            Refusal::Incomplete => 9,
            Refusal::Verify => 10,
            Refusal::State => 11,
            Refusal::Flash => 12,
            Refusal::Signature => 13,
            Refusal::Counter => 14,
            Refusal::Authentication => 15,
            Refusal::Stale => 16,
            Refusal::Other(code) => code,
        }
    }

    /// From the code in the message.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Refusal::Maker,
            2 => Refusal::Model,
            3 => Refusal::Hardware,
            4 => Refusal::Version,
            5 => Refusal::Scope,
            6 => Refusal::Memory,
            7 => Refusal::Geometry,
            8 => Refusal::Manifest,
            9 => Refusal::Incomplete,
            10 => Refusal::Verify,
            11 => Refusal::State,
            12 => Refusal::Flash,
            13 => Refusal::Signature,
            14 => Refusal::Counter,
            15 => Refusal::Authentication,
            16 => Refusal::Stale,
            code => Refusal::Other(code),
        }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refusal::Maker => "other maker",
            Refusal::Model => "other model",
            Refusal::Hardware => "other hardware",
            Refusal::Version => "version not older",
            Refusal::Scope => "outside scope",
            Refusal::Memory => "does not fit the memory",
            Refusal::Geometry => "impossible sizes",
            Refusal::Manifest => "manifest missing or wrong",
            Refusal::Incomplete => "incomplete",
            Refusal::Verify => "image check failed",
            Refusal::State => "not in this state",
            Refusal::Flash => "flash failure",
            Refusal::Signature => "signature missing or wrong",
            Refusal::Counter => "older than what was confirmed",
            Refusal::Authentication => "not authenticated",
            Refusal::Stale => "command number used before",
            Refusal::Other(code) => return write!(f, "reason {code}"),
        })
    }
}

impl core::error::Error for Refusal {}
