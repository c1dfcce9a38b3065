/*
  The checks of `scripts/with-nixpkgs`: what this project makes of a checkout of nixpkgs.

      nix-instantiate --eval --strict -A verdicts.package --argstr nixpkgs /path/to/nixpkgs tests/nix/checkout/checks.nix

  gives `holds: ` with the number of facts, `not run: ` with the reason, or `fails: ` with the facts that do not hold.
  `names` lists the checks. `sent` is the verdict on a checkout in which `scripts/to-nixpkgs` was.
*/
{
  nixpkgs,
  system ? builtins.currentSystem,
}:
let
  root = ../../..;
  checkout = /. + nixpkgs;
  has = path: builtins.pathExists (checkout + "/${path}");

  overlay = import (root + "/nix/overlay.nix");
  plain = import checkout {
    inherit system;
    config = { };
    overlays = [ (import ./stand-ins.nix) ];
  };
  pkgs = plain.appendOverlays [ overlay ];
  inherit (pkgs) lib;

  bareOf =
    set:
    import (root + "/nix") {
      hocker = set.buildPackages.hocker-builder;
      runtime = set.hocker-builder;
      system = set.stdenv.buildPlatform.system;
      targetSystem = set.stdenv.hostPlatform.system;
    };

  # Whether these can be instantiated.
  instantiates = lib.all (package: lib.hasSuffix ".drv" package.drvPath);

  needsPackages = if has "pkgs/top-level/default.nix" then null else "it has no packages";
  needs =
    names:
    let
      missing = lib.intersectLists pkgs.standIns names;
    in
    if needsPackages != null then
      needsPackages
    else if missing != [ ] then
      "it has no ${lib.concatStringsSep ", " missing}"
    else
      null;

  imageOf =
    set:
    set.fetchdocker {
      image = "debian:8";
      imageManifest = ../../data/debian-jessie.json;
    };

  crossCheck = set: {
    without = needsPackages;
    facts = {
      "the package" = instantiates [
        set.hocker
        set.hocker-builder
      ];
      "it is for the other platform" =
        set.hocker.stdenv.hostPlatform.system == "aarch64-linux"
        && set.hocker.drvPath != pkgs.hocker.drvPath;
      "the program of the build platform builds" =
        let
          builder = set.buildPackages.hocker-builder;
        in
        builder.stdenv.hostPlatform.system == system && lib.hasPrefix "${builder}/" (imageOf set).builder;
      "the program of the other platform runs the scripts of images" =
        lib.hasPrefix "${set.hocker-builder}/" (imageOf set).imageSpec.interpreter;
    }
    // import ./layer.nix {
      pkgs = set;
      bare = bareOf set;
    };
  };

  nixos =
    backend:
    import (checkout + "/nixos/lib/eval-config.nix") {
      inherit system;
      modules = [
        (root + "/nix/modules")
        {
          nixpkgs.pkgs = pkgs;
          boot.loader.grub.enable = false;
          fileSystems."/".device = "/dev/none";
          system.stateVersion = lib.trivial.release;
          services.hocker = {
            enable = true;
            images.web.image = imageOf pkgs;
            prune.enable = true;
          };
          virtualisation.oci-containers = {
            inherit backend;
            containers.web.image = "debian:8";
          };
        }
      ];
    };
  nixosFacts =
    backend:
    let
      evaluated = nixos backend;
      inherit (evaluated) config;
    in
    {
      "assertions hold (${backend})" = lib.all (one: one.assertion) config.assertions;
      "the container needs the image (${backend})" =
        lib.elem "hocker-load-web.service"
          config.systemd.services."${backend}-web".requires;
      "the system (${backend})" = instantiates [ config.system.build.toplevel ];
    };

  checks = {
    package = {
      without = needsPackages;
      facts = {
        "the package and the builder" = instantiates [
          pkgs.hocker
          pkgs.hocker-builder
        ];
        "callPackage without the overlay makes the same package" =
          (plain.callPackage (root + "/nix/package.nix") { }).drvPath == pkgs.hocker.drvPath;
        "override" =
          (pkgs.hocker.override { withSignatures = false; }).drvPath == pkgs.hocker-builder.drvPath;
        "meta" =
          let
            inherit (pkgs.hocker) meta version;
          in
          meta.available
          && meta.mainProgram == "hocker"
          && lib.hasInfix version meta.changelog
          && lib.hasInfix "nix/nixpkgs/package.nix:" meta.position;
        "it links zstd of nixpkgs" = lib.elem (lib.getDev pkgs.zstd) pkgs.hocker.buildInputs;
      };
    };
    package-tests = {
      without = needsPackages;
      facts = lib.mapAttrs (_: test: instantiates [ test ]) pkgs.hocker.tests;
    };
    release = {
      without = needsPackages;
      facts."the package of a release" = instantiates [
        (pkgs.callPackage (root + "/nix/nixpkgs/package.nix") { })
      ];
    };
    version-check = {
      without = needs [ "versionCheckHook" ];
      facts."the hook" = lib.elem pkgs.versionCheckHook pkgs.hocker.nativeInstallCheckInputs;
    };
    final-attributes = {
      without = needs [ "rustPlatform.buildRustPackage of a function" ];
      facts."overrideAttrs of the version changes the name" =
        lib.hasInfix "9.9"
          (pkgs.hocker.overrideAttrs { version = "9.9"; }).name;
    };
    static = {
      without = needsPackages;
      facts."the static package" = instantiates [
        pkgs.pkgsStatic.hocker
        pkgs.pkgsStatic.hocker-builder
      ];
    };
    cross = crossCheck pkgs.pkgsCross.aarch64-multiplatform;
    cross-musl = crossCheck pkgs.pkgsCross.aarch64-multiplatform-musl;
    functions = {
      without = needsPackages;
      facts = import ./layer.nix {
        inherit pkgs;
        bare = bareOf pkgs;
      };
    };
    compiler = {
      without =
        if needsPackages != null then
          needsPackages
        else if lib.versionOlder pkgs.rustc.version "1.88" then
          "its Rust is ${pkgs.rustc.version}, and the package needs 1.88 to build"
        else
          null;
      facts."Rust can build the package" = true;
    };
    nixos = {
      without =
        if has "nixos/lib/eval-config.nix" then needsPackages else "it has no nixos/lib/eval-config.nix";
      facts = nixosFacts "docker" // nixosFacts "podman";
    };
    machines = {
      without =
        if has "nixos/lib/default.nix" then
          needs [
            "dockerTools"
            "hello"
            "skopeo"
          ]
        else
          "it has no nixos/lib";
      facts = lib.mapAttrs (_: test: instantiates [ test ]) (import (root + "/nix/tests") pkgs);
    };
    shell = {
      without = needs [
        "cargo-nextest"
        "clippy"
        "mkShell"
        "rustfmt"
        "shellcheck"
        "skopeo"
      ];
      facts."the shell" = instantiates [ (pkgs.callPackage (root + "/nix/shell.nix") { }) ];
    };
    formatter = {
      without = needs [ "nixfmt-tree" ];
      facts."the formatter" = instantiates [ pkgs.nixfmt-tree ];
    };
  };

  verdict =
    { without, facts }:
    let
      wrong = builtins.filter (fact: !facts.${fact}) (builtins.attrNames facts);
    in
    if without != null then
      "not run: ${without}"
    else if wrong != [ ] then
      "fails: ${builtins.concatStringsSep "; " wrong}"
    else
      "holds: ${toString (builtins.length (builtins.attrNames facts))} facts";
in
{
  names = builtins.concatStringsSep " " (builtins.attrNames checks);
  verdicts = builtins.mapAttrs (_: verdict) checks;
  sent = verdict {
    without = needsPackages;
    facts = {
      "the package is among the packages" = instantiates [ plain.hocker ];
      "its file is in pkgs/by-name" = lib.hasInfix "by-name/ho/hocker/" plain.hocker.meta.position;
      "its tests" = lib.all (test: instantiates [ test ]) (lib.attrValues plain.hocker.tests);
      "its maintainer is named" = lib.hasInfix "[ nobody ]" (
        builtins.readFile (checkout + "/pkgs/by-name/ho/hocker/package.nix")
      );
    }
    // import ./layer.nix {
      pkgs = plain // {
        inherit (plain.hockerFunctions) importLock;
      };
      bare = import (checkout + "/pkgs/build-support/fetchdocker") {
        hocker = plain.hocker.override { withSignatures = false; };
        inherit system;
      };
    };
  };
  standIns = if needsPackages != null then "" else builtins.concatStringsSep ", " pkgs.standIns;
}
