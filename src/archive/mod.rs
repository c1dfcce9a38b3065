//! Archives and layouts: the formats in which images are files. The module does not use the network. The same parts
//! always give the same bytes.

pub mod blob_file;
pub mod composition;
pub mod docker_archive;
pub mod docker_manifest;
pub mod docker_save;
#[cfg(test)]
pub(crate) mod fixture;
pub mod header;
pub mod identities;
pub mod names;
pub mod oci_layout;
pub mod placed;
pub mod plain_layer;
pub mod stored_image;
