//! Archives and layouts: the formats in which images are files. The module does not use the network. The same parts
//! always give the same bytes.

pub(crate) mod blob_file;
pub mod composition;
pub(crate) mod docker_archive;
pub(crate) mod docker_manifest;
pub mod docker_save;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod header;
pub(crate) mod identities;
pub(crate) mod layer_pass;
pub mod names;
pub mod oci_layout;
pub mod on_disk;
pub(crate) mod placed;
pub mod plain_layer;
pub mod stored_image;
