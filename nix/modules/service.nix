# One entry of `services.hocker.services`.
{ lib }:
{ name, config, ... }:
let
  inherit (lib) literalExpression mkOption types;
  # Such paths need no quotation in a unit.
  path = types.strMatching "/[a-zA-Z0-9._/@+=~-]*";
  words = types.nullOr (types.listOf types.str);
in
{
  options = {
    image = mkOption {
      type = types.raw;
      example = literalExpression ''
        config.services.hocker.functions.fetchdocker {
          image = "nginx:1.27";
          imageManifest = ./nginx.json;
        }
      '';
      description = "The image: a result of `fetchdocker`.";
    };

    entrypoint = mkOption {
      type = words;
      default = null;
      example = [ "/usr/bin/app" ];
      description = ''
        The program and its first arguments, in place of the image's entrypoint. The image's command is then left out.
      '';
    };

    command = mkOption {
      type = words;
      default = null;
      example = [ "--verbose" ];
      description = "The arguments behind the entrypoint, in place of the image's command.";
    };

    environment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        LOG_LEVEL = "debug";
      };
      description = ''
        Environment variables, beside those of the image. Every user of the machine can read them; secrets belong into
        {option}`services.hocker.services.<name>.environmentFiles`.
      '';
    };

    environmentFiles = mkOption {
      type = types.listOf path;
      default = [ ];
      example = [ "/run/secrets/app.env" ];
      description = "Files of the host with further environment variables, which systemd reads when the service starts.";
    };

    user = mkOption {
      type = types.nullOr (types.strMatching "[0-9]+:[0-9]+");
      default = null;
      example = "1000:1000";
      description = ''
        The numbers of the user and the group that the service runs as. An image whose user is not root needs this option,
        because systemd starts programs only as users that the host has; the build of the unit fails otherwise, and its
        error names the numbers. (To run as a name of the image's {file}`/etc/passwd`, write its numbers.)
      '';
    };

    createUser = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether to create the user and the group of {option}`services.hocker.services.<name>.user` on the host, as
        `hocker-<number>`. Disable this option if the host has accounts with these numbers.
      '';
    };

    workingDirectory = mkOption {
      type = types.nullOr path;
      default = null;
      example = "/srv";
      description = "The working directory, in place of the image's.";
    };

    stateDirectories = mkOption {
      type = types.attrsOf (types.strMatching "[a-zA-Z0-9_-][a-zA-Z0-9._-]*");
      default = { };
      example = {
        "/var/lib/postgresql/data" = "postgres";
      };
      description = ''
        Directories of the image that keep what the service writes, each with the name of a directory below
        {file}`/var/lib` of the host. systemd creates it, owned by the user of the service.
      '';
    };

    temporaryDirectories = mkOption {
      type = types.listOf path;
      default = [ ];
      example = [ "/var/cache/nginx" ];
      description = ''
        Directories of the image that are empty and writable whenever the service starts. {file}`/tmp`,
        {file}`/var/tmp` and {file}`/run` always are.
      '';
    };

    binds = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            source = mkOption {
              type = path;
              description = "The file or directory of the host.";
            };
            writable = mkOption {
              type = types.bool;
              default = false;
              description = "Whether the service may write to it.";
            };
            isFile = mkOption {
              type = types.bool;
              default = false;
              description = "Whether it is a file, and not a directory.";
            };
          };
        }
      );
      default = { };
      example = {
        "/etc/app.conf" = {
          source = "/etc/app.conf";
          isFile = true;
        };
      };
      description = "Files and directories of the host, by their paths in the image.";
    };

    capabilities = mkOption {
      type = types.listOf (types.strMatching "CAP_[A-Z_]+");
      default = [ ];
      example = [ "CAP_NET_BIND_SERVICE" ];
      description = ''
        The capabilities that the processes of the service may have. Programs that start as root and change their user
        need `CAP_SETUID` and `CAP_SETGID`, often also `CAP_CHOWN` and `CAP_DAC_OVERRIDE`. A service whose user is not
        root gets these capabilities at its start.
      '';
    };

    serviceConfig = mkOption {
      type = types.attrsOf types.raw;
      default = { };
      example = {
        MemoryMax = "1G";
        PrivateNetwork = true;
      };
      description = ''
        Settings of systemd for the service, as in {option}`systemd.services.<name>.serviceConfig`. They replace the
        module's settings; lists of directories and files are joined.
      '';
    };

    unit = mkOption {
      type = types.str;
      readOnly = true;
      description = "The name of the unit, for other units that need the service.";
    };

    rootfs = mkOption {
      type = types.raw;
      readOnly = true;
      internal = true;
      description = "The file system image of the service.";
    };
  };

  config = {
    unit = "hocker-service-${name}.service";
    rootfs = config.image.rootfsWith {
      directories =
        lib.attrNames config.stateDirectories
        ++ map (directory: "/var/lib/${directory}") (lib.attrValues config.stateDirectories)
        ++ config.temporaryDirectories
        ++ lib.attrNames (lib.filterAttrs (_: bind: !bind.isFile) config.binds);
      files = lib.attrNames (lib.filterAttrs (_: bind: bind.isFile) config.binds);
    };
  };
}
