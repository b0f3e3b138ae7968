//! Firmware upgrade of many meters over a slow shared medium: block transfer with a bitmap, multicast and coded repair. no_std, no allocation.
#![no_std]
