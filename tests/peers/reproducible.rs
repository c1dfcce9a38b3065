//! The same source gives the same program wherever it is built. `scripts/build --twice` compares two builds; this is
//! the part that costs nothing.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::machine::nix::{root, static_hocker};

#[test]
fn the_static_program_holds_no_path_of_the_machine_that_built_it() {
    let program = fs::read(static_hocker()).unwrap();
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap()).join(".cargo"),
        PathBuf::from,
    );
    for path in [root().join("src"), cargo_home.join("registry")] {
        let path = path.to_str().unwrap().as_bytes();
        let count = program
            .windows(path.len())
            .filter(|window| *window == path)
            .count();
        assert_eq!(count, 0, "{}", path.escape_ascii());
    }
}
