/*
  The units of a NixOS host for `scripts/nixos-day`: two containers of Docker, whose images a lock file names.

      nix-instantiate --eval --strict --json --argstr … tests/nix/day

  prints `units` (the text of each service), `scripts` (by name), `wantedBy` (the units that each target starts) and
  `failures`. With `--attr images` it is the images, for nix-build.
*/
{
  # The `lib` of nixpkgs.
  lib,
  # The package of hocker.
  hocker,
  lockFile,
  # The directory of the scripts of services on the host.
  scripts,
}:
let
  nixos =
    import ../nixos
      {
        lib = import lib;
        package = hocker;
        inherit scripts;
      }
      [
        ../../../nix/modules
        (
          { config, lib, ... }:
          {
            services.hocker = {
              enable = true;
              inherit lockFile;
              prune.enable = true;
            };
            virtualisation.oci-containers = {
              backend = "docker";
              containers = lib.mapAttrs (name: image: {
                inherit (image.image) image;
                extraOptions = [
                  "--name=${name}"
                  "--network=none"
                ];
              }) config.services.hocker.images;
            };
            # As the module of nixpkgs starts and stops a container.
            systemd.services = lib.mapAttrs' (
              name: _:
              lib.nameValuePair "docker-${name}" {
                serviceConfig = {
                  ExecStartPre = "-/usr/bin/docker rm --force ${name}";
                  ExecStop = "/usr/bin/docker stop --time 1 ${name}";
                  TimeoutStartSec = 0;
                };
              }
            ) config.virtualisation.oci-containers.containers;
          }
        )
      ];
  services = nixos.config.systemd.services;
  isOurs = name: _: name != "docker";
in
{
  inherit (nixos) failures;
  units = (import lib).filterAttrs isOurs nixos.texts;
  scripts = builtins.listToAttrs (
    map (service: {
      name = builtins.hashString "sha256" service.script;
      value = service.script;
    }) (builtins.filter (service: service.script != "") (builtins.attrValues services))
  );
  wantedBy = builtins.mapAttrs (_: service: service.wantedBy) (
    (import lib).filterAttrs isOurs services
  );
  images = map (image: image.image) (builtins.attrValues nixos.config.services.hocker.images);
  ids = builtins.mapAttrs (
    _: image: image.image.imageSpec.config.digest
  ) nixos.config.services.hocker.images;
}
