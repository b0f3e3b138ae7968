//! What the benchmarks share: inputs, and an allocator that counts.

pub mod counting;
pub mod han;
pub mod p1;
