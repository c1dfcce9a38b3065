/*
  The little of NixOS that the modules of nix/modules touch, over the real `lib` with its real module system:
  options with the names, types and defaults that nixpkgs has (read in its release 25.05 and in its main branch
  after that), and the units that its `oci-containers` makes.

      import ./. { lib = …; } [ module … ]

  is what these modules come to: `config`, `options`, `failures` (the messages of assertions that do not hold),
  `texts` (the text of each service, as systemd reads it) and `units` (those of the services that load, prune and
  serve).
*/
{
  lib,
  package ? null,
  # Releases before 25.05 have no `pull`.
  hasPull ? true,
  # The directory of the scripts of services.
  scripts ? "/etc/scripts",
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

  texts = lib.mapAttrs (_: import ./unit-text.nix { inherit lib scripts; }) config.systemd.services;
in
{
  inherit config options texts;
  failures = map (failed: failed.message) (
    lib.filter (assertion: !assertion.assertion) config.assertions
  );
  units = lib.filterAttrs (name: _: lib.hasPrefix "hocker-" name) texts;
}
