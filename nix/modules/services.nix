/**
  Images as services of systemd, without a container daemon: `hocker-service-<name>.service` runs the image's command in
  the image's file system, which systemd mounts read-only from the store.

  The image's config becomes a unit when that is built (`service-unit.nix`). This module extends the unit by all that is
  not the image's: the file system, directories of the host, restrictions.

  Source: systemd.exec(5).
*/
{
  config,
  lib,
  ...
}:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.hocker;

  # Files of the host that a service without network namespace needs to find names. systemd mounts what exists.
  hostFiles = [
    "-/etc/hosts"
    "-/etc/resolv.conf"
  ];

  restrictions =
    service:
    # These stop interpreters that compile at run time, and programs that look at the machine's memory.
    removeAttrs (import ./hardening.nix) [
      "MemoryDenyWriteExecute"
      "ProcSubset"
    ]
    // {
      AmbientCapabilities = lib.concatStringsSep " " service.capabilities;
      CapabilityBoundingSet = lib.concatStringsSep " " service.capabilities;
      RestrictAddressFamilies = [
        "AF_UNIX"
        "AF_INET"
        "AF_INET6"
        "AF_NETLINK"
      ];
      SystemCallFilter = [
        "@system-service"
      ]
      ++ lib.optional (service.capabilities == [ ]) "~@privileged";
      UMask = "0022";
    };

  bindsOf =
    service: writable:
    lib.mapAttrsToList (path: bind: "${bind.source}:${path}") (
      lib.filterAttrs (_: bind: bind.writable == writable) service.binds
    );

  # The options of a file system in memory that the user of the service owns.
  ownerOf =
    service:
    let
      parts = lib.splitString ":" service.user;
    in
    lib.optionalString (service.user != null) ",uid=${lib.head parts},gid=${lib.last parts}";

  unitOf =
    name: service:
    service.image.serviceUnit {
      name = lib.removeSuffix ".service" service.unit;
      inherit (service.rootfs) users;
      inherit (service)
        entrypoint
        command
        user
        workingDirectory
        ;
    };

  extension = name: service: {
    description = "Image ${name}";
    wantedBy = [ "multi-user.target" ];
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    restartTriggers = [ (unitOf name service) ];
    # The search path is the image's.
    enableDefaultPath = false;
    # systemd replaces specifiers.
    environment = lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]) service.environment;
    serviceConfig =
      restrictions service
      // {
        MountAPIVFS = true;
        Restart = "on-failure";
        RestartSec = 5;
      }
      // service.serviceConfig
      // lib.mapAttrs (key: values: values ++ lib.toList (service.serviceConfig.${key} or [ ])) {
        BindReadOnlyPaths = hostFiles ++ bindsOf service false;
        BindPaths =
          lib.mapAttrsToList (path: directory: "/var/lib/${directory}:${path}") service.stateDirectories
          ++ bindsOf service true;
        TemporaryFileSystem = map (
          path: "${path}:mode=0755${ownerOf service}"
        ) service.temporaryDirectories;
        StateDirectory = lib.unique (lib.attrValues service.stateDirectories);
        EnvironmentFile = service.environmentFiles;
      }
      // {
        RootImage = "${service.rootfs}";
      };
  };

  # The numbers of the users and groups that are created on the host. Root exists.
  numbers = lib.concatMap (
    service:
    let
      parts = if service.user == null then [ ] else lib.splitString ":" service.user;
    in
    lib.optional (service.createUser && parts != [ ]) {
      user = lib.toInt (lib.head parts);
      group = lib.toInt (lib.last parts);
    }
  ) (lib.attrValues cfg.services);
  named = number: "hocker-${toString number}";
  groupOf = number: if number == 0 then "root" else named number;

  assertionsOf =
    name: service:
    let
      option = "services.hocker.services.${name}";
    in
    [
      {
        assertion = builtins.match "[a-zA-Z0-9:_.-]+" name != null;
        message = "${option}: the name is part of the name of a unit, and may contain only letters, digits and `:_.-`. Rename it.";
      }
      {
        assertion = import ./is-fetched.nix lib service.image && service.image ? rootfsWith;
        message = "${option}.image: not a result of fetchdocker. Use `config.services.hocker.functions.fetchdocker { image = …; imageManifest = …; }`.";
      }
      {
        assertion = lib.all (path: !service.binds ? ${path}) (
          lib.attrNames service.stateDirectories ++ service.temporaryDirectories
        );
        message = "${option}: a path is in `binds` and also in `stateDirectories` or `temporaryDirectories`. Remove one of them.";
      }
    ];
in
{
  options.services.hocker.services = mkOption {
    type = types.attrsOf (types.submodule (import ./service.nix { inherit lib; }));
    default = { };
    example = literalExpression ''
      {
        web = {
          image = config.services.hocker.functions.fetchdocker {
            image = "nginxinc/nginx-unprivileged:1.27";
            imageManifest = ./nginx.json;
          };
          temporaryDirectories = [ "/var/cache/nginx" ];
        };
      }
    '';
    description = ''
      Images to run as services of systemd, without a container daemon. A service has the network of the host, a read-only
      file system and no capabilities, unless its options say otherwise. Nothing publishes ports or creates volumes:
      declare directories to keep in {option}`services.hocker.services.<name>.stateDirectories`.
    '';
  };

  config = lib.mkIf cfg.enable {
    assertions = lib.concatLists (lib.mapAttrsToList assertionsOf cfg.services);
    users.users = lib.listToAttrs (
      map (
        { user, group }:
        lib.nameValuePair (named user) {
          uid = user;
          group = groupOf group;
          isSystemUser = true;
          description = "User of images";
        }
      ) (lib.filter (number: number.user != 0) numbers)
    );
    users.groups = lib.listToAttrs (
      map ({ group, ... }: lib.nameValuePair (named group) { gid = group; }) (
        lib.filter (number: number.group != 0) numbers
      )
    );
    systemd.packages = lib.mapAttrsToList unitOf cfg.services;
    systemd.services = lib.mapAttrs' (
      name: service: lib.nameValuePair (lib.removeSuffix ".service" service.unit) (extension name service)
    ) cfg.services;
  };
}
