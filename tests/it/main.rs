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
mod bots; // the workflow files in examples/bots
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
mod diff; // hocker diff: two images compared, and hostile ones
mod docker2nix; // hocker docker2nix: expressions, and hostile names in them
mod erofs; // hocker erofs: the files of a layer in its image, and refused layers
mod image; // hocker image: archives and layouts
mod layer; // hocker layer
mod load; // hocker load and prune, with a daemon whose rare failures are scripted
mod lock; // hocker lock: its requests, its output, and damaged lock files
mod login_check; // hocker login-check: the reasons for a denial
mod manifest; // hocker manifest: exact bytes, indexes, platforms
mod mount; // hocker mount: references in place of paths
mod serve; // hocker serve: responses to clients, and hostile requests

// What holds for all commands.
mod auth; // challenges and the ways to give credentials
mod bad_input; // exit codes, and nothing left behind
mod behind; // names that redirect to another registry
mod classes; // the same fault has one exit code, wherever it is found
mod classic; // classic names and classic command lines
mod credentials; // the places and the order of the search, and that no output contains a secret
mod documents; // documents of other programs: ambiguous ones are refused, unusual ones are accepted
mod faults; // failures of networks and servers, one test each
mod help; // the help of every command, word by word
mod manual; // manual pages know every environment variable, and each other
mod mirrors; // they are tried first, and what they send is verified
mod parsers; // documents and names that are almost right
mod plain_http; // which servers get credentials over http
mod printed; // texts of servers and files are escaped wherever they are printed
mod proxies; // they are used as the environment says, and get no secret
mod redirects; // credentials do not follow a redirect to another server
mod reports; // the form of errors and progress
mod signatures; // signatures of images: forms of proofs, and that no changed proof is accepted
mod vectors; // texts that the program and the Nix functions parse alike
