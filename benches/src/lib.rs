//! What the benchmarks share: inputs, hostile ones too, and an allocator that counts.

pub mod counting;
pub mod han;
pub mod hostile;
pub mod p1;
