/**
  Credentials for builds that fetch from private registries. A build sees files only where Nix's sandbox shows
  them, and they must never become part of the store, which everybody can read. The sandbox shows them to every build.

  The file is shown where hocker looks by itself, because root builds without the daemon, and so without the
  daemon's environment. The daemon's environment names the file as well, for builds without a sandbox; so it is
  also shown under its own name.
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
      # A path without quotes must not be copied into the store.
      apply = path: if path == null then null else toString path;
      inherit example description;
    };

  # The user that a builder is inside the sandbox.
  # Source: Nix, sandboxUid in src/libstore/build/local-derivation-goal.cc.
  sandboxUser = "1000";

  # A file that is not there must not stop every other build: it is left out, and hocker says what it lacks.
  shown = file: places: lib.optionals (file != null) (map (place: "${place}=${file}?") places);

  assertionsOf = option: path: [
    {
      assertion = !lib.hasPrefix "${builtins.storeDir}/" path;
      message = "services.hocker.credentials.${option}: ${path} is in the store, where everybody can read it. Name a file elsewhere, as a string: one that sops-nix, agenix or you yourself put there.";
    }
    {
      assertion = builtins.match "[^[:space:]=?]+" path != null;
      message = "services.hocker.credentials.${option}: `${path}` has a space, `=` or `?` in it, which mean something else in Nix's `sandbox-paths`. Name the file differently.";
    }
  ];
in
{
  options.services.hocker.credentials = {
    authFile = file "/run/secrets/registries.json" ''
      A file with the credentials for registries, as `docker login`, `podman login` and `skopeo login` write it,
      for builds by {option}`services.hocker.functions`. It holds the credentials themselves, since a build has no
      credential helpers; it is not in the store; and the group `nixbld` can read it.

      Every build of this machine can read the file, whoever started it, and can copy it into the store or send it
      away. If you do not trust all users and derivations of the machine, put a token there that expires soon and can
      only read, or build on a machine of its own, or use `impure-env` of newer versions of Nix.
    '';

    classicFile = file "/run/secrets/registry.txt" ''
      A file with the lines `DOCKER_USER=` and `DOCKER_PASS=`, or a line `DOCKER_TOKEN=`, which builds find as
      {file}`/etc/nix-docker-credentials.txt`. These credentials are used for every registry for which
      {option}`services.hocker.credentials.authFile` has none.

      Every build of this machine can read this file too; see {option}`services.hocker.credentials.authFile` for what
      is safer.
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
