//! Holds `hocker_fuzz::properties::proof` against whatever libFuzzer comes up with.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hocker_fuzz::properties::proof(bytes));
