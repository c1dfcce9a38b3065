# `systemd.services` and `systemd.sockets`, with the checks that nixpkgs makes of names, types and restarts.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };

  unitName = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|target|timer|mount|path|slice)";
  unitNames = mkOption {
    type = types.listOf unitName;
    default = [ ];
  };

  # Lists are options that can be repeated, and are joined; everything else must agree.
  unitOption = lib.mkOptionType {
    name = "systemd option";
    merge =
      loc: definitions:
      let
        strongest = lib.filterOverrides definitions;
        areLists = map (definition: lib.isList definition.value) strongest;
      in
      if lib.all lib.id areLists then
        lib.concatMap (definition: definition.value) strongest
      else if lib.any lib.id areLists then
        throw "${lib.showOption loc} is both a list and no list"
      else
        lib.mergeEqualOption loc strongest;
  };
  section = mkOption {
    type = types.attrsOf unitOption;
    default = { };
  };

  # A key that is there has one of these values.
  hasOneOf =
    key: values: service:
    service ? ${key} -> lib.elem service.${key} values;
  serviceSection = types.addCheck (types.attrsOf unitOption) (
    service:
    hasOneOf "Type" [
      "simple"
      "exec"
      "oneshot"
      "notify"
    ] service
    && hasOneOf "Restart" [
      "no"
      "on-success"
      "on-failure"
      "on-abnormal"
      "on-abort"
      "always"
    ] service
  );

  unitOptions = {
    description = mkOption {
      type = types.singleLineStr;
      default = "";
    };
    after = unitNames;
    before = unitNames;
    requires = unitNames;
    wants = unitNames;
    wantedBy = unitNames;
    unitConfig = section;
    restartTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
  };
in
{
  options.systemd = {
    services = mkOption {
      type = types.attrsOf (
        types.submodule {
          options = unitOptions // {
            environment = mkOption {
              type =
                with types;
                attrsOf (
                  nullOr (oneOf [
                    str
                    path
                    package
                  ])
                );
              default = { };
            };
            enableDefaultPath = mkOption {
              type = types.bool;
              default = true;
            };
            reloadIfChanged = flag false;
            restartIfChanged = flag true;
            stopIfChanged = flag true;
            script = mkOption {
              type = types.lines;
              default = "";
            };
            serviceConfig = mkOption {
              type = serviceSection;
              default = { };
            };
          };
        }
      );
      default = { };
    };
    packages = mkOption {
      type = types.listOf types.package;
      default = [ ];
    };
    sockets = mkOption {
      type = types.attrsOf (types.submodule { options = unitOptions; });
      default = { };
    };
  };
}
