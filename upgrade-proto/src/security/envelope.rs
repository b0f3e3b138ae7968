//! Authenticated control: an envelope around a message, and who may open it.
//!
//! | kind | envelope | fields |
//! |---|---|---|
//! | 50 | command or question to one meter | number u32, message, check value 8 |
//! | 51 | its answer | number u32 of the question (a roll call's: its check value), message, check value 8 |
//! | 52 | to a group | message, check value 4 |
//!
//! Check values are the first octets of AES-CMAC: of kinds 50 and 51 under the meter's key, over the envelope before it and the
//! meter's address (6 octets, not sent); of kind 52 under the group's key, over the envelope before it. The number of a command rises with
//! every command; a meter takes none that is not above the last, which it remembers with the step the command caused. The number of a question need only be
//! new to who asks: its answer carries it back, so an old answer is none. A roll call has no number; its answers carry its check value, so they are
//! of this session and this question. Where the very same is asked twice in a session an old answer can be played again; it says
//! what was lacking before, and costs sending that once more.

use super::{Mac, MacKey, same};
use crate::codec::{Reader, Writer};
use crate::error::BufferTooSmall;
use crate::package::Address;
use crate::session::Session;

const COMMAND: u8 = 0x50;
const REPLY: u8 = 0x51;
const GROUP: u8 = 0x52;
/// Kind of the message in a command that brings an image's key.
const IMAGE_KEY: u8 = 0x40;

/// Octets that an envelope adds to a message to or from one meter.
pub const COMMAND_OVERHEAD: usize = 13;
/// Octets that an envelope adds to a message to a group.
pub const GROUP_OVERHEAD: usize = 5;
/// Octets of an image key message: `40 | session u16 | image digest prefix u32 | wrapped key 24`.
pub const IMAGE_KEY_LEN: usize = 31;

const TAG: usize = 8;
const GROUP_TAG: usize = 4;

/// An envelope with a number taken apart, not checked.
pub(crate) struct Numbered<'a> {
    pub(crate) number: u32,
    pub(crate) message: &'a [u8],
    covered: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Numbered<'a> {
    fn split(octets: &'a [u8]) -> Option<Self> {
        let (covered, tag) = octets.split_at_checked(octets.len().checked_sub(TAG)?)?;
        let mut r = Reader(covered);
        r.u8()?;
        Some(Numbered { number: r.u32()?, message: r.rest(), covered, tag })
    }

    fn is_genuine(&self, mac: &mut (impl Mac + ?Sized), address: Address) -> bool {
        let want = mac.mac(MacKey::Meter, &[self.covered, &address.0]);
        want.and_then(|want| want.get(..TAG).map(|want| same(want, self.tag))).unwrap_or(false)
    }
}

/// An envelope taken apart, not checked.
pub(crate) enum Envelope<'a> {
    Command(Numbered<'a>),
    Group { covered: &'a [u8], message: &'a [u8], tag: &'a [u8] },
}

impl<'a> Envelope<'a> {
    /// `None`: not an envelope, a message as it is. `Some(None)`: an envelope that is too short.
    pub(crate) fn split(octets: &'a [u8]) -> Option<Option<Self>> {
        match octets.first() {
            Some(&COMMAND) => Some(Numbered::split(octets).map(Envelope::Command)),
            Some(&GROUP) => Some(octets.split_at_checked(octets.len().wrapping_sub(GROUP_TAG)).and_then(
                |(covered, tag)| covered.get(1..).map(|message| Envelope::Group { covered, message, tag }),
            )),
            // An answer has no business at a meter.
            Some(&REPLY) => Some(None),
            _ => None,
        }
    }

    /// Whether the check value is right.
    pub(crate) fn is_genuine(&self, mac: &mut impl Mac, address: Address) -> bool {
        match self {
            Envelope::Command(command) => command.is_genuine(mac, address),
            Envelope::Group { covered, tag, .. } => {
                let want = mac.mac(MacKey::Group, &[covered]);
                want.and_then(|want| want.get(..GROUP_TAG).map(|want| same(want, tag))).unwrap_or(false)
            }
        }
    }
}

/// The message that brings the image's key to a meter.
pub(crate) struct ImageKey {
    pub(crate) session: Session,
    pub(crate) key: [u8; 24],
}

impl ImageKey {
    pub(crate) fn parse(message: &[u8]) -> Option<ImageKey> {
        let mut r = Reader(message);
        if r.u8()? != IMAGE_KEY {
            return None;
        }
        let key = ImageKey { session: Session { id: r.u16()?, image: r.u32()? }, key: r.array()? };
        r.0.is_empty().then_some(key)
    }
}

fn seal<'b>(
    mac: &mut (impl Mac + ?Sized),
    kind: u8,
    address: Address,
    number: u32,
    message: &[u8],
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Writer::new(out);
    w.u8(kind)?;
    w.u32(number)?;
    w.put(message)?;
    finish(mac, kind, address, message.len(), out)
}

