# Options that have nothing to do with each other.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  flag = mkOption {
    type = types.bool;
    default = false;
  };
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    networking.firewall.allowedTCPPorts = mkOption {
      type = types.listOf types.port;
      default = [ ];
    };
    nix.settings = mkOption {
      type = types.submodule {
        freeformType =
          with types;
          attrsOf (oneOf [
            bool
            int
            str
            (listOf str)
          ]);
        options.extra-sandbox-paths = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
      };
      default = { };
    };
    users = {
      users = mkOption {
        type = types.attrsOf (
          types.submodule {
            options = {
              uid = mkOption {
                type = types.nullOr types.int;
                default = null;
              };
              group = mkOption { type = types.str; };
              isSystemUser = flag;
              description = mkOption { type = types.str; };
            };
          }
        );
        default = { };
      };
      groups = mkOption {
        type = types.attrsOf (types.submodule { options.gid = mkOption { type = types.int; }; });
        default = { };
      };
    };
    services.dockerRegistry = {
      enable = flag;
      port = mkOption {
        type = types.port;
        default = 5000;
      };
    };
    virtualisation = {
      docker = {
        enable = flag;
        daemon.settings = mkOption {
          type = types.attrsOf types.anything;
          default = { };
        };
        package = mkOption { default = "/run/current-system/sw"; };
      };
      podman.enable = flag;
    };
  };

  # What the daemons themselves bring.
  config.systemd = {
    sockets = {
      docker = lib.mkIf config.virtualisation.docker.enable { wantedBy = [ "sockets.target" ]; };
      podman = lib.mkIf config.virtualisation.podman.enable { wantedBy = [ "sockets.target" ]; };
    };
    services.docker = lib.mkIf config.virtualisation.docker.enable {
      wantedBy = [ "multi-user.target" ];
      requires = [ "docker.socket" ];
    };
  };
}
