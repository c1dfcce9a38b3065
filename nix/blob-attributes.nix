/**
  Returns all attributes of the derivation of one blob. Its builder is hocker itself. The digest to fetch is the hash of
  the output, so the store path depends only on the content. The arguments are checked already.

  # Inputs

  `attributes`
  : the digest in hex as `outputHash`, the name in the store, the location in the form that the builder reads, and limits

  # Type

  ```
  blobAttributes :: { program, system } -> AttrSet -> AttrSet
  ```
*/
{ program, system }:
let
  common = {
    inherit system;
    builder = program;
    args = [ "builder" ];

    outputHashMode = "flat";
    outputHashAlgo = "sha256";

    impureEnvVars = import ./impure-env-vars.nix;

    __structuredAttrs = true;
  }
  // import ./docker-credentials.nix
  # An image may contain the text of store paths, which are not references.
  // (if import ./can-discard-references.nix then { unsafeDiscardReferences.out = true; } else { });
in
attributes: common // attributes
