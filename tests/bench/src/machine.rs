//! Facts about the machine, without which no figure says anything; and what this process has held.

use crate::fault::{About, Outcome};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Cores, memory, kernel, the file system of a directory, and how busy the machine was in the last minute.
pub fn facts(directory: &Path) -> Outcome<Value> {
    let kernel = rustix::system::uname();
    Ok(json!({
        "cores": std::thread::available_parallelism()?.get(),
        "memory_bytes": meminfo("MemTotal")?,
        "kernel": kernel.release().to_string_lossy(),
        "filesystem": filesystem(directory)?,
        "load": load(),
    }))
}

fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// The most memory that this process has ever had resident, in bytes.
pub fn peak_memory_bytes() -> Outcome<u64> {
    kilobytes(Path::new("/proc/self/status"), "VmHWM")
}

/// How much processor time this process has taken so far, in all of its threads. Counted in hundredths of a
/// second; other than the time that passes it says something on a busy machine as well.
pub fn processor_time() -> Outcome<Duration> {
    let path = Path::new("/proc/self/stat");
    let text = fs::read_to_string(path).about(path)?;
    // The name of the program, which comes before, can hold anything.
    let (_, rest) = text.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let mut ticks = 0;
    for field in rest.split_ascii_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 10))
}

fn meminfo(name: &str) -> Outcome<u64> {
    kilobytes(Path::new("/proc/meminfo"), name)
}

/// The value of a line `NAME: NUMBER kB`.
fn kilobytes(path: &Path, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(path).about(path)?;
    let line = (text.lines()).find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let number = number.ok_or_else(|| format!("{}: no {name}", path.display()))?;
    Ok(number * 1024)
}

/// The type of the file system that a directory is on.
fn filesystem(directory: &Path) -> Outcome<String> {
    let directory = fs::canonicalize(directory).about(directory)?;
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, at, kind) = (words.next()?, words.next()?, words.next()?);
        directory.starts_with(at).then_some((at.len(), kind))
    });
    let nearest = mounts.max_by_key(|(length, _)| *length);
    Ok(nearest.map_or("unknown", |(_, kind)| kind).to_owned())
}

/// The bytes that files under a path take on the disk, preallocated ones included.
pub fn disk_bytes(path: &Path) -> Outcome<u64> {
    let meta = fs::symlink_metadata(path).about(path)?;
    let mut bytes = std::os::unix::fs::MetadataExt::blocks(&meta) * 512;
    if meta.is_dir() {
        for entry in fs::read_dir(path).about(path)? {
            bytes += disk_bytes(&entry?.path())?;
        }
    }
    Ok(bytes)
}
