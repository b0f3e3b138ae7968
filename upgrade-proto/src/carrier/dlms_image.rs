//! DLMS image transfer (IC 18): its attributes from a status word and back, its methods from messages and back.
//!
//! IC 18 knows no tags; a session over it is untagged. `image_transfer_initiate` carries this protocol's initiate message as the image
//! identifier, so that a meter that knows it can resume (IC 18's own initiate forgets all blocks).

use super::bits::{self, Order};
use crate::codec::{Reader, Writer};
use crate::error::BufferTooSmall;
use crate::message::{HEADER_LEN, Initiate, Message, Packet, Phase, Status};
use crate::session::{Plane, Session};

/// Attribute 6, `image_transfer_status`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TransferStatus {
    /// 0: not initiated.
    NotInitiated = 0,
    /// 1: initiated.
    Initiated = 1,
    /// 2: verification initiated.
    VerificationInitiated = 2,
    /// 3: verification successful.
    VerificationSuccessful = 3,
    /// 4: verification failed.
    VerificationFailed = 4,
    /// 5: activation initiated.
    ActivationInitiated = 5,
    /// 6: activation successful.
    ActivationSuccessful = 6,
    /// 7: activation failed.
    ActivationFailed = 7,
}

impl TransferStatus {
    /// Of a meter's phase.
    #[must_use]
    pub const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Idle | Phase::Other(_) => TransferStatus::NotInitiated,
            Phase::Erasing | Phase::Receiving | Phase::Working | Phase::Complete => TransferStatus::Initiated,
            Phase::Verifying => TransferStatus::VerificationInitiated,
            Phase::Verified => TransferStatus::VerificationSuccessful,
            Phase::Failed => TransferStatus::VerificationFailed,
            Phase::Armed => TransferStatus::ActivationInitiated,
        }
    }

    /// The phase a status says, as far as it says one: `missing` blocks tell receiving from complete.
    #[must_use]
    pub const fn phase(self, missing: u16) -> Phase {
        match self {
            TransferStatus::NotInitiated => Phase::Idle,
            TransferStatus::Initiated if missing > 0 => Phase::Receiving,
            TransferStatus::Initiated => Phase::Complete,
            TransferStatus::VerificationInitiated => Phase::Verifying,
            TransferStatus::VerificationSuccessful => Phase::Verified,
            TransferStatus::VerificationFailed => Phase::Failed,
            TransferStatus::ActivationInitiated
            | TransferStatus::ActivationSuccessful
            | TransferStatus::ActivationFailed => Phase::Armed,
        }
    }
}

/// Blocks that attribute 3, `image_transferred_blocks_status`, says are missing: bit string, first block in the most significant bit, 1 =
/// transferred. Without the A-XDR tag and length.
pub fn missing(bits: &[u8], count: u16) -> impl Iterator<Item = u16> {
    bits::missing(bits, Order::HighFirst, count)
}

/// Attribute 3 of a meter whose status word says all of it: the answer to a query for the bitmap from block 0 on. Attribute 4,
/// `image_first_not_transferred_block_number`, is the word's `first_missing` as it stands.
pub fn blocks_status<'b>(status: &Status<'_>, count: u16, out: &'b mut [u8]) -> Option<&'b [u8]> {
    bits::from_status(status, Order::HighFirst, count, out)
}

/// The status word that attributes 3 and 6 make; `out` takes the bitmap, an eighth of `count` in octets.
pub fn status<'b>(
    bits: &[u8],
    transfer: TransferStatus,
    count: u16,
    out: &'b mut [u8],
) -> Option<Status<'b>> {
    let lacked = u16::try_from(missing(bits, count).count()).ok()?;
    bits::to_status(bits, Order::HighFirst, count, transfer.phase(lacked), out)
}

/// Octets of an initiate message, which are the image identifier.
const IDENTIFIER: usize = HEADER_LEN as usize + 28;

/// Parameters of method 1, `image_transfer_initiate`: `02 02 09 23 initiate message 06 size u32`.
///
/// # Errors
/// [`BufferTooSmall`] when it does not fit.
pub fn initiate<'b>(
    session: Session,
    initiate: &Initiate,
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let mut identifier = [0u8; IDENTIFIER];
    let packet = Packet { session, message: Message::Initiate(*initiate) };
    let identifier = packet.encode(&mut identifier)?;
    let mut w = Writer::new(out);
    w.put(&[0x02, 0x02, 0x09])?;
    w.u8(u8::try_from(identifier.len()).map_err(|_| BufferTooSmall)?)?;
    w.put(identifier)?;
    w.u8(0x06)?;
    w.u32(initiate.size)?;
    Ok(w.finish())
}

