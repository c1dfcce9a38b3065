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
        What is served: what `fetchdocker` made, and other OCI image layouts. Each is found by the name that it
        has there.
      '';
    };

    address = mkOption {
      type = types.strMatching "[0-9.]+|[0-9a-fA-F:.]+";
      default = "127.0.0.1";
      example = "0.0.0.0";
      description = "The IP address to listen on. There is neither a password nor TLS.";
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
        Whether images of other registries than Docker Hub are found with their registry's name in the path alone
        (`ghcr.io/team/app`), and not as `team/app` too. Docker asks its mirrors in the same words for Docker Hub's
        `team/app`.
      '';
    };

    accessLog = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to write a line for each request into the unit's log.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to let other machines through the firewall to the port.";
    };
  };

  config = lib.mkIf (cfg.enable && serve.enable) {
    assertions = [
      {
        assertion = serve.images != [ ];
        message = "services.hocker.serve: there is nothing to serve. Declare images under `services.hocker.images`, or list them in `services.hocker.serve.images`.";
      }
      {
        assertion = outside == [ ];
        message = "services.hocker.serve.images: ${
          lib.concatMapStringsSep ", " toString outside
        } is not in the store, so that nobody would notice when it changes. Write the path without quotes, which copies it into the store, or use fetchdocker.";
      }
      {
        assertion = serve.openFirewall -> !isLoopback;
        message = "services.hocker.serve: `openFirewall` opens a port that only this machine can reach, because `address` is ${serve.address}. Set `services.hocker.serve.address`, or leave out `openFirewall`.";
      }
      {
        assertion = !(registry.enable && registry.port == serve.port);
        message = "services.hocker.serve: port ${toString serve.port} is that of `services.dockerRegistry`, too. Set another `services.hocker.serve.port`.";
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
