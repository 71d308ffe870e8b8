//! Every bound on what the store holds in memory, takes in one piece or writes in one piece.

/// The most events in one append.
pub const APPEND_EVENTS_MAX: usize = 4_096;

/// The most stored bytes in one append.
pub const APPEND_LENGTH_MAX_BYTES: usize = 16 << 20;

/// The most conditions on one append.
pub const APPEND_CONDITIONS_MAX: usize = 1_024;

/// A frame takes in further requests until its events take this many bytes.
pub const FRAME_LENGTH_TARGET_BYTES: usize = 1 << 20;

/// The most stored bytes in one frame: a frame that is just short of its target takes in one more
/// append.
pub const FRAME_LENGTH_MAX_BYTES: usize = APPEND_LENGTH_MAX_BYTES + FRAME_LENGTH_TARGET_BYTES;

/// A frame takes in further requests until it holds this many events.
pub const FRAME_EVENTS_TARGET: usize = 4_096;

/// The most events in one frame, for the same reason.
pub const FRAME_EVENTS_MAX: usize = FRAME_EVENTS_TARGET + APPEND_EVENTS_MAX;

/// A frame whose events take fewer bytes is not compressed: somebody waits for it, and compressing it
/// takes as long as writing what it saves.
pub const FRAME_COMPRESSED_LENGTH_MIN_BYTES: usize = 64 << 10;

/// Submitting blocks while the requests that wait hold more events than this.
pub const QUEUE_EVENTS_MAX: usize = 16_384;

/// Submitting blocks while more requests than this wait.
pub const QUEUE_REQUESTS_MAX: usize = 4_096;

/// How many frames that were read lately are kept for the next read.
pub const FRAME_CACHE_FRAMES_MAX: usize = 16;

/// How many positions a reader of a history takes from the index at once.
pub const READ_PAGE_POSITIONS: usize = 1_024;

/// How many events an asynchronous reader takes from the blocking one at once.
pub const STREAM_CHUNK_EVENTS: usize = 256;

/// How many events the index keeps in memory before it writes them as one sorted run.
pub const RUN_EVENTS: u64 = 65_536;

/// A clean close writes a run only for at least this many events; fewer are cheaper to read again.
pub const RUN_EVENTS_MIN_AT_CLOSE: u64 = 4_096;

/// The most positions in one entry of an index run.
pub const RUN_ENTRY_POSITIONS_MAX: usize = 512;

/// The largest value that is given to sled. Sled keeps up to 17 values in a node and moves a node
/// larger than a quarter of its 512 KiB segment to a file of its own, which nobody syncs.
pub const SLED_VALUE_MAX_BYTES: usize = 6 << 10;

/// The cache bound that is given to sled, in bytes. It is a wish, not a bound: see `FORMAT.md`.
pub const SLED_CACHE_BYTES: u64 = 32 << 20;

/// A journal segment takes frames until it has this many bytes.
pub const SEGMENT_LENGTH_BYTES: u64 = 64 << 20;

/// How many zeros a journal writes ahead of its frames at first. Each step is twice the one before.
pub const SEGMENT_AHEAD_MIN_BYTES: u64 = 256 << 10;

/// How many zeros a journal writes ahead of its frames at most.
pub const SEGMENT_AHEAD_MAX_BYTES: u64 = 16 << 20;

/// One frame in so many bytes of a journal segment is found without walking.
pub const SEGMENT_WAYPOINT_BYTES: u64 = 16 << 10;

/// How many bytes a sequential reader of a journal takes from the medium at once.
pub const SCAN_LENGTH_BYTES: usize = 1 << 20;

/// How many pieces of frames a salvage of the sled engine looks for at once: about 60 bytes each.
pub const SALVAGE_PIECES_MAX: usize = 1 << 18;

/// How many damaged places of a log a salvage remembers.
pub const DAMAGE_NOTES_MAX: usize = 256;

/// How many bytes of frames are copied between two syncs of the copy.
pub const COPY_SYNC_BYTES: u64 = 64 << 20;
