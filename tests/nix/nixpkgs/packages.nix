# A package set like that of nixpkgs, with the packages that this project mentions. Nothing in it can be built.
{
  lib,
  buildSystem,
  # Another platform for which packages are made.
  hostSystem ? {
    system = buildSystem;
  },
  overlays ? [ ],
}:
let
  platform = lib.systems.elaborate;
  set =
    arguments:
    import ./packages.nix (
      {
        inherit
          lib
          buildSystem
          hostSystem
          overlays
          ;
      }
      // arguments
    );

  # What nixpkgs puts around a derivation, from a function that makes one from its attributes.
  extensible =
    make:
    let
      build =
        given:
        let
          attributes = lib.toFunction given (attributes // { finalPackage = result; });
          result =
            make attributes
            // {
              # For those who look at it.
              attributes = builtins.removeAttrs attributes [ "passthru" ];
              overrideAttrs =
                change:
                build (
                  final:
                  let
                    old = lib.toFunction given final;
                    changed = lib.toFunction change old;
                  in
                  old // (if lib.isFunction changed then change final old else changed)
                );
            }
            // attributes.passthru or { };
        in
        result;
    in
    build;

  package = extensible (
    attributes:
    derivation {
      name = attributes.name or "${attributes.pname}-${attributes.version}";
      system = buildSystem;
      builder = "/no/such/builder";
      args = [ (attributes.text or "") ];
      # What the real ones would depend on.
      hostPlatform = builtins.toJSON hostSystem;
      inputs = attributes.inputs or [ ];
    }
    // {
      meta = attributes.meta or { };
    }
  );

  # Without a shell, so it builds only what has a builder of its own.
  mkDerivation = extensible (
    attributes:
    let
      own = builtins.removeAttrs attributes [
        "meta"
        "passthru"
        "pos"
      ];
      pos = attributes.pos or null;
    in
    derivation (
      {
        system = buildSystem;
        stdenv = "no stdenv";
        builder = attributes.realBuilder;
      }
      // own
    )
    // {
      meta =
        attributes.meta or { }
        // lib.optionalAttrs (pos != null) { position = "${pos.file}:${toString pos.line}"; };
    }
  );

  base =
    final:
    {
      inherit lib;
      stdenv = {
        buildPlatform = platform { system = buildSystem; };
        hostPlatform = platform hostSystem;
      };
      stdenvNoCC = final.stdenv // {
        inherit mkDerivation;
        shell = "/no/such/shell";
      };
      callPackage = lib.callPackageWith final;
      extend = overlay: set { overlays = overlays ++ [ overlay ]; };
      buildPackages = set { hostSystem.system = buildSystem; };
      dockerTools.buildImage = { name, ... }: package { inherit name; };
      pkgsStatic = set {
        hostSystem = hostSystem // {
          isStatic = true;
        };
      };
      # For tests: a set for another platform, which nixpkgs calls by a name of its own.
      pkgsCross = lib.genAttrs [ "aarch64-linux" "x86_64-linux" ] (
        system: set { hostSystem.system = system; }
      );

      rustPlatform = {
        buildRustPackage =
          function:
          package (
            final:
            let
              attributes = function final;
            in
            attributes
            // {
              text = attributes.postInstall;
              # The source may be replaced.
              inputs = final.nativeBuildInputs ++ [ final.src ];
            }
          );
        importCargoLock =
          { lockFile }:
          package {
            name = "cargo-vendor-dir";
            text = "${lockFile}";
          };
      };
      fetchFromGitHub = { repo, ... }: package { name = repo; };
      # Older releases run programs of another platform with these.
      runtimeShell = "/no/such/shell";
      qemu.override = _: package { name = "qemu"; };
      nix-update-script = { }: [ "/no/such/nix-update" ];
      runCommand =
        name: attributes: text:
        package (attributes // { inherit name text; });
      writeShellScriptBin =
        name: text:
        package {
          inherit name text;
          meta.mainProgram = name;
        };
      mkShell =
        attributes:
        package {
          name = "nix-shell";
          inputs = attributes.inputsFrom or [ ] ++ attributes.packages or [ ];
        };
      testers = {
        testVersion =
          { package, ... }: final.runCommand "${package.name}-test-version" { } "${package}/bin";
        invalidateFetcherByDrvHash =
          fetcher: arguments:
          let
            salt = builtins.unsafeDiscardStringContext (baseNameOf (fetcher arguments).drvPath);
          in
          fetcher (arguments // { name = "salted-${builtins.substring 0 12 salt}"; });
        # Each machine's assertions must hold.
        runNixOSTest =
          test:
          let
            failuresOf =
              _: machine:
              (import ./nixos
                {
                  inherit lib;
                  pkgs = final;
                }
                [
                  machine
                  { _module.check = false; }
                ]
              ).failures;
            failures = lib.concatLists (lib.attrValues (lib.mapAttrs failuresOf test.nodes));
          in
          if failures != [ ] then
            throw "${test.name}: ${lib.concatStringsSep "; " failures}"
          else
            package {
              name = "vm-test-run-${test.name}";
              text = test.testScript;
            };
      };
    }
    // lib.genAttrs [
      "cargo-nextest"
      "clippy"
      "hello"
      "installShellFiles"
      "nixfmt-tree"
      "openssl"
      "pkg-config"
      "qemu-user"
      "rustfmt"
      "shellcheck"
      "skopeo"
      "versionCheckHook"
      "zstd"
    ] (name: package { inherit name; });
in
lib.fix (lib.foldl' (lib.flip lib.extends) base overlays)
