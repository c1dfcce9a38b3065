/**
  Tests in virtual machines, from a package set with the overlay.
*/
{
  lib,
  hocker,
  dockerTools,
  hello,
  openssl,
  runCommand,
  skopeo,
  testers,
  ...
}:
let
  # An image of one program, as a registry and as hocker take it.
  layout =
    let
      archive = dockerTools.buildImage {
        name = "hello";
        tag = "1";
        config.Cmd = [ "${hello}/bin/hello" ];
      };
    in
    runCommand "hocker-test-image" { nativeBuildInputs = [ skopeo ]; } ''
      skopeo --insecure-policy --tmpdir "$TMPDIR" copy docker-archive:${archive} oci:$out:hello:1
    '';
in
lib.mapAttrs (_: test: testers.runNixOSTest test) {
  module = import ./module.nix { inherit hocker layout; };
  private-registry = import ./private-registry.nix {
    inherit
      hocker
      layout
      openssl
      runCommand
      skopeo
      ;
  };
}
