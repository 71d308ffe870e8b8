//! Forensic diff.
