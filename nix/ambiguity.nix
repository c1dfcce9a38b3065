/**
  Returns why programs could read a document in different ways, or `null`. It may be a manifest or an index.

  # Inputs

  `descriptorKeys`
  : the keys of a descriptor that clients read

  `document`
  : the parsed document

  `descriptors`
  : the descriptors in it

  # Type

  ```
  ambiguity :: [ String ] -> AttrSet -> [ Any ] -> Null | String
  ```
*/
let
  printable = import ./printable.nix;
  ambiguousKey = import ./ambiguous-key.nix;
  inDocument = ambiguousKey [
    "schemaVersion"
    "mediaType"
    "artifactType"
    "config"
    "layers"
    "manifests"
    "fsLayers"
    "subject"
    "annotations"
  ];
in
descriptorKeys:
let
  inDescriptor = ambiguousKey descriptorKeys;
in
document: descriptors:
let
  has = key: document.${key} or null != null;
  ambiguous = builtins.filter (key: key != null) (
    [ (inDocument document) ] ++ map inDescriptor (builtins.filter builtins.isAttrs descriptors)
  );
in
if ambiguous != [ ] then
  "has the ambiguous key `${printable (builtins.head ambiguous)}`: clients written in Go ignore the case of keys, and other clients do not"
else if has "manifests" && (has "layers" || has "config") then
  "is ambiguous: it has fields of a manifest and of an index"
else
  null
