//! One image of all layers of an image: the root file system that a container would have.
//!
//! The first pass over the layers, from the lowest to the highest, reads names and metadata. Then it is known which
//! files remain, and the second pass writes their contents. Each pass verifies each layer that it reads.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use super::contents::{Contents, Number};
use super::error::{EntryError, Error};
use super::image;
use super::layer_file::LayerFile;
use super::merge::merge;
use super::mount_point::MountPoint;
use super::name;
use super::tree::{Id, Kind, Tree};
use super::unpack::{self, room};
use crate::archive::layer_pass::Plain;
use crate::class::Class;
use crate::compression::Limit;
use crate::oci::digest::Digest;

/// An image of several layers to write.
#[derive(Clone, Copy, Debug)]
pub struct Rootfs<'a> {
    /// The layers, the lowest first.
    pub layers: &'a [LayerFile],
    /// How large each layer may become when it is decompressed.
    pub limit: Limit,
    /// Directories and files that are added if they are missing.
    pub mount_points: &'a [MountPoint],
    /// Paths of regular files whose contents are returned, if they have at most 1 MiB.
    pub keep: &'a [&'a str],
}

/// What became of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenRootfs {
    /// The size of the file system image in bytes.
    pub size: u64,
    /// The contents of the files that were to be kept, by their paths, as far as the image has them.
    pub kept: BTreeMap<String, Vec<u8>>,
}

/// A layer and what the first pass knows of it.
struct Planned<'a> {
    file: &'a LayerFile,
    /// The number of its first entry, and that of the first entry of the next layer.
    numbers: std::ops::Range<Number>,
}

impl Rootfs<'_> {
    /// Writes the EROFS image to `image`, which is empty and can be written at any offset. A temporary file without a
    /// name in `directory` holds the ends of files. The UUID is made from the chain ID of the layers.
    ///
    /// On an error the content of `image` means nothing.
    pub fn write(&self, image: &File, directory: &Path) -> Result<WrittenRootfs, RootfsError> {
        let (mut tree, planned) = self.plan()?;
        let first = planned.last().map_or(0, |layer| layer.numbers.end);
        for (number, point) in (first..).zip(self.mount_points) {
            point
                .add(&mut tree, number)
                .map_err(|source| RootfsError::MountPoint {
                    path: point.to_string(),
                    source,
                })?;
        }
        let rooms = rooms(&tree);
        let kept = self.kept(&tree);
        let sizes = self.layers.iter().map(|layer| layer.descriptor.size);
        let holes = sizes.fold(0u64, |sum, size| {
            sum.saturating_add(self.limit.for_layer(size))
        });
        let mut contents = Contents::new(image, directory, holes);
        contents.keep(kept.values().copied());
        for layer in planned {
            // A layer of which nothing remains is not read again.
            if !rooms.keys().any(|number| layer.numbers.contains(number)) {
                continue;
            }
            let fill = |plain| {
                let plain = unpack::fill(plain, layer.numbers.start, &rooms, &mut contents)?;
                Ok((plain, ()))
            };
            self.pass(layer.file, fill)?;
        }
        let mut bytes = contents.take_kept();
        let kept = kept.into_iter();
        let kept = kept.map(|(path, number)| (path, bytes.remove(&number).unwrap_or_default()));
        let kept = kept.collect();
        let size = image::finish(&tree, contents, &self.chain_id()).map_err(RootfsError::Image)?;
        Ok(WrittenRootfs { size, kept })
    }

    /// The first pass.
    fn plan(&self) -> Result<(Tree, Vec<Planned<'_>>), RootfsError> {
        let mut tree = Tree::new();
        let mut planned: Vec<Planned<'_>> = Vec::new();
        let mut first = 0;
        for file in self.layers {
            let (layer, next) = self.pass(file, |plain| unpack::plan(plain, first, &tree))?;
            merge(&mut tree, layer).map_err(|source| RootfsError::Merge {
                layer: Box::new(file.descriptor.digest),
                source,
            })?;
            planned.push(Planned {
                file,
                numbers: first..next,
            });
            first = next;
        }
        Ok((tree, planned))
    }

    fn pass<T: Send>(
        &self,
        file: &LayerFile,
        work: impl FnOnce(Plain) -> Result<(Plain, T), Error> + Send,
    ) -> Result<T, RootfsError> {
        let failed = |source| RootfsError::Layer {
            layer: Box::new(file.descriptor.digest),
            source: Box::new(source),
        };
        let (_, result) = file.source(self.limit).pass(work).map_err(failed)?;
        Ok(result)
    }

    /// The numbers of the contents to keep.
    fn kept(&self, tree: &Tree) -> BTreeMap<String, Number> {
        let number = |path: &str| {
            let path = name::Path::parse(path.as_bytes()).ok()?;
            let (parents, name) = path.split()?;
            let id = tree.find(parents, name).ok()??;
            content_of(tree, id)
        };
        let numbers = self.keep.iter();
        numbers
            .filter_map(|path| Some(((*path).to_owned(), number(path)?)))
            .collect()
    }

    /// The chain ID of all layers. Without a layer, the digest of nothing.
    ///
    /// Source: OCI image specification, `config.md`, section "Layer `ChainID`".
    fn chain_id(&self) -> Digest {
        let diff_ids = self.layers.iter().map(|layer| *layer.diff_id.digest());
        let chain =
            |lower: Digest, upper: Digest| Digest::of(format!("{lower} {upper}").as_bytes());
        diff_ids.reduce(chain).unwrap_or_else(|| Digest::of(b""))
    }
}

fn content_of(tree: &Tree, id: Id) -> Option<Number> {
    match tree.node(id)?.kind {
        Kind::Regular(number) => Some(number),
        _ => None,
    }
}

/// The contents of the files and symbolic links that remain, with the number of bytes that fit behind each inode.
fn rooms(tree: &Tree) -> HashMap<Number, usize> {
    let nodes = tree.nodes().filter_map(|(_, node)| match node.kind {
        Kind::Regular(number)
        | Kind::SymbolicLink {
            content: number, ..
        } => Some((number, room(node))),
        _ => None,
    });
    nodes.collect()
}

/// An image of several layers that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    /// A layer cannot be read, or is not what the image names.
    #[error("cannot use the layer {layer}")]
    Layer {
        /// The digest of the layer.
        layer: Box<Digest>,
        /// The cause.
        #[source]
        source: Box<Error>,
    },
    /// A layer cannot be put above the lower ones.
    #[error("cannot apply the layer {layer}")]
    Merge {
        /// The digest of the layer.
        layer: Box<Digest>,
        /// The cause.
        #[source]
        source: EntryError,
    },
    /// A mount point cannot be part of the image.
    #[error("cannot add the mount point `{path}`")]
    MountPoint {
        /// The path of the mount point.
        path: String,
        /// The cause.
        #[source]
        source: EntryError,
    },
    /// The image cannot be written.
    #[error(transparent)]
    Image(Error),
}

impl RootfsError {
    /// The class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layer { source, .. } => source.class(),
            Self::Merge { source, .. } | Self::MountPoint { source, .. } => source.class(),
            Self::Image(error) => error.class(),
        }
    }
}
