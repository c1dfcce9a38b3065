/**
  Parses the index of an image. Returns its digest, and the digests of the manifests that it names. It reads only the
  text.

  Source: OCI image specification, `image-index.md`.

  # Inputs

  `context`
  : a description of the index, for error messages

  `index`
  : the text of the index

  # Type

  ```
  readIndex :: String -> String -> { text, digest :: String, manifests :: [ String ] }
  ```
*/
let
  ambiguityOf = import ./ambiguity.nix [
    "mediaType"
    "digest"
    "size"
    "platform"
  ];
in
context: index:
let
  text =
    if builtins.isString index then
      builtins.unsafeDiscardStringContext index
    else
      fail "must be the text of an index, as the registry has it";
  parsed = builtins.fromJSON text;

  fail = reason: throw "${context} ${reason}";
  isList = builtins.isList (parsed.manifests or null);
  entries = if isList then parsed.manifests else [ ];
  ambiguity = ambiguityOf parsed entries;
in
if builtins.match "[[:space:]]*\\{.*" (builtins.substring 0 64 text) == null then
  fail "is not an index: the text does not begin with `{`"
else if ambiguity != null then
  fail ambiguity
else if !isList then
  fail "is not an index: it has no list of `manifests`"
else
  {
    inherit text;
    digest = "sha256:${builtins.hashString "sha256" text}";
    manifests = map (entry: entry.digest or null) (builtins.filter builtins.isAttrs entries);
  }
