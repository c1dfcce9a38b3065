/**
  Parses a reference as `docker pull` does: `debian` is `library/debian` on Docker Hub, and the first part is a registry
  if it has a dot or a port, or is `localhost`.

  Source: github.com/distribution/reference.

  # Type

  ```
  parseReference :: String -> { registry, repository, tag :: String | Null, digest :: String | Null }
  ```
*/
let
  inherit (builtins) elemAt match;
  printable = import ./printable.nix;
  grammar = import ./reference-grammar.nix;
in
text:
let
  fail = reason: throw "hocker: `${printable text}` is not the name of an image: ${reason}";

  # The digest follows the first @.
  atSign = match "([^@]*)(@(.*))?" text;
  nameAndTag = elemAt atSign 0;
  digest = elemAt atSign 2;
  # The tag follows the last colon, unless the colon belongs to a port or an IPv6 host.
  colon = match "(.*):([^]:/]*)" nameAndTag;
  name = if colon == null then nameAndTag else elemAt colon 0;
  tag = if colon == null then null else elemAt colon 1;

  firstAndRest = match "([^/]*)/(.*)" name;
  first = elemAt firstAndRest 0;
  isRegistry = firstAndRest != null && (first == "localhost" || match ".*[].:A-Z[].*" first != null);
  written = if isRegistry then first else "docker.io";
  registry = if written == "index.docker.io" then "docker.io" else written;
  path = if isRegistry then elemAt firstAndRest 1 else name;
  repository =
    if registry == "docker.io" && match ".*/.*" path == null then "library/${path}" else path;
in
# The longest reference has a registry and repository of 255 characters, a tag of 128 characters, and a digest.
if !builtins.isString text || builtins.stringLength text > 512 then
  throw "hocker: the name of an image must be a string of at most 512 characters"
else if match ".*://.*" text != null then
  # The message does not quote the URL, which may contain a password.
  throw
    "hocker: a URL is not the name of an image; leave out the scheme, or use `registry`, `repository` and `imageName`"
else if name == "" then
  fail "a name is like debian:12, ghcr.io/a/b:1 or localhost:5000/x@sha256:…"
else if match grammar.registry registry == null then
  fail "`${printable registry}` is not a registry"
else if match ".*[A-Z].*" repository != null then
  fail "the repository must be lowercase"
else if match "(.*/)?(sha256|sha384|sha512|blake3)" repository != null then
  fail "with a tag, the repository looks like an image ID (`sha256:…`)"
else if builtins.stringLength "${registry}/${repository}" > 255 then
  fail "the name is longer than 255 characters"
else if match "[0-9a-f]{64}" text != null then
  fail "the name is an image ID"
else if match grammar.repository repository == null then
  fail "`${printable repository}` is not a repository"
else if tag == "" then
  fail "the tag after the colon is missing"
else if tag != null && match grammar.tag tag == null then
  fail "`${printable tag}` is not a tag"
else if digest == "" then
  fail "the digest after the @ is missing"
else if digest != null && match grammar.digest digest == null then
  fail "`${printable digest}` is not a digest: sha256: and 64 hex digits"
else
  {
    inherit
      registry
      repository
      tag
      digest
      ;
  }
