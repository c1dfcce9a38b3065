/**
  The package, for `callPackage`: the program, its classic names, manual pages and completions. In `pkgsStatic`, the
  program is one file without shared libraries.
*/
{
  lib,
  stdenv,
  buildPackages,
  rustPlatform,
  installShellFiles,
  runCommand,
  testers,

  # Whether the program verifies signatures. The builder of derivations does not need this, and is smaller without.
  withSignatures ? true,
}:
let
  manifest = (lib.importTOML ../Cargo.toml).package;
  programs = import ./programs.nix;

  # The program writes its own manual pages, so it must run on the build platform, if necessary in an emulator.
  canRun = stdenv.hostPlatform.emulatorAvailable buildPackages;
  run = "${stdenv.hostPlatform.emulator buildPackages} $out/bin/hocker";
in
rustPlatform.buildRustPackage (finalAttrs: {
  pname = manifest.name + lib.optionalString (!withSignatures) "-builder";
  inherit (manifest) version;

  # Images depend on the package, so only the files of the program are its source.
  src = lib.sourceByRegex ../. [
    "Cargo\\.(lock|toml)"
    "src(/.*)?"
  ];
  cargoLock.lockFile = ../Cargo.lock;

  buildNoDefaultFeatures = true;
  buildFeatures = [ "cli" ] ++ lib.optional withSignatures "signatures";

  nativeBuildInputs = [ installShellFiles ];

  # These are the tests in `src`. `tests.it` runs the others.
  cargoTestFlags = [
    "--lib"
    "--bins"
  ];
  __darwinAllowLocalNetworking = true;

  postInstall = ''
    for name in ${toString (lib.remove "hocker" programs)}; do
      ln -s hocker "$out/bin/$name"
    done
  ''
  + lib.optionalString canRun ''
    ${run} man man1
    ln -s hocker-docker2nix.1 man1/docker2nix.1
    installManPage man1/*
    for name in ${toString programs}; do
      installShellCompletion --cmd "$name" \
        --bash <(${run} completions bash "$name") \
        --fish <(${run} completions fish "$name") \
        --zsh <(${run} completions zsh "$name")
    done
  '';

  passthru = {
    inherit programs;
    tests = import ./tests/package.nix {
      inherit lib runCommand testers;
      hocker = finalAttrs.finalPackage;
    };
  };

  meta = {
    inherit (manifest) description homepage;
    license = lib.licenses.asl20;
    mainProgram = "hocker";
    platforms = lib.platforms.unix;
  };
})
