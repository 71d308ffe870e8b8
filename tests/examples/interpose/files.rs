//! Which file a call is about.

use libc::{AT_FDCWD, c_char, c_int, stat};
use std::ffi::CStr;

/// A file below the directory that is watched.
pub struct Watched {
    /// Its path, below that directory.
    pub path: String,
    /// What the operating system says of it.
    pub stat: stat,
}

/// The path below `root` of an absolute path; empty for `root` itself.
fn below(root: &str, path: &[u8]) -> Option<String> {
    let rest = path.strip_prefix(root.as_bytes())?;
    let rest = match rest.split_first() {
        None => rest,
        Some((b'/', rest)) => rest,
        Some(_) => return None,
    };
    Some(String::from_utf8_lossy(rest).into_owned())
}

/// Where an open file is.
fn path_of(file: c_int) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{file}\0");
    let mut path = vec![0_u8; libc::PATH_MAX as usize];
    // SAFETY: the link ends with a zero, and the buffer is as long as is said.
    let length =
        unsafe { libc::readlink(link.as_ptr().cast(), path.as_mut_ptr().cast(), path.len()) };
    path.truncate(usize::try_from(length).ok()?);
    if let Some(removed) = path.strip_suffix(b" (deleted)") {
        path = removed.to_vec();
    }
    Some(path)
}

/// An open file, if it is below `root`.
pub fn open_file(root: &str, file: c_int) -> Option<Watched> {
    let path = below(root, &path_of(file)?)?;
    let mut stat = std::mem::MaybeUninit::<stat>::uninit();
    // SAFETY: the buffer is a `stat`, and it is only read if the call filled it.
    let stat = unsafe {
        match libc::fstat(file, stat.as_mut_ptr()) {
            0 => stat.assume_init(),
            _ => return None,
        }
    };
    Some(Watched { path, stat })
}

/// The path below `root` of a name in a directory.
///
/// # Safety
/// `name` is a C string.
pub unsafe fn named(root: &str, directory: c_int, name: *const c_char) -> Option<String> {
    // SAFETY: the caller says so.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    if name.starts_with(b"/") {
        return below(root, name);
    }
    let mut path = match directory {
        AT_FDCWD => std::env::current_dir()
            .ok()?
            .into_os_string()
            .into_encoded_bytes(),
        _ => path_of(directory)?,
    };
    path.push(b'/');
    path.extend_from_slice(name);
    below(root, &path)
}

/// What the operating system says of a name in a directory, links not followed.
///
/// # Safety
/// `name` is a C string.
pub unsafe fn stat_of(directory: c_int, name: *const c_char) -> Option<stat> {
    let mut stat = std::mem::MaybeUninit::<stat>::uninit();
    // SAFETY: as above, and the buffer is only read if the call filled it.
    unsafe {
        match libc::fstatat(
            directory,
            name,
            stat.as_mut_ptr(),
            libc::AT_SYMLINK_NOFOLLOW,
        ) {
            0 => Some(stat.assume_init()),
            _ => None,
        }
    }
}
