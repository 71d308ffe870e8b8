//! The functions of the C library that change or sync files.
//!
//! `open` and `openat` have a variable number of arguments in C; taking the mode always is the same on
//! the machines that this is for, and it is only looked at when a file is made.

use crate::files::{named, open_file, stat_of};
use crate::watch::{Watch, change, change_growing, error_of, fail, kill, wait, watch};
use libc::{
    AT_FDCWD, c_char, c_int, c_long, c_uint, c_void, iovec, mode_t, off_t, size_t, ssize_t,
};
use tests::fault::plan::{Action, Class};
use tests::fault::trace::Operation;

/// Defines functions of the C library.
macro_rules! calls {
    ($($(#[$meta:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty $body:block)*) => {$(
        $(#[$meta])*
        /// # Safety
        /// As the function of this name in the C library.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> $answer $body
    )*};
}

unsafe fn do_open(directory: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the caller's arguments, as they are.
    let call = || unsafe { libc::syscall(libc::SYS_openat, directory, name, flags, mode) };
    let changes =
        flags & (libc::O_CREAT | libc::O_TRUNC) != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
    // SAFETY: the caller gives a C string.
    let watched = watch().filter(|_| changes).and_then(|watch| {
        let path = unsafe { named(&watch.root, directory, name) };
        path.map(|path| (watch, path))
    });
    let Some((watch, path)) = watched else {
        return call() as c_int;
    };
    // SAFETY: as above.
    let before = unsafe { stat_of(directory, name) };
    let inode_of = |file: c_long| {
        let file = open_file(&watch.root, file as c_int);
        file.map_or(0, |file| file.stat.st_ino)
    };
    let what = format!("open with flags {flags:o}");
    let file = match before {
        _ if flags & libc::O_TMPFILE == libc::O_TMPFILE => {
            change(watch, Class::Create, &path, call, |_| Operation::Unknown {
                what,
            })
        }
        None => change(watch, Class::Create, &path, call, |file| {
            Operation::Create {
                inode: inode_of(file),
                path: path.clone(),
            }
        }),
        Some(_) if flags & libc::O_TRUNC != 0 => {
            change(watch, Class::Resize, &path, call, |file| {
                Operation::Resize {
                    inode: inode_of(file),
                    length: 0,
                }
            })
        }
        Some(_) => call(),
    };
    file as c_int
}

/// Where a write begins: `None` for wherever the file is.
type At = Option<off_t>;

unsafe fn raw_write(file: c_int, bytes: *const c_void, length: size_t, at: At) -> ssize_t {
    // SAFETY: the caller's arguments, as they are.
    let written = unsafe {
        match at {
            None => libc::syscall(libc::SYS_write, file, bytes, length),
            Some(at) => libc::syscall(libc::SYS_pwrite64, file, bytes, length, at),
        }
    };
    written as ssize_t
}

unsafe fn do_write(file: c_int, bytes: *const c_void, length: size_t, at: At) -> ssize_t {
    let watched = watch().and_then(|watch| Some((watch, open_file(&watch.root, file)?)));
    let Some((watch, target)) = watched else {
        // SAFETY: the caller's arguments, as they are.
        return unsafe { raw_write(file, bytes, length, at) };
    };
    let mut state = watch.state();
    // SAFETY: plain questions about an open file.
    let (flags, place) = unsafe {
        (
            libc::fcntl(file, libc::F_GETFL),
            libc::lseek(file, 0, libc::SEEK_CUR),
        )
    };
    let begin = match at {
        _ if flags & libc::O_APPEND != 0 => target.stat.st_size,
        None => place,
        Some(at) => at,
    };
    let end = begin as u64 + length as u64;
    let growth = end.saturating_sub(target.stat.st_size as u64);
    let action = state.decide(Class::Write, &target.path, growth);
    if let Some(error) = error_of(action) {
        return fail(error) as ssize_t;
    }
    let length = match action {
        Some(Action::Short | Action::KillHalfway) if length > 1 => length / 2,
        _ => length,
    };
    // SAFETY: no more than what the caller gave.
    let written = unsafe { raw_write(file, bytes, length, at) };
    if let Ok(count @ 1..) = usize::try_from(written) {
        // SAFETY: so much was just read from there.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) }.to_vec();
        let inode = target.stat.st_ino;
        let offset = begin as u64;
        state.note(&Operation::Write {
            inode,
            offset,
            bytes,
        });
    }
    if matches!(action, Some(Action::KillAfter | Action::KillHalfway)) {
        kill();
    }
    written
}

unsafe fn do_write_parts(file: c_int, parts: *const iovec, count: c_int, at: At) -> ssize_t {
    let mut bytes: Vec<u8> = Vec::new();
    for number in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller gives `count` parts, each as long as it says.
        unsafe {
            let part = &*parts.add(number);
            bytes.extend_from_slice(std::slice::from_raw_parts(
                part.iov_base.cast(),
                part.iov_len,
            ));
        }
    }
    // SAFETY: the bytes are there.
    unsafe { do_write(file, bytes.as_ptr().cast(), bytes.len(), at) }
}

fn do_sync(file: c_int, number: c_long) -> c_int {
    // SAFETY: a plain system call.
    let call = || unsafe { libc::syscall(number, file) as c_int };
    let watched = watch().and_then(|watch| Some((watch, open_file(&watch.root, file)?)));
    let Some((watch, target)) = watched else {
        return call();
    };
    let class = match target.stat.st_mode & libc::S_IFMT {
        libc::S_IFDIR => Class::SyncDirectory,
        _ => Class::Sync,
    };
    let inode = target.stat.st_ino;
    let mut state = watch.state();
    let action = state.decide(class, &target.path, 0);
    if action == Some(Action::Lost) {
        state.note(&Operation::SyncLost { inode });
        return fail(libc::EIO) as c_int;
    }
    if let Some(error) = error_of(action) {
        return fail(error) as c_int;
    }
    let number = state.next_sync();
    state.note(&Operation::SyncBegins { inode, number });
    drop(state);
    if action == Some(Action::Slow) {
        wait();
    }
    let answer = call();
    let state = watch.state();
    if answer == 0 {
        state.note(&Operation::SyncEnds { number });
    }
    if action == Some(Action::KillAfter) {
        kill();
    }
    answer
}

fn do_resize(file: c_int, length: off_t) -> c_int {
    // SAFETY: a plain system call.
    let call = || unsafe { libc::syscall(libc::SYS_ftruncate, file, length) };
    let watched = watch().and_then(|watch| Some((watch, open_file(&watch.root, file)?)));
    let Some((watch, target)) = watched else {
        return call() as c_int;
    };
    let inode = target.stat.st_ino;
    let length = length as u64;
    change(watch, Class::Resize, &target.path, call, |_| {
        Operation::Resize { inode, length }
    }) as c_int
}

fn do_allocate(file: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int {
    // SAFETY: a plain system call.
    let call = || unsafe { libc::syscall(libc::SYS_fallocate, file, mode, offset, length) };
    let watched = watch().and_then(|watch| Some((watch, open_file(&watch.root, file)?)));
    let Some((watch, target)) = watched else {
        return call() as c_int;
    };
    let inode = target.stat.st_ino;
    let (before, end) = (target.stat.st_size as u64, (offset + length) as u64);
    let growth = end.saturating_sub(before);
    let operation = |_| match mode {
        0 => Operation::Resize {
            inode,
            length: before.max(end),
        },
        _ => Operation::Unknown {
            what: format!("fallocate with mode {mode}"),
        },
    };
    change_growing(watch, Class::Resize, &target.path, growth, call, operation) as c_int
}

unsafe fn do_rename(
    from: (c_int, *const c_char),
    to: (c_int, *const c_char),
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's arguments, as they are.
    let call = || unsafe { libc::syscall(libc::SYS_renameat2, from.0, from.1, to.0, to.1, flags) };
    // SAFETY: the caller gives C strings.
    let path =
        |watch: &Watch, name: (c_int, *const c_char)| unsafe { named(&watch.root, name.0, name.1) };
    match watch().map(|watch| (watch, path(watch, from), path(watch, to))) {
        Some((watch, Some(from), Some(to))) => {
            let class = Class::Rename;
            let about = to.clone();
            let operation = |_| match flags & libc::RENAME_EXCHANGE {
                0 => Operation::Rename { from, to },
                _ => Operation::Unknown {
                    what: "an exchange of names".to_owned(),
                },
            };
            change(watch, class, &about, call, operation) as c_int
        }
        Some((watch, Some(path), None) | (watch, None, Some(path))) => {
            let what = "a name that comes or goes".to_owned();
            change(watch, Class::Rename, &path, call, |_| Operation::Unknown {
                what,
            }) as c_int
        }
        _ => call() as c_int,
    }
}

unsafe fn do_remove(directory: c_int, name: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's arguments, as they are.
    let call = || unsafe { libc::syscall(libc::SYS_unlinkat, directory, name, flags) };
    // SAFETY: the caller gives a C string.
    let path =
        watch().and_then(|watch| Some((watch, unsafe { named(&watch.root, directory, name) }?)));
    match path {
        None => call() as c_int,
        Some((watch, path)) => {
            let about = path.clone();
            change(watch, Class::Remove, &about, call, |_| Operation::Remove {
                path,
            }) as c_int
        }
    }
}

unsafe fn do_make_directory(directory: c_int, name: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: the caller's arguments, as they are.
    let call = || unsafe { libc::syscall(libc::SYS_mkdirat, directory, name, mode) };
    // SAFETY: the caller gives a C string.
    let path =
        watch().and_then(|watch| Some((watch, unsafe { named(&watch.root, directory, name) }?)));
    match path {
        None => call() as c_int,
        Some((watch, path)) => {
            let about = path.clone();
            let operation = |_| {
                // SAFETY: as above.
                let stat = unsafe { stat_of(directory, name) };
                let inode = stat.map_or(0, |stat| stat.st_ino);
                Operation::MakeDirectory { inode, path }
            };
            change(watch, Class::MakeDirectory, &about, call, operation) as c_int
        }
    }
}

unsafe fn do_link(
    from: (c_int, *const c_char),
    to: (c_int, *const c_char),
    call: impl FnOnce() -> c_long,
) -> c_int {
    // SAFETY: the caller gives C strings.
    let watched = watch().filter(|watch| unsafe {
        named(&watch.root, from.0, from.1).is_some() || named(&watch.root, to.0, to.1).is_some()
    });
    match watched {
        None => call() as c_int,
        Some(watch) => {
            let what = "a link".to_owned();
            change(watch, Class::Create, "", call, |_| Operation::Unknown {
                what,
            }) as c_int
        }
    }
}

unsafe fn do_map(
    address: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: off_t,
) -> *mut c_void {
    let writes = protection & libc::PROT_WRITE != 0 && flags & libc::MAP_PRIVATE == 0;
    if writes && file >= 0 {
        let watched = watch().and_then(|watch| Some((watch, open_file(&watch.root, file)?)));
        if let Some((watch, target)) = watched {
            let what = format!("a map of {}", target.path);
            watch.state().note(&Operation::Unknown { what });
        }
    }
    // SAFETY: the caller's arguments, as they are.
    unsafe {
        libc::syscall(
            libc::SYS_mmap,
            address,
            length,
            protection,
            flags,
            file,
            offset,
        ) as *mut c_void
    }
}

/// Copies within the kernel are refused for watched files, so that whoever copies falls back to
/// reading and writing.
fn copies_allowed(to: c_int) -> bool {
    watch().is_none_or(|watch| open_file(&watch.root, to).is_none())
}

calls! {
    fn open(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        unsafe { do_open(AT_FDCWD, name, flags, mode) }
    }
    fn open64(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        unsafe { do_open(AT_FDCWD, name, flags, mode) }
    }
    fn openat(directory: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        unsafe { do_open(directory, name, flags, mode) }
    }
    fn openat64(directory: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        unsafe { do_open(directory, name, flags, mode) }
    }
    fn creat(name: *const c_char, mode: mode_t) -> c_int {
        unsafe { do_open(AT_FDCWD, name, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode) }
    }
    fn creat64(name: *const c_char, mode: mode_t) -> c_int {
        unsafe { do_open(AT_FDCWD, name, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode) }
    }
    fn write(file: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
        unsafe { do_write(file, bytes, length, None) }
    }
    fn pwrite(file: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
        unsafe { do_write(file, bytes, length, Some(at)) }
    }
    fn pwrite64(file: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
        unsafe { do_write(file, bytes, length, Some(at)) }
    }
    fn writev(file: c_int, parts: *const iovec, count: c_int) -> ssize_t {
        unsafe { do_write_parts(file, parts, count, None) }
    }
    fn pwritev(file: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
        unsafe { do_write_parts(file, parts, count, Some(at)) }
    }
    fn pwritev64(file: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
        unsafe { do_write_parts(file, parts, count, Some(at)) }
    }
    fn pwritev2(file: c_int, parts: *const iovec, count: c_int, at: off_t, _flags: c_int) -> ssize_t {
        unsafe { do_write_parts(file, parts, count, (at >= 0).then_some(at)) }
    }
    fn fsync(file: c_int) -> c_int {
        do_sync(file, libc::SYS_fsync)
    }
    fn fdatasync(file: c_int) -> c_int {
        do_sync(file, libc::SYS_fdatasync)
    }
    fn ftruncate(file: c_int, length: off_t) -> c_int {
        do_resize(file, length)
    }
    fn ftruncate64(file: c_int, length: off_t) -> c_int {
        do_resize(file, length)
    }
    fn fallocate(file: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int {
        do_allocate(file, mode, offset, length)
    }
    fn fallocate64(file: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int {
        do_allocate(file, mode, offset, length)
    }
    fn posix_fallocate(file: c_int, offset: off_t, length: off_t) -> c_int {
        match do_allocate(file, 0, offset, length) {
            0 => 0,
            _ => unsafe { *libc::__errno_location() },
        }
    }
    fn posix_fallocate64(file: c_int, offset: off_t, length: off_t) -> c_int {
        match do_allocate(file, 0, offset, length) {
            0 => 0,
            _ => unsafe { *libc::__errno_location() },
        }
    }
    fn rename(from: *const c_char, to: *const c_char) -> c_int {
        unsafe { do_rename((AT_FDCWD, from), (AT_FDCWD, to), 0) }
    }
    fn renameat(directory: c_int, from: *const c_char, other: c_int, to: *const c_char) -> c_int {
        unsafe { do_rename((directory, from), (other, to), 0) }
    }
    fn renameat2(directory: c_int, from: *const c_char, other: c_int, to: *const c_char, flags: c_uint) -> c_int {
        unsafe { do_rename((directory, from), (other, to), flags) }
    }
    fn unlink(name: *const c_char) -> c_int {
        unsafe { do_remove(AT_FDCWD, name, 0) }
    }
    fn unlinkat(directory: c_int, name: *const c_char, flags: c_int) -> c_int {
        unsafe { do_remove(directory, name, flags) }
    }
    fn rmdir(name: *const c_char) -> c_int {
        unsafe { do_remove(AT_FDCWD, name, libc::AT_REMOVEDIR) }
    }
    fn mkdir(name: *const c_char, mode: mode_t) -> c_int {
        unsafe { do_make_directory(AT_FDCWD, name, mode) }
    }
    fn mkdirat(directory: c_int, name: *const c_char, mode: mode_t) -> c_int {
        unsafe { do_make_directory(directory, name, mode) }
    }
    fn link(from: *const c_char, to: *const c_char) -> c_int {
        unsafe {
            do_link((AT_FDCWD, from), (AT_FDCWD, to), || {
                libc::syscall(libc::SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)
            })
        }
    }
    fn linkat(directory: c_int, from: *const c_char, other: c_int, to: *const c_char, flags: c_int) -> c_int {
        unsafe {
            do_link((directory, from), (other, to), || {
                libc::syscall(libc::SYS_linkat, directory, from, other, to, flags)
            })
        }
    }
    fn symlink(target: *const c_char, name: *const c_char) -> c_int {
        unsafe {
            do_link((AT_FDCWD, name), (AT_FDCWD, name), || {
                libc::syscall(libc::SYS_symlinkat, target, AT_FDCWD, name)
            })
        }
    }
    fn mmap(address: *mut c_void, length: size_t, protection: c_int, flags: c_int, file: c_int, offset: off_t) -> *mut c_void {
        unsafe { do_map(address, length, protection, flags, file, offset) }
    }
    fn mmap64(address: *mut c_void, length: size_t, protection: c_int, flags: c_int, file: c_int, offset: off_t) -> *mut c_void {
        unsafe { do_map(address, length, protection, flags, file, offset) }
    }
    fn copy_file_range(from: c_int, at: *mut off_t, to: c_int, to_at: *mut off_t, length: size_t, flags: c_uint) -> ssize_t {
        if !copies_allowed(to) {
            return fail(libc::ENOSYS) as ssize_t;
        }
        unsafe { libc::syscall(libc::SYS_copy_file_range, from, at, to, to_at, length, flags) as ssize_t }
    }
    /// Ends the process between two operations, not within one.
    fn exit(status: c_int) -> () {
        let _state = watch().map(Watch::state);
        unsafe { libc::syscall(libc::SYS_exit_group, status) };
    }
    fn sendfile(to: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t {
        if !copies_allowed(to) {
            return fail(libc::ENOSYS) as ssize_t;
        }
        unsafe { libc::syscall(libc::SYS_sendfile, to, from, at, length) as ssize_t }
    }
    fn sendfile64(to: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t {
        if !copies_allowed(to) {
            return fail(libc::ENOSYS) as ssize_t;
        }
        unsafe { libc::syscall(libc::SYS_sendfile, to, from, at, length) as ssize_t }
    }
}
