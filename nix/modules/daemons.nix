/**
  The daemons that images are loaded into: their addresses, the users that they belong to, and the properties of their
  image stores.
*/
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.hocker;
  local = import ./local-daemons.nix;
  settings = config.virtualisation.docker.daemon.settings or { };

  # The user ID in the path of a socket of a user.
  userOfSocket = builtins.match "unix:///(var/)?run/user/([0-9]+)/.*";

  hostOf =
    backend:
    mkOption {
      type = types.strMatching "(unix|tcp|http|https)://[^[:space:]]+";
      default = local.${backend}.host;
      example = "unix:///run/user/1000/${local.${backend}.userSocket}";
      description = ''
        The address of the daemon for images with the backend `${backend}`. With an address other than the default, the
        units do not wait for this machine's own daemon. With the socket of a user, the images are loaded into the store
        of that user.
      '';
    };

  userOf =
    backend:
    mkOption {
      type = types.str;
      default =
        let
          matched = userOfSocket cfg.${backend}.host;
        in
        if matched == null then "root" else lib.elemAt matched 1;
      defaultText = lib.literalExpression "\"root\"";
      example = "ann";
      description = ''
        The user, by name or ID, that owns the socket of {option}`services.hocker.${backend}.host`. The units that load
        images run as this user. The default for a socket below {file}`/run/user` is the user in its path.
      '';
    };
in
{
  options.services.hocker = {
    docker.host = hostOf "docker";
    docker.user = userOf "docker";
    docker.keepsDigests = mkOption {
      type = types.bool;
      default = settings.features.containerd-snapshotter or false;
      defaultText = lib.literalExpression "config.virtualisation.docker.daemon.settings.features.containerd-snapshotter or false";
      description = ''
        Whether Docker uses containerd's image store, which is the default of new installations of Docker 29. This store
        finds a loaded image by the registry's digest of its index, or of its manifest if the image has no index. Docker's
        own store does not.
      '';
    };

    podman.host = hostOf "podman";
    podman.user = userOf "podman";

    containerd.host = hostOf "containerd" // {
      example = "unix:///run/k3s/containerd/containerd.sock";
    };
    containerd.user = userOf "containerd";
    containerd.namespace = mkOption {
      type = types.nullOr (types.strMatching "[a-zA-Z0-9]+([._-][a-zA-Z0-9]+)*");
      default = null;
      example = "k8s.io";
      description = ''
        The namespace of containerd for images with the backend `containerd`. Pods find images in `k8s.io` only. The default
        is `k8s.io` with the socket of k3s or RKE2, otherwise `default`.
      '';
    };
  };

  config.assertions = lib.optionals cfg.enable (
    map (
      backend:
      let
        socket = lib.removePrefix "unix://" cfg.${backend}.host;
      in
      {
        assertion = builtins.match "/(home|root)/.*" socket == null;
        message = "services.hocker.${backend}.host: the units cannot see ${socket}, because they see no home directory. Let the daemon listen outside of /home and /root, for example in /run/user.";
      }
    ) (lib.attrNames local)
  );
}
