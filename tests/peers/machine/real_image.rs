//! Images of real files: directory trees of this machine, and a program that runs without any of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::program;
use crate::support::image::{Family, Image, Layer, Packing};

/// What the program of the image prints.
pub(crate) const GREETING: &str = "Hello from the layers of a registry.";

/// What the program of [`next_version`] prints.
pub(crate) const NEXT_GREETING: &str = "Another program.";

/// Trees of some megabytes that every Debian with this ring's packages has.
const TREES: [&str; 2] = ["usr/share/fish/completions", "usr/share/zsh/functions"];

/// Three layers: two of real trees, one of a static program that prints [`GREETING`].
pub(crate) fn real_image() -> Image {
    let mut layers: Vec<Layer> = TREES.map(tree).into();
    layers.push(program_layer(GREETING));
    Image::new(Family::Oci, &["/hello"], layers)
}

/// A [`real_image`] with another program. The other layers are the same.
pub(crate) fn next_version(image: &Image) -> Image {
    let mut layers = image.layers[..2].to_vec();
    layers.push(program_layer(NEXT_GREETING));
    Image::new(Family::Oci, &["/hello"], layers)
}

/// A layer of a directory of this machine.
pub(crate) fn tree(path: &str) -> Layer {
    let mut builder = tar::Builder::new(Vec::new());
    builder.follow_symlinks(false);
    let root = Path::new("/").join(path);
    builder
        .append_dir_all(path, &root)
        .unwrap_or_else(|error| panic!("cannot pack {}: {error}", root.display()));
    let tar = builder.into_inner().unwrap();
    assert!(tar.len() > 1 << 20, "{} is too small", root.display());
    Layer::of_tar(Packing::Gzip, tar)
}

/// A layer of `/hello`, which prints a line.
pub(crate) fn program_layer(line: &str) -> Layer {
    compiled_layer(&format!("fn main() {{ println!({line:?}); }}"))
}

/// A layer of `/hello`, a static program of this source in Rust.
pub(crate) fn compiled_layer(text: &str) -> Layer {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("hello.rs");
    fs::write(&source, text).unwrap();
    let hello = directory.path().join("hello");
    program::run(
        Command::new("rustc")
            .args(["-C", "target-feature=+crt-static", "-C", "strip=symbols"])
            .arg("-o")
            .args([&hello, &source]),
    );
    let program = fs::read(hello).unwrap();
    Layer::of_files(Packing::Gzip, &[("hello", &program)])
}
