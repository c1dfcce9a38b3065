//! What nixpkgs gets from this project.

mod checkout; // scripts/with-nixpkgs, where a checkout lacks nearly everything
mod functions; // the functions over its lib: the same store paths, and results that can be overridden
mod manual; // the section of its manual lists every argument
mod sent; // scripts/to-nixpkgs: what it writes into a checkout
