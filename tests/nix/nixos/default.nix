/*
  The little of NixOS that the modules of nix/modules touch, over the real `lib` with its real module system:
  options with the names, types and defaults that nixpkgs has (read in its release 25.05 and in its main branch
  after that), and the units that its `oci-containers` makes.

      import ./. { lib = …; } [ module … ]

  is what these modules come to: `config`, `options`, `failures` (the messages of assertions that do not hold)
  and `units` (the text of each service that hocker makes, as systemd reads it).
*/
{
  lib,
  package ? null,
  # Releases before 25.05 have no `pull`.
  hasPull ? true,
  pkgs ? {
    stdenv.hostPlatform.system = builtins.currentSystem;
  }
  // lib.optionalAttrs (package != null) { hocker = package; },
}:
modules:
let
  evaluated = lib.evalModules {
    specialArgs = {
      utils = import ./utils.nix { inherit lib; };
      inherit pkgs;
    };
    modules = [
      ./base.nix
      ./systemd.nix
      ./store.nix
      (import ./containers.nix { inherit hasPull; })
    ]
    ++ modules;
  };
  inherit (evaluated) config options;

  services = lib.filterAttrs (name: _: lib.hasPrefix "hocker-" name) config.systemd.services;
in
{
  inherit config options;
  failures = map (failed: failed.message) (
    lib.filter (assertion: !assertion.assertion) config.assertions
  );
  units = lib.mapAttrs (_: import ./unit-text.nix { inherit lib; }) services;
}
