//! Peers on this machine, each started by the test that needs it and gone when it ends.

pub(crate) mod configuration;
pub(crate) mod containerd;
pub(crate) mod counting_socket;
pub(crate) mod cutter;
pub(crate) mod daemon;
pub(crate) mod desk;
pub(crate) mod docker_registry;
pub(crate) mod dockerd;
pub(crate) mod flake;
pub(crate) mod host;
pub(crate) mod internet;
pub(crate) mod microsocks;
pub(crate) mod mount_point;
pub(crate) mod nginx;
pub(crate) mod nix;
pub(crate) mod podman;
pub(crate) mod podman_storage;
pub(crate) mod program;
pub(crate) mod pusher;
pub(crate) mod real_image;
pub(crate) mod rootless;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod tinyproxy;
pub(crate) mod token_server;
