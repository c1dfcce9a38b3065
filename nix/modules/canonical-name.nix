/**
  The name that a daemon means by a reference, so that two spellings of one name are the same text: `debian`
  is `docker.io/library/debian:latest`. With a digest the tag does not matter. Null where it is not a
  reference.

  # Type

  ```
  canonicalName :: String -> String | Null
  ```
*/
text:
let
  parsed = import ../parse-reference.nix text;
  read = builtins.tryEval (builtins.deepSeq parsed parsed);
  inherit (read.value)
    registry
    repository
    tag
    digest
    ;
  suffix =
    if digest != null then
      "@${digest}"
    else if tag != null then
      ":${tag}"
    else
      ":latest";
in
if read.success then "${registry}/${repository}${suffix}" else null
