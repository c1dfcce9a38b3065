# What images in the store need: mounts, targets, temporary files and podman's storage. Types and defaults are those of
# nixpkgs' `systemd-lib.nix`, `tmpfiles.nix` and `virtualisation/containers.nix`.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  words = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  section = mkOption {
    type = types.attrsOf types.unspecified;
    default = { };
  };
  unit = {
    description = mkOption {
      type = types.singleLineStr;
      default = "";
    };
    wantedBy = words;
    wants = words;
    requires = words;
    after = words;
    unitConfig = section;
  };
  toml =
    with types;
    nullOr (oneOf [
      bool
      int
      str
      (attrsOf toml)
      (listOf toml)
    ]);
in
{
  options = {
    boot.kernelModules = words;
    systemd = {
      mounts = mkOption {
        type = types.listOf (
          types.submodule {
            options = unit // {
              what = mkOption { type = types.str; };
              where = mkOption { type = types.str; };
              type = mkOption {
                type = types.str;
                default = "";
              };
              options = mkOption {
                type = types.commas;
                default = "";
              };
              mountConfig = section;
            };
          }
        );
        default = [ ];
      };
      targets = mkOption {
        type = types.attrsOf (types.submodule { options = unit; });
        default = { };
      };
      tmpfiles.rules = words;
    };
    virtualisation.containers.storage.settings = mkOption { type = toml; };
  };

  config.virtualisation.containers.storage.settings.storage =
    lib.mkIf config.virtualisation.podman.enable
      {
        driver = lib.mkDefault "overlay";
        graphroot = lib.mkDefault "/var/lib/containers/storage";
        runroot = lib.mkDefault "/run/containers/storage";
      };
}
