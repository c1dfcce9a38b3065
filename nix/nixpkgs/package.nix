{
  lib,
  stdenv,
  buildPackages,
  rustPlatform,
  fetchFromGitHub,
  installShellFiles,
  pkg-config,
  zstd,
  versionCheckHook,
  nix-update-script,
  testers,
  fetchDockerConfig,
  fetchDockerLayer,
  fetchdocker,

  # Whether the program verifies signatures. The builder of derivations does not need this, and is smaller without.
  withSignatures ? true,
}:
let
  # The program, and the classic names, which are links to it.
  programs = [
    "hocker"
    "hocker-manifest"
    "hocker-config"
    "hocker-layer"
    "hocker-image"
    "docker2nix"
  ];

  # The program writes its own manual pages, so it must run on the build platform, if necessary in an emulator.
  canRun = stdenv.hostPlatform.emulatorAvailable buildPackages;
  run = "${stdenv.hostPlatform.emulator buildPackages} $out/bin/hocker";
in
rustPlatform.buildRustPackage (finalAttrs: {
  pname = "hocker" + lib.optionalString (!withSignatures) "-builder";
  version = "2.0.0";

  __structuredAttrs = true;

  src = fetchFromGitHub {
    owner = "awakesecurity";
    repo = "hocker";
    tag = "v${finalAttrs.version}";
    hash = lib.fakeHash;
  };

  cargoHash = lib.fakeHash;

  buildNoDefaultFeatures = true;
  buildFeatures = [
    "cli"
    "containerd"
  ]
  ++ lib.optional withSignatures "signatures";

  nativeBuildInputs = [
    installShellFiles
    pkg-config
  ];
  buildInputs = [ zstd ];
  env.ZSTD_SYS_USE_PKG_CONFIG = true;

  # The tests in `src`. The others also test pages and scripts of the repository.
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

  doInstallCheck = true;
  nativeInstallCheckInputs = [ versionCheckHook ];

  passthru = {
    inherit programs;
    updateScript = nix-update-script { };
    tests = {
      config = testers.invalidateFetcherByDrvHash fetchDockerConfig {
        imageName = "hello-world";
        hash = "sha256-8qkXMjZsAzLM16/SpcT/K5r4H1STcPehms1GD4doa8c=";
      };
      layer = testers.invalidateFetcherByDrvHash fetchDockerLayer {
        imageName = "hello-world";
        hash = "sha256-yk9hsZI8EOnrgSKL1GvuHfugK5x9rBhEUnpzR1Jojt4=";
      };
      image = fetchdocker {
        imageName = "hello-world";
        imageConfig = finalAttrs.passthru.tests.config;
        imageLayers = [ finalAttrs.passthru.tests.layer ];
      };
    };
  };

  meta = {
    description = "Fetch container images into the Nix store, layer by layer, and learn their hashes without a download";
    homepage = "https://github.com/awakesecurity/hocker";
    changelog = "https://github.com/awakesecurity/hocker/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.asl20;
    maintainers = [ ];
    mainProgram = "hocker";
    platforms = lib.platforms.unix;
  };
})
