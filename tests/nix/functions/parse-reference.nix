{
  load,
  vectors,
  casesOf,
  refuses,
  repeat,
  ...
}:
let
  parseReference = load "parse-reference.nix";
  printable = load "printable.nix";
  references = vectors "references.json";
  refusal =
    reference: "hocker: `${printable reference.text}` is not the name of an image: ${reference.reason}";
  noText = "hocker: the name of an image must be a string of at most 512 characters";
in
casesOf parseReference (
  map (reference: {
    given = reference.text;
    gives = {
      inherit (reference)
        registry
        repository
        tag
        digest
        ;
    };
  }) references.accepted
)
++ map (
  reference:
  refuses (builtins.toJSON reference.text) (refusal reference) (parseReference reference.text)
) references.refused
++ casesOf parseReference [
  {
    # Not quoted, because it may hold a password.
    given = "https://me:pw@ghcr.io/a";
    throws = "hocker: a URL is not the name of an image; leave out the scheme, or use `registry`, `repository` and `imageName`";
  }
  {
    name = "a number";
    given = 1;
    throws = noText;
  }
  {
    name = "a set that would be a name if it were made text";
    given = {
      outPath = "debian";
    };
    throws = noText;
  }
  {
    name = "a long text";
    given = repeat 513 "a";
    throws = noText;
  }
]
