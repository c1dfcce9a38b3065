# What the modules take from nixpkgs. Nothing is built.
{ lib }:
let
  package = name: {
    type = "derivation";
    inherit name;
    outPath = "/packages/${name}";
  };
  format = _: {
    type = lib.types.attrsOf lib.types.anything;
    generate = name: value: file name (builtins.toJSON value);
  };
  file =
    name: text:
    derivation {
      inherit name text;
      system = builtins.currentSystem;
      builder = "/bin/sh";
    };
in
{
  skopeo.policy = "/packages/skopeo";
  stdenv = {
    hostPlatform = {
      system = builtins.currentSystem;
      isLinux = true;
      isDarwin = false;
    };
    # home-manager reads the units that podman makes of its quadlets.
    mkDerivation = arguments: arguments // { outPath = toString ./quadlet; };
  };
  formats = {
    ini = format;
    toml = format;
  };
  writeText = file;
  writeTextFile = { name, text, ... }: file name text;
  writeShellScript = file;
}
// lib.genAttrs [
  "coreutils"
  "emptyDirectory"
  "nftables"
  "podman"
  "systemd"
] package
