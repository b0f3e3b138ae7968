//! P1 telegrams of every dialect (DSMR, SMR, e-MUCS and their neighbours) to named and scaled values. no_std, no allocation, streaming.
#![no_std]
