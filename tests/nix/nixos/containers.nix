# `virtualisation.oci-containers`, and the units that come of it.
{ hasPull }:
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.virtualisation.oci-containers;

  nullable =
    type:
    mkOption {
      type = types.nullOr type;
      default = null;
    };
  words = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };

  container =
    { name, ... }:
    {
      options = {
        image = mkOption { type = types.str; };
        imageFile = nullable types.package;
        imageStream = nullable types.package;
        serviceName = mkOption {
          type = types.str;
          default = "${cfg.backend}-${name}";
        };
        ports = words;
        extraOptions = words;
        podman = nullable (
          types.submodule {
            options.user = mkOption {
              type = types.str;
              default = "root";
            };
          }
        );
      }
      // lib.optionalAttrs hasPull {
        pull = mkOption {
          type = types.enum [
            "always"
            "missing"
            "never"
            "newer"
          ];
          default = "missing";
        };
      };
      config.podman = lib.mkIf (cfg.backend == "podman") { };
    };

  service =
    container:
    let
      isPreloaded = container.imageFile != null || container.imageStream != null;
      network = lib.optional (!isPreloaded) "network-online.target";
      load =
        if container.imageStream != null then
          "${container.imageStream} | ${cfg.backend} load\n"
        else if container.imageFile != null then
          "${cfg.backend} load -i ${container.imageFile}\n"
        else
          "";
    in
    {
      wantedBy = [ "multi-user.target" ];
      wants = network;
      after =
        lib.optionals (cfg.backend == "docker") [
          "docker.service"
          "docker.socket"
        ]
        ++ network;
      script =
        load
        + lib.concatStringsSep " " (
          [
            "exec ${cfg.backend} run"
          ]
          ++ lib.optional hasPull "--pull ${container.pull}"
          ++ container.extraOptions
          ++ [ container.image ]
        );
      serviceConfig.Restart = "always";
    };
in
{
  options.virtualisation.oci-containers = {
    backend = mkOption {
      type = types.enum [
        "podman"
        "docker"
      ];
      default = "podman";
    };
    containers = mkOption {
      type = types.attrsOf (types.submodule container);
      default = { };
      description = "OCI (Docker) containers to run as systemd services.";
    };
  };

  config = lib.mkIf (cfg.containers != { }) {
    systemd.services = lib.mapAttrs' (
      _: container: lib.nameValuePair container.serviceName (service container)
    ) cfg.containers;
    virtualisation.docker.enable = lib.mkIf (cfg.backend == "docker") true;
    virtualisation.podman.enable = lib.mkIf (cfg.backend == "podman") true;
  };
}
