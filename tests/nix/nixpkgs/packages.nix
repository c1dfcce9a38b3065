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

  # A derivation, and what nixpkgs puts around it.
  package =
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
      # For those who look at it.
      attributes = builtins.removeAttrs attributes [ "passthru" ];
      overrideAttrs =
        change: package (attributes // (if lib.isFunction change then change attributes else change));
    }
    // attributes.passthru or { };

  base =
    final:
    {
      inherit lib;
      stdenv = {
        buildPlatform = platform { system = buildSystem; };
        hostPlatform = platform hostSystem;
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

      rustPlatform.buildRustPackage =
        function:
        let
          attributes = function { finalPackage = result; };
          result = package (
            attributes
            // {
              text = attributes.postInstall;
              inputs = attributes.nativeBuildInputs ++ [ attributes.src ];
            }
          );
        in
        result;
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
      "qemu-user"
      "rustfmt"
      "shellcheck"
      "skopeo"
    ] (name: package { inherit name; });
in
lib.fix (lib.foldl' (lib.flip lib.extends) base overlays)
