//! Holds `hocker_fuzz::properties::podman_store` against whatever libFuzzer comes up with.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| hocker_fuzz::properties::podman_store(text));
