//! Where the memories hold what. Boot loader and program must agree on it.

use upgrade_proto::boot::Places;
use upgrade_proto::flash::Span;

/// Where the program stands, from the front of the program flash (paper 000, 4).
pub const APP: u32 = 0x4000;

/// External flash: image, its manifest and tags, the program to go back to.
pub const PLACES: Places = Places {
    upload: Span { start: 0, len: 0x7_0000 },
    meta: Span { start: 0x7_0000, len: 0x4000 },
    backup: Span { start: 0x8_0000, len: 0x7_0000 },
    app: Span { start: APP, len: 0x7_0000 },
};

/// External flash: which blocks have come.
pub const MAP: Span = Span { start: 0xF_0000, len: 0x2000 };

/// Octets of the external flash.
pub const EXTERNAL: u32 = 0x10_0000;

/// EEPROM: the record of the upgrade.
pub const RECORDS: u32 = 0;

/// EEPROM: the meter's address, six octets, highest first; written at the factory.
pub const ADDRESS: u32 = 0x1000;

/// EEPROM: the AES-128 keys of commands, 16 octets each, the meter's and then its group's; written at the factory.
pub const KEYS: u32 = 0x1010;

/// Octets of the EEPROM.
pub const EEPROM: u32 = 0x2000;
