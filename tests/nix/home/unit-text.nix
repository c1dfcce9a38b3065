# The text of a unit, as home-manager writes it: lists are repeated keys.
{ lib }:
unit:
lib.generators.toINI {
  listsAsDuplicateKeys = true;
  mkKeyValue =
    key: value: "${key}=${if builtins.isBool value then lib.boolToString value else toString value}";
} (lib.mapAttrs (_: lib.filterAttrs (_: value: value != null && value != [ ])) unit)
