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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn nix_files(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                nix_files(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "nix") {
                files.push(path);
            }
        }
    }

    #[test]
    fn the_nix_functions_are_laid_out_as_nixfmt_would() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = vec![root.join("tests/nix/eval.nix")];
        nix_files(&root.join("nix"), &mut files);
        assert!(files.len() > 5, "{files:?}");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(
                nixfmt_rs::format(&text).unwrap(),
                text,
                "{}",
                file.display()
            );
        }
    }
}
