//! DL/T 645 of 1997 and 2007: frames, data identifiers, master, slave and the virtual bus inside a meter. no_std, no allocation, streaming.
#![no_std]
