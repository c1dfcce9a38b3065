//! Archives of whole images, and the tar members they are made of. Nothing here touches the network, and the
//! same input gives the same bytes.

pub mod docker_save;
pub mod header;
