//! The first ring of tests: the executable from outside, against a scripted registry on loopback, and the structure
//! of the sources. Seconds, offline, no privileges.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code, and tests may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;

// The structure of the project.
mod circles; // no file imports one that imports it
mod examples; // the programs in examples/
mod fuzz_lock; // the fuzz targets use the same versions
mod layers; // which module may use which
mod nix_files; // Nix files are laid out as nixfmt lays them out
mod pages; // README and docs: links, and length
mod script; // the scripted registry itself: a script that is not kept fails the test
mod scripts; // what the scripts share
mod security_page; // the tests that docs/security.md names

// The commands.
mod builder; // hocker builder: several places for one blob
mod config; // hocker config
mod docker2nix; // hocker docker2nix: expressions, and what becomes of hostile names
mod image; // hocker image: archives and layouts
mod layer; // hocker layer
mod load; // hocker load and prune, with a daemon that does what real ones do only on a bad day
mod lock; // hocker lock: what is asked for, what is written, and what becomes of files that are not right
mod login_check; // hocker login-check: why somebody is denied
mod manifest; // hocker manifest: exact bytes, indexes, platforms
mod serve; // hocker serve: what clients get, and what becomes of requests that mean harm

// What holds for all commands.
mod auth; // challenges and the ways to give credentials
mod bad_input; // exit codes, and nothing left behind
mod behind; // names that redirect to another registry
mod classes; // the same fault has one exit code, wherever it is found
mod classic; // classic names and classic command lines
mod credentials; // where they are found, in which order, and that nobody hears them
mod documents; // as others write them: refused where they could be read in two ways, taken where they are only odd
mod faults; // everything that can go wrong on the way, one test each
mod help; // the help of every command, word by word
mod manual; // manual pages know every environment variable, and each other
mod mirrors; // asked first, never believed
mod parsers; // documents and names that are almost right
mod plain_http; // who is sent credentials in clear
mod printed; // others' texts, escaped wherever they are printed
mod proxies; // used where the environment says so, and told nothing
mod redirects; // where credentials do not go
mod reports; // how errors and progress are told
mod vectors; // texts that the program and the Nix functions read alike
