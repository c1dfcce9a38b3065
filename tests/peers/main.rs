//! The second ring of tests: the executable and the Nix functions among real peers on this machine. It needs root
//! and the Debian packages that `scripts/test` installs; what is missing is a failure, not a skip. Only the tests of
//! the NixOS modules are skipped by default, since they need nixpkgs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code, and tests may stop at the first surprise"
)]

#[path = "../support/mod.rs"]
mod support;

// The peers: docker-registry, dockerd, podman, containerd, Nix with its sandbox, skopeo. Each is started by the test that needs it.
mod machine;

mod archives; // archives of other programs, and the names that readers take from ours
mod authentication; // a registry that wants a password
mod bytes; // hocker and skopeo agree on every byte, and dockerd on the image id
mod cache; // images from a binary cache, without the registry
mod diff; // two images that Docker built, compared
mod erofs; // layers as file systems that the kernel mounts
mod evaluation; // what Nix makes of expressions, without building
mod flake; // its outputs, where NIXPKGS_LIB names nixpkgs' lib
mod foreign; // layers that are elsewhere, in the sandbox
mod functions; // the tables of what each Nix function gives and refuses
mod image_archives; // an image as one file of the Nix store
mod load; // hocker load and prune: what is sent, what is there afterwards, and what happens in between
mod lock; // the lock file: fifty images followed, compared, evaluated and built
mod manual; // completions and manual pages, in the programs that read them
mod matrix; // every kind of image, from the registry to each daemon: prints a table
mod memory; // a large layer does not make the process large
mod modules; // the NixOS modules, where NIXPKGS_LIB names nixpkgs' lib
mod mounts; // images as mounted directories, as root file systems and as services of systemd
mod nix_page; // the arguments in docs/nix.md, and what replaces those of pullImage
mod nixpkgs; // what nixpkgs gets: the functions over its lib, the files that are sent, and the script that tests with a checkout
mod pages; // every command in README and docs, word for word
mod pipeline; // registry → docker2nix → sandboxed build → docker load → docker run
mod podman_store; // podman runs images whose layers are mounted, without a load
mod proxies; // through a forward proxy, in the sandbox and outside
mod release; // scripts/release, with a cargo that only records
mod reproducible; // the program says nothing of the machine that built it
mod sandbox; // credentials and trust on their way into Nix's sandbox
mod serving; // dockerd, containerd and skopeo fetch from hocker serve
mod several; // ten builds at once
mod sizes; // a build takes no more than its manifest says
mod store; // sharing, closures, and tags that move or go
mod tls; // servers with which TLS cannot be agreed on
mod transport; // TLS under a private authority, bad lines, redirects and tokens
