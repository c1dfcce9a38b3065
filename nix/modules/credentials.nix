/**
  Credentials for builds that fetch from private registries. A build can read a file only if Nix's sandbox contains it,
  and then every build can. The files must never become part of the store, which every user can read.

  The sandbox contains the file at a path where hocker looks by default, because root builds without the Nix daemon and
  its environment. The daemon's environment also names the file, for builds without a sandbox. So the sandbox contains the
  file at its own path, too.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  inherit (cfg.credentials) authFile classicFile;

  file =
    example: description:
    mkOption {
      type = types.nullOr types.path;
      default = null;
      # `toString` keeps a path without quotes from being copied into the store.
      apply = path: if path == null then null else toString path;
      inherit example description;
    };

  # The user ID of a builder inside the sandbox.
  # Source: Nix, sandboxUid in src/libstore/build/local-derivation-goal.cc.
  sandboxUser = "1000";

  # With `?`, a file that does not exist is left out, and does not stop other builds. hocker reports the missing file.
  shown = file: places: lib.optionals (file != null) (map (place: "${place}=${file}?") places);

  assertionsOf = option: path: [
    {
      assertion = !lib.hasPrefix "${builtins.storeDir}/" path;
      message = "services.hocker.credentials.${option}: ${path} is in the store, which every user can read. Name a file outside of the store, as a string; sops-nix and agenix create such files.";
    }
    {
      assertion = builtins.match "[^[:space:]=?]+" path != null;
      message = "services.hocker.credentials.${option}: `${path}` contains a space, `=` or `?`, which have another meaning in Nix's `sandbox-paths`. Rename the file.";
    }
  ];
in
{
  options.services.hocker.credentials = {
    authFile = file "/run/secrets/registries.json" ''
      A file with credentials for registries, as `docker login`, `podman login` and `skopeo login` write it, for builds
      with {option}`services.hocker.functions`. It must contain the credentials themselves, because a build has no
      credential helpers. It must not be in the store, and the group `nixbld` must be able to read it.

      Every build on this machine, of any user, can read the file, copy it into the store or send it elsewhere. If you do
      not trust all users and derivations of the machine, use a read-only token that expires soon, a separate machine
      for builds, or the `impure-env` of newer versions of Nix.
    '';

    classicFile = file "/run/secrets/registry.txt" ''
      A file with the lines `DOCKER_USER=` and `DOCKER_PASS=`, or a line `DOCKER_TOKEN=`. Builds read it as
      {file}`/etc/nix-docker-credentials.txt`. hocker uses these credentials for every registry without credentials in
      {option}`services.hocker.credentials.authFile`.

      Every build on this machine can read this file, too. {option}`services.hocker.credentials.authFile` describes safer
      choices.
    '';
  };

  config = lib.mkIf cfg.enable {
    assertions =
      lib.optionals (authFile != null) (assertionsOf "authFile" authFile)
      ++ lib.optionals (classicFile != null) (assertionsOf "classicFile" classicFile);

    nix.settings.extra-sandbox-paths =
      shown authFile [
        "/run/containers/${sandboxUser}/auth.json"
        authFile
      ]
      ++ shown classicFile [ "/etc/nix-docker-credentials.txt" ];

    systemd.services.nix-daemon = lib.mkIf (authFile != null) {
      environment.REGISTRY_AUTH_FILE = authFile;
    };
  };
}
