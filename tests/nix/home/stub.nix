# The options of home-manager that the module touches, with its names, types and defaults.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  primitive =
    with types;
    oneOf [
      bool
      int
      str
      path
    ];
  units = mkOption {
    type = with types; attrsOf (attrsOf (attrsOf (either primitive (listOf primitive))));
    default = { };
  };
  words = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };

  container.options = {
    image = mkOption { type = types.str; };
    extraPodmanArgs = words;
    ports = words;
    autoUpdate = mkOption {
      type = types.enum [
        null
        "registry"
        "local"
      ];
      default = null;
    };
    extraConfig = mkOption {
      type =
        with types;
        attrsOf (
          attrsOf (oneOf [
            (attrsOf (either primitive (listOf primitive)))
            (listOf primitive)
            (nullOr primitive)
          ])
        );
      default = { };
    };
  };
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
    home.activation = mkOption {
      type = types.attrsOf types.raw;
      default = { };
    };
    services.podman = {
      enable = mkOption {
        type = types.bool;
        default = false;
      };
      package = mkOption {
        type = types.path;
        default = "/packages/podman";
      };
      containers = mkOption {
        type = types.attrsOf (types.submodule container);
        default = { };
      };
    };
    systemd.user = {
      services = units;
      sockets = units;
    };
    xdg = {
      configFile = mkOption {
        type = types.attrsOf (types.submodule { options.text = mkOption { type = types.lines; }; });
        default = { };
      };
      stateHome = mkOption {
        type = types.str;
        default = "/home/ann/.local/state";
      };
    };
  };
}
