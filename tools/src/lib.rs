/// Simulated histories of any size, for benches and for trying things.
pub mod simulate;
