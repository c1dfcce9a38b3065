/**
  Checks the location of an image or blob that a caller gives in parts, as `../parse-reference.nix` checks a reference.
  Returns the location. It contains no credentials, because every user can read derivations.

  # Inputs

  `caller`
  : the name of the calling function, for error messages

  `endpoint`
  : the URL of the registry's API, or the name of the registry

  `path`
  : the full name of the repository

  `tag`
  : the tag, or null

  # Type

  ```
  checkParts :: String -> { endpoint, path :: String, tag :: String | Null, … } -> { … }
  ```
*/
let
  inherit (builtins) isString match;
  registryName = import ../registry-name.nix;
  printable = import ../printable.nix;
  grammar = import ../reference-grammar.nix;
in
caller: location:
let
  inherit (location) path tag;
  registry = registryName location.endpoint;
  fail = reason: throw "${caller}: ${reason}";
  startsWithRegistry = match "(localhost|[^/]*[.:][^/]*)/.*" path != null;
in
if !isString path || builtins.stringLength path > 255 then
  fail "`repository` and `imageName` must be strings of together at most 255 characters"
else if match ".*[A-Z].*" path != null then
  fail "`${printable path}` is not a repository: `repository` and `imageName` must be lowercase"
else if match grammar.repository path == null && startsWithRegistry then
  fail "`${printable path}` is not a repository; if it contains a registry or a tag, use `image`"
else if match grammar.repository path == null then
  fail "`${printable path}`, from `repository` and `imageName`, is not a repository"
else if match grammar.registry registry == null then
  fail "`${printable registry}` is not a registry"
else if tag != null && (!isString tag || match grammar.tag tag == null) then
  fail "`${printable tag}` is not a tag"
else
  location
