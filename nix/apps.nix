/**
  The apps of the flake: one for each name of the program (`nix run .#docker2nix`).
*/
{ lib, hocker }:
let
  app = name: {
    type = "app";
    program = "${hocker}/bin/${name}";
    meta = { inherit (hocker.meta) description; };
  };
in
lib.genAttrs hocker.programs app // { default = app "hocker"; }
