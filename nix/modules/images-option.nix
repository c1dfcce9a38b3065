/**
  Returns the option `services.hocker.images`.

  # Inputs

  `module`
  : what each image has beside the options of `image.nix`

  `description`
  : the description of the option

  # Type

  ```
  imagesOption :: { lib, module :: Module, description :: String } -> Option
  ```
*/
{
  lib,
  module,
  description,
}:
let
  inherit (lib) literalExpression mkOption types;
in
mkOption {
  type = types.attrsOf (
    types.submodule [
      (import ./image.nix { inherit lib; })
      module
    ]
  );
  default = { };
  example = literalExpression ''
    {
      web.image = config.services.hocker.functions.fetchdocker {
        image = "nginx:1.27";
        imageManifest = ./nginx.json;
      };
    }
  '';
  inherit description;
}
