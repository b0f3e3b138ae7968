//! DLMS link layers from octets to APDUs: HDLC frame format type 3, wired M-Bus and the TCP/UDP wrapper. no_std, no allocation, streaming.
#![no_std]
