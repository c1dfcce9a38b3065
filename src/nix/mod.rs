//! The Nix side: hashes as Nix writes them, the expressions that `docker2nix` prints, and what the program
//! does when Nix starts it as a builder.
//!
//! Nothing here touches the network: [`builder`] says what is to be fetched, and the command line fetches it.

pub mod builder;
pub mod expression;
pub mod hash_text;
pub mod image;
pub mod progress;
mod render;
pub mod store_file;
