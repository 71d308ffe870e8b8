//! What is watched, and what becomes of an operation.

use libc::{c_int, c_long};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tests::fault::plan::{Action, Class, Plan};
use tests::fault::trace::Operation;

/// How much longer a slow sync takes.
const SLOW_SYNC_MS: i64 = 3;

/// What the environment says.
pub struct Watch {
    /// The directory that is watched.
    pub root: String,
    state: Mutex<State>,
}

/// Held while an operation happens and is written down.
pub struct State {
    plan: Plan,
    /// The trace; negative if there is none.
    trace: c_int,
    syncs: u64,
}

/// What is watched in this process; `None` if nothing is.
pub fn watch() -> Option<&'static Watch> {
    static WATCH: OnceLock<Option<Watch>> = OnceLock::new();
    WATCH.get_or_init(start).as_ref()
}

fn start() -> Option<Watch> {
    let root = std::env::var("FAULT_ROOT").ok()?;
    let plan = std::env::var("FAULT_PLAN").unwrap_or_default();
    let Some(plan) = Plan::parse(&plan) else {
        kill();
    };
    let trace = std::env::var("FAULT_TRACE").map_or(-1, |path| {
        let path = format!("{path}\0");
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
        // SAFETY: the path ends with a zero.
        unsafe {
            libc::syscall(
                libc::SYS_openat,
                libc::AT_FDCWD,
                path.as_ptr(),
                flags,
                0o600,
            ) as c_int
        }
    });
    let syncs = 0;
    let state = State { plan, trace, syncs };
    let name = format!("{root}\0");
    // SAFETY: the name ends with a zero.
    let stat = unsafe { crate::files::stat_of(libc::AT_FDCWD, name.as_ptr().cast()) };
    let inode = stat?.st_ino;
    state.note(&Operation::Root { inode });
    let state = Mutex::new(state);
    Some(Watch { root, state })
}

impl Watch {
    /// Waits until no operation is happening, and lets none happen until the answer is dropped.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What happens to an operation; does not come back if it is a kill before it.
    pub fn decide(&mut self, class: Class, path: &str, growth: u64) -> Option<Action> {
        let action = self.plan.decide(class, path, growth);
        if action == Some(Action::KillBefore) {
            kill();
        }
        action
    }

    /// Adds an operation to the trace.
    pub fn note(&self, operation: &Operation) {
        if self.trace < 0 {
            return;
        }
        let record = operation.encode();
        // SAFETY: the record is as long as is said.
        let written =
            unsafe { libc::syscall(libc::SYS_write, self.trace, record.as_ptr(), record.len()) };
        if written != record.len() as c_long {
            // A trace with a hole would be worse than none.
            kill();
        }
    }

    /// The number of the next sync, and of this process.
    pub fn next_sync(&mut self) -> (u64, u64) {
        self.syncs += 1;
        (self.syncs, u64::from(std::process::id()))
    }
}

/// Does an operation on a name, unless it is to fail, and writes it down.
pub fn change(
    watch: &Watch,
    class: Class,
    path: &str,
    call: impl FnOnce() -> c_long,
    operation: impl FnOnce(c_long) -> Operation,
) -> c_long {
    change_growing(watch, class, path, 0, call, operation)
}

/// [`change`] for what may need space.
pub fn change_growing(
    watch: &Watch,
    class: Class,
    path: &str,
    growth: u64,
    call: impl FnOnce() -> c_long,
    operation: impl FnOnce(c_long) -> Operation,
) -> c_long {
    let mut state = watch.state();
    let action = state.decide(class, path, growth);
    if let Some(error) = error_of(action) {
        return fail(error);
    }
    let answer = call();
    if answer >= 0 {
        state.note(&operation(answer));
    }
    if action == Some(Action::KillAfter) {
        kill();
    }
    answer
}

/// With which error an operation fails.
pub fn error_of(action: Option<Action>) -> Option<c_int> {
    match action {
        Some(Action::Eio) => Some(libc::EIO),
        Some(Action::Enospc) => Some(libc::ENOSPC),
        _ => None,
    }
}

/// What a call answers that failed.
pub fn fail(error: c_int) -> c_long {
    // SAFETY: the address of this thread's `errno` is always valid.
    unsafe { *libc::__errno_location() = error };
    -1
}

/// Ends this process as `kill -9` does.
pub fn kill() -> ! {
    loop {
        // SAFETY: plain system calls.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
            libc::pause();
        }
    }
}

/// Waits as long as a slow sync does.
pub fn wait() {
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: SLOW_SYNC_MS * 1_000_000,
    };
    // SAFETY: the time is valid, and what is left of it is not asked for.
    unsafe { libc::nanosleep(&time, std::ptr::null_mut()) };
}
