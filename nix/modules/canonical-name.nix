/**
  Returns the full name of a reference, so that two spellings of one name become the same text: `debian` becomes
  `docker.io/library/debian:latest`. With a digest, the tag is dropped. Returns null for a text that is not a reference.

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
