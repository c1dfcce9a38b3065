/*
  The module of nix/modules/home over the real `lib` with its real module system, and over home-manager: its real modules
  where `homeManager` is its checkout, and otherwise the few options of it that hocker's module touches.

      import ./. { lib = …; } [ module … ]

  is what these modules come to: `config`, `failures` (the messages of assertions that do not hold), `texts` (the text of
  each unit of hocker's, as systemd reads it), `quadlets` (the text of each container) and `activation` (the commands of
  hocker's at a switch).
*/
{
  lib,
  package ? null,
  homeManager ? null,
}:
modules:
let
  isReal = homeManager != null;
  # home-manager's own functions. The stubs need the shape of an entry only.
  extended =
    if isReal then
      import (homeManager + "/modules/lib/stdlib-extended.nix") lib
    else
      lib.extend (_: _: { hm.dag.entryBetween = before: after: data: { inherit before after data; }; });

  pkgs =
    import ./packages.nix { lib = extended; }
    // lib.optionalAttrs (package != null) { hocker = package; };

  evaluated = extended.evalModules {
    class = "homeManager";
    modules = [
      { _module.args = { inherit pkgs; }; }
    ]
    ++ (if isReal then import ./real.nix homeManager else [ ./stub.nix ])
    ++ modules;
  };
  inherit (evaluated) config;
  cfg = config.services.hocker;

  units =
    kind: values:
    lib.mapAttrs' (
      name: value: lib.nameValuePair "${name}.${kind}" (import ./unit-text.nix { inherit lib; } value)
    ) (lib.filterAttrs (name: _: lib.hasPrefix "hocker-" name) values);
in
{
  inherit config;
  failures = map (failed: failed.message) (
    lib.filter (assertion: !assertion.assertion) config.assertions
  );
  texts = units "service" config.systemd.user.services // units "socket" config.systemd.user.sockets;
  # Only the real modules make them.
  quadlets = lib.listToAttrs (
    map (
      quadlet: lib.nameValuePair quadlet.serviceName quadlet.source
    ) config.services.podman.internal.quadletDefinitions
  );
  activation = if cfg.usedImages == [ ] then null else config.home.activation.hockerImages;
  # The order in which home-manager runs the parts of its activation.
  order = map (entry: entry.name) (extended.hm.dag.topoSort config.home.activation).result;
}
