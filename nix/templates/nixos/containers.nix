# Two containers, whose images docker-images.lock.json pins. It comes of
#
#     hocker lock add web=nginx:1.27 cache=redis:7
#     git add docker-images.lock.json
#
# and `hocker lock update` follows their tags. `nix run path:/path/to/hocker -- lock update` does so where hocker is not
# installed.
{
  services.hocker = {
    enable = true;
    lockFile = ./docker-images.lock.json;
    # Images that the file does not pin any more, and no container uses.
    prune.enable = true;
  };

  virtualisation.oci-containers = {
    backend = "podman";
    containers = {
      web = {
        image = "nginx:1.27";
        ports = [ "8080:80" ];
      };
      cache.image = "redis:7";
    };
  };
}
