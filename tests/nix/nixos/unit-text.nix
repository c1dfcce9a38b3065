# A service as nixpkgs writes it. Lists are keys that are repeated, but dependencies are one line each. The script of a
# service is a file in `scripts`, whose name changes with its text.
{ lib, scripts }:
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
  # nixpkgs writes the path of a file with the triggers, which changes with them.
  triggers = lib.concatMapStringsSep " " toString service.restartTriggers;
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
  // lib.optionalAttrs (triggers != "") {
    X-Restart-Triggers = builtins.hashString "sha256" triggers;
  }
  // service.unitConfig
)
+ "[Service]\n"
+ section (
  {
    Environment = lib.mapAttrsToList (name: value: builtins.toJSON "${name}=${value}") (
      lib.filterAttrs (_: value: value != null) service.environment
    );
  }
  // lib.optionalAttrs (service.script != "") {
    ExecStart = "${scripts}/${builtins.hashString "sha256" service.script}";
  }
  // service.serviceConfig
)
+ (
  if service.reloadIfChanged then
    "X-ReloadIfChanged=true\n"
  else if !service.restartIfChanged then
    "X-RestartIfChanged=false\n"
  else
    ""
)
+ lib.optionalString (!service.stopIfChanged) "X-StopIfChanged=false\n"