/// The session that parameters of method 1 open; `None` when their identifier is another's, or contradicts the size.
#[must_use]
pub fn initiated(parameters: &[u8]) -> Option<(Session, Initiate)> {
    let mut r = Reader(parameters);
    if r.array()? != [0x02, 0x02, 0x09] {
        return None;
    }
    let len = r.u8()?.into();
    let packet = Packet::parse(r.take(len)?).ok()?;
    match packet.message {
        Message::Initiate(initiate) if r.u8()? == 0x06 && r.u32()? == initiate.size => {
            Some((packet.session, initiate))
        }
        _ => None,
    }
}

/// Method invocation parameters that a message becomes; method number and octets.
///
/// Method 2 `image_block_transfer`: `02 02 06 number u32 09 length octets`. Method 3 verify and 4 activate: `0F 00`.
///
/// # Errors
/// [`BufferTooSmall`] when it does not fit.
pub fn method<'b>(
    message: &Message<'_>,
    out: &'b mut [u8],
) -> Result<Option<(u8, &'b [u8])>, BufferTooSmall> {
    let mut w = Writer::new(out);
    let method = match *message {
        Message::Block { plane: Plane::Data, index, data, .. } => {
            w.put(&[0x02, 0x02, 0x06])?;
            w.u32(index.into())?;
            w.u8(0x09)?;
            let len = u16::try_from(data.len()).map_err(|_| BufferTooSmall)?;
            match u8::try_from(len) {
                Ok(len) if len < 0x80 => w.u8(len)?,
                Ok(len) => w.put(&[0x81, len])?,
                Err(_) => {
                    w.u8(0x82)?;
                    w.u16(len)?;
                }
            }
            w.put(data)?;
            2
        }
        Message::Verify => {
            w.put(&[0x0F, 0x00])?;
            3
        }
        Message::Activate { .. } => {
            w.put(&[0x0F, 0x00])?;
            4
        }
        _ => return Ok(None),
    };
    Ok(Some((method, w.finish())))
}

/// The message that a method invocation is; `None` when it is none this module knows.
#[must_use]
pub fn message(method: u8, parameters: &[u8]) -> Option<Message<'_>> {
    let mut r = Reader(parameters);
    match method {
        2 => {
            if r.array()? != [0x02, 0x02, 0x06] {
                return None;
            }
            let index = u16::try_from(r.u32()?).ok()?;
            if r.u8()? != 0x09 {
                return None;
            }
            let len = match r.u8()? {
                0x81 => usize::from(r.u8()?),
                0x82 => usize::from(r.u16()?),
                len if len < 0x80 => usize::from(len),
                _ => return None,
            };
            let data = r.take(len)?;
            Some(Message::Block { plane: Plane::Data, index, acknowledge: false, data })
        }
        3 => Some(Message::Verify),
        4 => Some(Message::Activate { at: 0 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_round_trip() {
        let mut buffer = [0; 700];
        for len in [1usize, 127, 128, 255, 256, 512] {
            let block =
                Message::Block { plane: Plane::Data, index: 300, acknowledge: false, data: &[9; 512][..len] };
            let (number, octets) = method(&block, &mut buffer).unwrap().unwrap();
            assert_eq!((number, message(number, octets)), (2, Some(block)));
        }
        let (number, octets) = method(&Message::Verify, &mut buffer).unwrap().unwrap();
        assert_eq!((number, message(number, octets)), (3, Some(Message::Verify)));
        assert_eq!(method(&Message::Query, &mut buffer), Ok(None));
    }

    #[test]
    fn initiate_round_trips_and_its_size_must_agree() {
        let session = Session { id: 7, image: 9 };
        let sizes = Initiate { size: 5000, block: 128, crc: 3, digest: [8; 16], ..Initiate::default() };
        let mut buffer = [0; 64];
        let len = initiate(session, &sizes, &mut buffer).unwrap().len();
        assert_eq!(initiated(&buffer[..len]), Some((session, sizes)));
        buffer[len - 1] ^= 1;
        assert_eq!(initiated(&buffer[..len]), None);
    }

    #[test]
    fn a_status_survives_the_enumeration() {
        for (phase, missing) in [
            (Phase::Idle, 9),
            (Phase::Receiving, 9),
            (Phase::Complete, 0),
            (Phase::Verifying, 0),
            (Phase::Verified, 0),
            (Phase::Failed, 0),
            (Phase::Armed, 0),
        ] {
            assert_eq!(TransferStatus::of(phase).phase(missing), phase);
        }
        assert!(missing(&[0b1010_0000], 4).eq([1, 3]));
    }
}
