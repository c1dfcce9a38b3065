# A service as systemd reads it. Lists are keys that are repeated, but dependencies are one line each.
{ lib }:
service:
let
  text =
    value:
    if value == true then
      "true"
    else if value == false then
      "false"
    else
      toString value;
  lines = lib.concatLines;
  section =
    attributes:
    lines (
      lib.concatLists (
        lib.mapAttrsToList (key: value: map (single: "${key}=${text single}") (lib.toList value)) attributes
      )
    );
in
lines [
  "[Unit]"
  "Description=${service.description}"
]
+ section (
  {
    After = service.after;
    Requires = service.requires;
    Wants = service.wants;
  }
  // service.unitConfig
)
+ "[Service]\n"
+ lines (
  lib.mapAttrsToList (
    name: value: "Environment=${builtins.toJSON "${name}=${value}"}"
  ) service.environment
)
+ section service.serviceConfig
