//! The modules for NixOS and home-manager, over the real `lib` of nixpkgs: what configurations come to, and what the
//! units' commands do.
//! Without `NIXPKGS_LIB` these tests are skipped, since nixpkgs is not everywhere.

mod assertions; // what must not be declared, and what one is told
mod builds; // credentials reach a build in the sandbox
mod command_line; // the words of a unit's command
mod containers; // oci-containers that run declared images, and those that do not
mod documentation; // options.md, and the configurations in README and docs
mod hardening; // what systemd makes of the units
mod home; // the module for home-manager: units, containers, refusals
mod home_manager; // the same over home-manager itself, where HOME_MANAGER names it
mod load; // the units' commands, against a real daemon
mod lock; // images of a lock file
mod rootless; // the units' commands, against the podman of a user
mod services; // images and pruning
mod settings; // credentials, serving, and a module that is not enabled
mod store; // images that podman runs from the store: units, generations