/// Makes room for an envelope's head of `head` octets before the message of `len` octets at the start of `out`.
fn make_room(out: &mut [u8], len: usize, head: usize) -> Result<(), BufferTooSmall> {
    let end = len.checked_add(head).filter(|&end| end <= out.len()).ok_or(BufferTooSmall)?;
    out.get_mut(..end).ok_or(BufferTooSmall)?.rotate_right(head);
    Ok(())
}

/// [`seal_command`] around the message of `len` octets at the start of `out`; the octets it takes then.
pub(crate) fn seal_command_in_place(
    mac: &mut impl Mac,
    address: Address,
    number: u32,
    len: usize,
    out: &mut [u8],
) -> Result<usize, BufferTooSmall> {
    make_room(out, len, REPLY_HEAD)?;
    let mut w = Writer::new(out);
    w.u8(COMMAND)?;
    w.u32(number)?;
    Ok(finish(mac, COMMAND, address, len, out)?.len())
}

/// [`seal_group`] around the message of `len` octets at the start of `out`; the octets it takes then, and the check value.
pub(crate) fn seal_group_in_place(
    mac: &mut impl Mac,
    len: usize,
    out: &mut [u8],
) -> Result<(usize, u32), BufferTooSmall> {
    make_room(out, len, 1)?;
    Writer::new(out).u8(GROUP)?;
    let sealed = finish(mac, GROUP, Address::default(), len, out)?;
    let tag = sealed.last_chunk().map_or(0, |tag| u32::from_be_bytes(*tag));
    Ok((sealed.len(), tag))
}

/// Puts the check value behind an envelope whose head and message of `len` octets stand in `out`.
fn finish<'b>(
    mac: &mut (impl Mac + ?Sized),
    kind: u8,
    address: Address,
    len: usize,
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let (key, head, tag_len) =
        if kind == GROUP { (MacKey::Group, 1usize, GROUP_TAG) } else { (MacKey::Meter, 5, TAG) };
    let covered = head.saturating_add(len);
    let end = covered.saturating_add(tag_len);
    let out = out.get_mut(..end).ok_or(BufferTooSmall)?;
    let (body, tail) = out.split_at_mut_checked(covered).ok_or(BufferTooSmall)?;
    let address: &[u8] = if kind == GROUP { &[] } else { &address.0 };
    let tag = mac.mac(key, &[body, address]).ok_or(BufferTooSmall)?;
    for (to, from) in tail.iter_mut().zip(tag) {
        *to = from;
    }
    Ok(out)
}

/// Seals a command or question to the meter at `address`; `mac` has that meter's key as [`MacKey::Meter`].
///
/// # Errors
/// [`BufferTooSmall`] when `out` has less than [`COMMAND_OVERHEAD`] octets more than the message, or there is no key.
pub fn seal_command<'b>(
    mac: &mut (impl Mac + ?Sized),
    address: Address,
    number: u32,
    message: &[u8],
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    seal(mac, COMMAND, address, number, message, out)
}

/// Seals the command that brings an image's key, wrapped for the meter (RFC 3394; `security::wrap` with feature `control`).
///
/// # Errors
/// [`BufferTooSmall`] when `out` is too short, or there is no key.
pub fn seal_image_key<'b>(
    mac: &mut (impl Mac + ?Sized),
    address: Address,
    number: u32,
    session: Session,
    key: &[u8; 24],
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let mut message = [0u8; IMAGE_KEY_LEN];
    let mut w = Writer::new(&mut message);
    w.u8(IMAGE_KEY)?;
    w.u16(session.id)?;
    w.u32(session.image)?;
    w.put(key)?;
    seal(mac, COMMAND, address, number, &message, out)
}

/// Seals a message to the group whose key `mac` has as [`MacKey::Group`].
///
/// # Errors
/// [`BufferTooSmall`] when `out` has less than [`GROUP_OVERHEAD`] octets more than the message, or there is no key.
pub fn seal_group<'b>(
    mac: &mut (impl Mac + ?Sized),
    message: &[u8],
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Writer::new(out);
    w.u8(GROUP)?;
    w.put(message)?;
    finish(mac, GROUP, Address::default(), message.len(), out)
}

/// The message in a meter's answer to the question with this number, if it is genuine.
#[must_use]
pub fn open_reply<'a>(
    mac: &mut (impl Mac + ?Sized),
    address: Address,
    number: u32,
    octets: &'a [u8],
) -> Option<&'a [u8]> {
    let reply = Numbered::split(octets).filter(|_| octets.first() == Some(&REPLY))?;
    (reply.number == number && reply.is_genuine(mac, address)).then_some(reply.message)
}

/// Octets before the message in an answer's envelope.
pub(crate) const REPLY_HEAD: usize = 5;

/// Seals an answer whose message of `len` octets stands at [`REPLY_HEAD`] in `out` already.
pub(crate) fn seal_reply<'b>(
    mac: &mut impl Mac,
    address: Address,
    number: u32,
    len: usize,
    out: &'b mut [u8],
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Writer::new(out);
    w.u8(REPLY)?;
    w.u32(number)?;
    finish(mac, REPLY, address, len, out)
}
