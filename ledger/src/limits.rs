//! Every bound on what the store holds in memory, takes in one piece or writes in one piece.

use std::time::Duration;

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

/// A block of a frame takes in further events until they take this many bytes: what is read to get
/// at one event.
pub const BLOCK_LENGTH_TARGET_BYTES: usize = 16 << 10;

/// A frame whose events take fewer bytes is not compressed: somebody waits for it, and compressing it
/// takes as long as writing what it saves.
pub const FRAME_COMPRESSED_LENGTH_MIN_BYTES: usize = 64 << 10;

/// Submitting blocks while so many wait for the next frame.
pub const FRAME_ANSWERS_MAX: usize = 4_096;

/// How often somebody who waits for the index is told how far it is.
pub const INDEX_WATCHED_EVERY: Duration = Duration::from_millis(20);

/// How long at most the manifest does not say that an acknowledged event is durable.
pub const MARK_AFTER: Duration = Duration::from_secs(1);

/// How many blocks that were read lately are kept for the next read.
pub const BLOCK_CACHE_BLOCKS_MAX: usize = 64;

/// How many positions of a history are read ahead beside each other; fewer than blocks are kept.
pub const PREFETCH_POSITIONS: usize = 48;

/// Fewer blocks than this are read one after the other.
pub const PREFETCH_POSITIONS_MIN: usize = 6;

/// How many threads read ahead. Each asks the medium for all that it is going to read before it reads the
/// first of it, so that a few are enough.
pub const PREFETCH_THREADS: usize = 4;

/// So many runs of the index are asked for a subject beside each other.
pub const LOOK_UPS_AT_ONCE: usize = 12;

/// Fewer runs than this are asked one after the other.
pub const LOOK_UPS_AT_ONCE_MIN: usize = 4;

/// How many positions a reader of a history takes from the index at once.
pub const READ_PAGE_POSITIONS: usize = 1_024;

/// How many events an asynchronous reader takes from the blocking one at once.
pub const STREAM_CHUNK_EVENTS: usize = 256;

/// How many events the index keeps in memory before it writes them as one sorted run.
pub const RUN_EVENTS: u64 = 65_536;

/// A clean close writes a run only for at least this many events; fewer are cheaper to read again.
pub const RUN_EVENTS_MIN_AT_CLOSE: u64 = 4_096;

/// So many successive runs of one size are merged into one.
pub const RUN_FAN_OUT: usize = 8;

/// Runs are not merged into one of more events: bounds the filter that a merge holds in memory.
pub const RUN_MERGED_EVENTS_MAX: u64 = 1 << 25;

/// While there are more runs than this, no further one is written before some were merged.
pub const RUNS_MAX: usize = 64;

/// So many full overlays may wait to be written as runs; then appends wait.
pub const OVERLAYS_FROZEN_MAX: usize = 2;

/// An overlay whose names and positions take more bytes than this is full, however few its events.
pub const OVERLAY_LENGTH_MAX_BYTES: usize = 48 << 20;

/// How many threads write runs of lists beside each other.
pub const LISTS_WRITERS: usize = 2;

/// So many full gatherings may wait to be written as runs of lists, those that are being written among them;
/// then whoever adds waits.
pub const LISTS_FROZEN_MAX: usize = 3;

/// A gathering that takes more bytes than this is full, however few its events.
pub const LISTS_OVERLAY_MAX_BYTES: usize = 64 << 20;

/// The longest name of a list: the longest identifier, and what says of what kind it is.
pub const LIST_NAME_MAX_BYTES: usize = 272;

/// The most bytes of one list that are one after the other in a chunk.
pub const LIST_SEGMENT_MAX_BYTES: usize = 2 << 10;

/// So many chunks that were read last are kept of each run of lists, unpacked: about 24 KiB each.
pub const LISTS_CHUNKS_KEPT: usize = 8;

/// A run of lists remembers of so many tables whether they have any list.
pub const LISTS_TABLES_LOOKED_AT_MAX: usize = 16;

/// The most positions in one entry of an index run.
pub const RUN_ENTRY_POSITIONS_MAX: usize = 256;

/// Bits of a filter for each of its names: with eight probes, about one absent name in 1,700 is looked up
/// in vain.
pub const FILTER_NAME_BITS: u64 = 16;

/// The same for a filter of few names, of which there are many and which together are small: about one in
/// 170,000.
pub const FILTER_NAME_BITS_OF_FEW: u64 = 32;

