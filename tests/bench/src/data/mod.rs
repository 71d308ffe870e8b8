//! The events of a bench: a file of lz4 blocks of stored events, written once and read as a stream.
//!
//! A block is its number of events, its plain length and its packed length, four bytes each and
//! little-endian, and the packed bytes; plain, it is for each event its length in four bytes and its
//! stored form. Beside the file, with `.json` added to its name, are the facts about it.

pub mod facts;
pub mod prepare;
pub mod read;

/// How many events a block has; the last one may have fewer.
pub const BLOCK_EVENTS: usize = 256;

/// How many bytes stand before a block.
const BLOCK_HEADER_BYTES: usize = 12;
