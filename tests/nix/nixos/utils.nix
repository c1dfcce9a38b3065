# What nixpkgs' `utils` has for command lines of systemd.
{ lib }:
rec {
  escapeSystemdExecArg =
    arg: lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON (toString arg));
  escapeSystemdExecArgs = lib.concatMapStringsSep " " escapeSystemdExecArg;
}
