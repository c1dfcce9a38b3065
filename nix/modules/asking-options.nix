/**
  Returns the options `--pull` among options for `docker run` or `podman run` that ask a registry even if the image exists.

  # Type

  ```
  askingOptions :: { lib } -> [ String ] -> [ String ]
  ```
*/
{ lib }:
options:
lib.concatLists (
  lib.imap1 (
    index: option:
    let
      written = if option == "--pull" then "--pull ${lib.elemAt (options ++ [ "" ]) index}" else option;
    in
    lib.optional (
      builtins.match "--pull[= ](always|newer|ifnewer)" (lib.toLower written) != null
    ) written
  ) options
)