/// A filter of at most so many names has few.
pub const FILTER_NAMES_FEW_MAX: u64 = 1 << 20;

/// The length of a block of a filter, which is read and kept whole.
pub const FILTER_BLOCK_LENGTH_BYTES: usize = 4 << 10;

/// So many successive blocks of a filter are read at once: 128 KiB, which a disk gives nearly as soon as one of
/// them, so that whoever looks up many names soon has all filters in memory.
pub const FILTER_BLOCKS_AT_ONCE: usize = 32;

/// The most bytes of filters that are kept in memory, those of 20 million events being about 80 MB. Blocks
/// beyond are read again each time.
pub const FILTERS_KEPT_MAX_BYTES: usize = 128 << 20;

/// Whoever passes over a run closes it when so many bytes of it were read, and opens it again: he never comes
/// back to what he has read. Opening costs by the length of the run.
pub const PASS_READ_MAX_BYTES: usize = 32 << 20;

/// How many chunks a merge reads from a run at once.
pub const MERGE_CHUNKS_AT_ONCE: usize = 32;

/// How many chunks are read from a run at once when all lists of a table are passed over.
pub const PASS_CHUNKS_AT_ONCE: usize = 16;

/// A merge looks so often, in entries, whether the store is being closed.
pub const MERGE_ENTRIES_BETWEEN_LOOKS: usize = 4_096;

/// The largest chunk of a run. Less than sled could take: it reads, and keeps, a leaf of some eight
/// chunks for each look-up.
pub const CHUNK_LENGTH_MAX_BYTES: usize = 3 << 10;

/// What one look-up is taken to make sled keep, in bytes: one of its leaves.
pub const SLED_LEAF_LENGTH_BYTES: usize = 8 * CHUNK_LENGTH_MAX_BYTES;

/// Sled keeps what it has read for as long as a database is open, whatever bound it is given. When
/// all runs together have read so many bytes, the one that read most is closed, and opened again when
/// it is needed.
pub const RUNS_READ_MAX_BYTES: usize = 96 << 20;

/// The cache bound that is given to the sled database of a run or of a block of tiles, in bytes.
pub const SLED_SEALED_CACHE_BYTES: u64 = 1 << 20;

/// Sled splits a leaf of so many keys before it puts another one in.
pub const SLED_LEAF_KEYS_MAX: usize = 17;

/// How long a flush of sled is waited for. After some errors of its file it never comes back.
pub const SLED_FLUSH_PATIENCE: Duration = Duration::from_secs(30);

/// The largest value that is given to sled. Sled keeps up to 17 values in a node and moves a node
/// larger than a quarter of its 512 KiB segment to a file of its own, which nobody syncs.
pub const SLED_VALUE_MAX_BYTES: usize = 6 << 10;

/// The cache bound that is given to sled, in bytes. It is a wish, not a bound: see `FORMAT.md`.
pub const SLED_CACHE_BYTES: u64 = 32 << 20;

/// How many hashes a finished tile of the log's tree has.
pub const TILE_HASHES: usize = 256;

/// So many leaves are in one block of tiles that are kept; what comes after the last block is hashed by
/// whoever asks for a root or a proof.
pub const TILE_BLOCK_EVENTS: u64 = 1 << 18;

/// How many hashes of a tile are kept in one value: half of them, so that a value stays below
/// [`SLED_VALUE_MAX_BYTES`].
pub const TILE_PIECE_HASHES: usize = 128;

/// What one look-up in a block of tiles is taken to make sled keep, in bytes: one of its leaves.
pub const TILES_LEAF_LENGTH_BYTES: usize = 8 * 32 * TILE_PIECE_HASHES;

/// When all blocks of tiles together have read so many bytes, the one that read most is closed: see
/// [`RUNS_READ_MAX_BYTES`].
pub const TILES_READ_MAX_BYTES: usize = 16 << 20;

/// The longest signed note that is read.
pub const NOTE_LENGTH_MAX_BYTES: usize = 64 << 10;

/// The most signatures on a note that is read. The form asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// The most nodes in a proof: a path through a tree of 2^64 leaves, and the node it begins with.
pub const PROOF_NODES_MAX: usize = 65;

/// The longest proof file that is read: the largest event in base64, the nodes and two notes.
pub const PROOF_FILE_LENGTH_MAX_BYTES: usize = 2 << 20;

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
