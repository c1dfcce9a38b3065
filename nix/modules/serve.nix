/**
  `hocker serve`: a read-only registry of images in the store, for other machines and for daemons that fetch by
  digest.
*/
{
  config,
  lib,
  utils,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;
  inherit (cfg) serve;
  registry = config.services.dockerRegistry or { enable = false; };

  outside = lib.filter (image: !import ./is-in-store.nix image) serve.images;

  isLoopback = lib.hasPrefix "127." serve.address || serve.address == "::1";
  authority =
    if lib.hasInfix ":" serve.address then
      "[${serve.address}]:${toString serve.port}"
    else
      "${serve.address}:${toString serve.port}";
  isPrivileged = serve.port < 1024;
in
{
  options.services.hocker.serve = {
    enable = lib.mkEnableOption "a read-only registry of images in the store";

    images = mkOption {
      type = types.listOf types.path;
      default = lib.mapAttrsToList (_: image: image.image) cfg.images;
      defaultText = literalExpression "all of config.services.hocker.images";
      description = ''
        The images to serve: results of `fetchdocker`, and other OCI image layouts. Clients find each image by its name
        there.
      '';
    };

    address = mkOption {
      type = types.strMatching "[0-9.]+|[0-9a-fA-F:.]+";
      default = "127.0.0.1";
      example = "0.0.0.0";
      description = "The IP address to listen on. The registry has neither passwords nor TLS.";
    };

    port = mkOption {
      type = types.port;
      default = 5000;
      description = "The port to listen on.";
    };

    fullNames = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether to serve images of registries other than Docker Hub only under names with the registry
        (`ghcr.io/team/app`), and not also as `team/app`. Docker sends the same request to its mirrors for Docker Hub's
        `team/app`.
      '';
    };

    accessLog = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to write a line for each request to the log of the unit.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to open the port in the firewall, for other machines.";
    };
  };

  config = lib.mkIf (cfg.enable && serve.enable) {
    assertions = [
      {
        assertion = serve.images != [ ];
        message = "services.hocker.serve: no images to serve. Declare images under `services.hocker.images`, or list them in `services.hocker.serve.images`.";
      }
      {
        assertion = outside == [ ];
        message = "services.hocker.serve.images: ${
          lib.concatMapStringsSep ", " toString outside
        } is not in the store, so a change of it would have no effect on the system. Write the path without quotes, which copies it into the store, or use fetchdocker.";
      }
      {
        assertion = serve.openFirewall -> !isLoopback;
        message = "services.hocker.serve: `openFirewall` has no use, because only this machine can reach the address ${serve.address}. Set `services.hocker.serve.address`, or remove `openFirewall`.";
      }
      {
        assertion = !(registry.enable && registry.port == serve.port);
        message = "services.hocker.serve: port ${toString serve.port} is also the port of `services.dockerRegistry`. Set another `services.hocker.serve.port`.";
      }
    ];

    networking.firewall.allowedTCPPorts = lib.mkIf serve.openFirewall [ serve.port ];

    systemd.services.hocker-serve = {
      description = "Read-only registry of images in the store";
      wantedBy = [ "multi-user.target" ];
      wants = lib.optional (!isLoopback) "network-online.target";
      after = [ "network.target" ] ++ lib.optional (!isLoopback) "network-online.target";
      serviceConfig =
        import ./hardening.nix
        // {
          Type = "exec";
          ExecStart = utils.escapeSystemdExecArgs (
            [
              cfg.program
              "serve"
              "--listen"
              authority
            ]
            ++ lib.optional serve.fullNames "--full-names"
            ++ lib.optional (!serve.accessLog) "--quiet"
            ++ map (import ../package-path.nix) serve.images
          );
          DynamicUser = true;
          Restart = "on-failure";
          RestartSec = 5;
          RestrictAddressFamilies = [
            "AF_INET"
            "AF_INET6"
          ];
          PrivateUsers = !isPrivileged;
        }
        // lib.optionalAttrs isPrivileged {
          AmbientCapabilities = "CAP_NET_BIND_SERVICE";
          CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
        };
    };
  };
}
