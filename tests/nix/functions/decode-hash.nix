{
  load,
  vectors,
  casesOf,
  refuses,
  ...
}:
let
  decodeHash = load "decode-hash.nix" "test";
  printable = load "printable.nix";
  hashes = vectors "hashes.json";
  refusal = hash: "test: `${printable hash.text}` is not a SHA-256 hash: ${hash.reason}";

  # The path of a fixed output: one hash, one path.
  pathOf =
    outputHash:
    (derivation {
      name = "x";
      system = "x";
      builder = "x";
      outputHashAlgo = "sha256";
      inherit outputHash;
    }).outPath;
in
casesOf decodeHash (
  map (hash: {
    given = hash.text;
    gives = hash.hex;
  }) hashes.accepted
)
++ map (hash: {
  name = "agrees with Nix on ${hash.text}";
  seen = pathOf (decodeHash hash.text);
  expected = pathOf hash.text;
}) hashes.accepted
++ map (
  hash: refuses (builtins.toJSON hash.text) (refusal hash) (decodeHash hash.text)
) hashes.refused
++ casesOf decodeHash (
  map
    (given: {
      inherit given;
      throws = "test: the hash must be a string";
    })
    [
      null
      1
    ]
)
