//! OBIS codes, units and COSEM data: what a DLMS/COSEM meter sends, as named and scaled values. no_std, no allocation.
#![no_std]
