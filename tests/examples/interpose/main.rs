//! Stands between a process and its files: loaded before the C library (`LD_PRELOAD`) into the victims
//! of the fault trials.
//!
//! Only files below the directory `FAULT_ROOT` are concerned. Every operation that changes or syncs one
//! is appended to the file `FAULT_TRACE`, and what the plan `FAULT_PLAN` says goes wrong goes wrong (see
//! `tests::fault::plan`). Operations that change something happen one after the other, so that the order
//! of the trace is the order in which they happened; a sync has a record before and one after it.
//!
//! What the C library would do is done by system calls here. This is the only unsafe code of the
//! workspace, and only tests load it. For Linux on machines of 64 bits.

mod calls;
mod files;
mod watch;
