# An overlay for a nixpkgs that is a subset or old: what this project mentions and that nixpkgs lacks becomes a derivation
# that cannot be built. `standIns` lists these names, so that what depends on them is not counted as tested.
final: prev:
let
  inherit (prev) lib;

  # Packages of the shell and of the tests, and what the package needs.
  mentioned = [
    "cargo-nextest"
    "clippy"
    "dockerTools"
    "hello"
    "installShellFiles"
    "mkShell"
    "nix-update-script"
    "nixfmt-tree"
    "openssl"
    "pkg-config"
    "qemu"
    "rustfmt"
    "shellcheck"
    "skopeo"
    "versionCheckHook"
    "zstd"
  ];
  missing = lib.filter (name: !(prev ? ${name})) mentioned;

  standIn = prev.runCommand "not-in-this-nixpkgs" { } "exit 1";
  special = {
    dockerTools.buildImage = _: standIn;
    mkShell = _: standIn;
    nix-update-script = { }: [ ];
    # Only its name is needed, to run programs of another platform.
    qemu.override = _: standIn;
  };

  # Before 24.11, `fetchFromGitHub` takes no tag, and before 25.05, `buildRustPackage` no function of the final attributes.
  takesTags = lib.versionAtLeast lib.version "24.11pre";
  takesFunctions = lib.versionAtLeast lib.version "25.05pre";
  # In subsets of 2024, splicing needs the library of a compiler that does not exist yet.
  isCross = prev.stdenv.hostPlatform != prev.stdenv.buildPlatform;
  crossRecurses = lib.versionOlder lib.version "24.11";
  hasMachines = lib.pathExists (prev.path + "/nixos/lib/default.nix");
in
lib.genAttrs missing (name: special.${name} or standIn)
// lib.optionalAttrs (!takesFunctions) {
  rustPlatform = prev.rustPlatform // {
    buildRustPackage =
      given:
      let
        attributes = lib.toFunction given (attributes // { finalPackage = package; });
        package = prev.rustPlatform.buildRustPackage attributes;
      in
      package;
  };
}
// lib.optionalAttrs (!takesTags) {
  fetchFromGitHub =
    given:
    prev.fetchFromGitHub (
      removeAttrs given [ "tag" ] // lib.optionalAttrs (given ? tag) { rev = "refs/tags/${given.tag}"; }
    );
}
// lib.optionalAttrs (crossRecurses && isCross) { libgcc = null; }
// lib.optionalAttrs (!hasMachines) {
  testers = prev.testers // {
    runNixOSTest = _: standIn;
  };
}
// {
  standIns =
    missing
    ++ lib.optional (!takesTags) "fetchFromGitHub with a tag"
    ++ lib.optional (!takesFunctions) "rustPlatform.buildRustPackage of a function"
    ++ lib.optional crossRecurses "libgcc of pkgsCross"
    ++ lib.optional (!hasMachines) "testers.runNixOSTest";
}
