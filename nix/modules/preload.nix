/**
  Returns `hocker.service`, which loads new images before a switch to another configuration restarts containers. Without
  it, systemd would stop a container first, because the start of the unit that loads its image is ordered after the stop.

  NixOS reloads units before it restarts units, and it stops units with `stopIfChanged = false` only when it restarts
  them. So a change of the images reloads this unit, and the reload starts the units that load.

  Source: nixpkgs, `pkgs/by-name/sw/switch-to-configuration-ng`.

  # Inputs

  `images`
  : the declared images that containers run

  # Type

  ```
  preload :: { lib, images :: [ Image ] } -> Service
  ```
*/
{ lib, images }:
let
  # This path does not change with the version of systemd.
  systemctl = "/run/current-system/systemd/bin/systemctl";
  units = map (image: image.unit) images;
in
{
  description = "Images of containers";
  wantedBy = [ "multi-user.target" ];
  reloadIfChanged = true;
  restartTriggers = map (image: lib.concatStringsSep " " ([ image.content ] ++ image.tags)) images;
  serviceConfig = import ./hardening.nix // {
    Type = "oneshot";
    # NixOS reloads only active units.
    RemainAfterExit = true;
    # At boot, the containers start these units.
    ExecStart = toString ([ "-${systemctl} --no-block start" ] ++ units);
    ExecReload = toString ([ "${systemctl} start" ] ++ units);
    PrivateNetwork = true;
    RestrictAddressFamilies = [ "AF_UNIX" ];
  };
}
