//! The command line, run as a process of its own: what it answers, what it refuses, how it ends, and
//! what it never prints.

mod append;
mod audit;
mod canary;
mod desk;
mod doctor;
mod import;
mod kill;
mod persons;
mod preflight;
mod proofs;
mod read;
mod repair;
mod vaults;
mod views;
