//! The application's part of an installation: state, event log, when to start, trial and confirmation.
//!
//! | state | entered when | who goes on, after any cut |
//! |---|---|---|
//! | Idle | factory; a transfer failed | – |
//! | Erasing | an initiate was taken | application: makes room again |
//! | Receiving | the manifest was accepted (signature, maker, version, counter, sizes) | application: asks for what is missing |
//! | Verified | CRC-32 and SHA-256 of the whole image are right | waits for activate |
//! | Armed | activate, now or at a time; back to Verified when it expires or is cancelled | waits for the time, within the window |
//! | Backup | the time has come; the old copy is given up | application: copies `APP` → `BACKUP` from the start, unless it is there |
//! | Installing | the backup compares | boot loader: copies `UPLOAD` → `APP` from the start |
//! | Trial | the copy compares | boot loader counts starts, application tests itself |
//! | Confirmed | own check passed, and the concentrator was heard if that is asked for; the security counter is raised | – |
//! | Rollback | too many faults or early deaths, failed check, not confirmed in time, image not whole | boot loader: copies `BACKUP` → `APP` from the start |
//! | RolledBack | the old program compares | may be armed again |
//!
//! Each state is written with its event, in one record, before what it stands for is done ([`Records`]). What is copied from is never written until
//! the next state is in force, so a cut means: start that copy again.
//!
//! # Longest step
//! [`Upgrader::work`] never does more than one of: erase a sector of the external flash, program or hash [`SLICE`] octets, write one record, check one
//! signature. What that takes is the device's: 45 to 400 ms for a 4 KiB sector of a SPI NOR flash, 1024 octets through SPI at 1 Mbit/s 8 ms (bit-banged at
//! 100 kB/s 10 ms), SHA-256 of 1024 octets about 60,000 instructions on a Cortex-M0, a record in an EEPROM four page writes of 5 ms. The
//! signature check is the long one; see the crate docs for its instructions.

mod gate;
mod record;
mod records;
mod slice;
mod trial;
mod upgrader;

pub use record::{EVENTS, Enciphered, Log, Program, PublicKey, RECORD_LEN, Reason, Record, State, event};
pub use records::{EepromRecords, FlashRecords, Records};
pub(crate) use slice::{Copy, Digest};
pub use slice::{Decrypt, NoCipher, SLICE, digest};
pub use upgrader::{Step, Upgrader};

/// What a meter insists on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Takes signed images only. Without, anyone can install anything (paper 002 as it stands).
    pub signed: bool,
    /// Takes commands (join, initiate, activate, cancel) addressed to it only in an authenticated envelope, coded rows and commands to a group only
    /// under the group's key.
    pub sealed: bool,
    /// Takes activate from a group. It names session, image and time, and the image must be verified all the same.
    pub group_activate: bool,
    /// Seconds after the activation time, on that day and each following one, in which an installation may start; 0: all day.
    pub window: u32,
    /// Seconds after the activation time when an installation that has not started is given up; 0: never.
    pub expiry: u32,
    /// Milliseconds that a start in the trial must live to end the row of early deaths.
    pub healthy: u32,
    /// Milliseconds of one run in the trial after which an unconfirmed program is rolled back (PRIME's safety timer, 21,600 s); 0: never.
    pub safety: u32,
    /// A trial is confirmed only after the concentrator was heard.
    pub contact: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            signed: true,
            sealed: true,
            group_activate: false,
            window: 4 * 3600,
            expiry: 7 * 86_400,
            healthy: 60_000,
            safety: 21_600_000,
            contact: false,
        }
    }
}
