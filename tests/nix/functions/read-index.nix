{ load, refuses, ... }:
let
  readIndex = load "read-index.nix" "test: the index";

  digest = "sha256:${builtins.hashString "sha256" "a"}";
  index =
    changes:
    builtins.toJSON (
      {
        schemaVersion = 2;
        manifests = [ { inherit digest; } ];
      }
      // changes
    );
in
[
  {
    name = "the digest is that of the text, and the manifests are those of the entries";
    seen = readIndex (index { });
    expected = {
      text = index { };
      digest = "sha256:${builtins.hashString "sha256" (index { })}";
      manifests = [ digest ];
    };
  }
  {
    name = "entries without a digest do no harm";
    seen =
      (readIndex (index {
        manifests = [
          null
          { size = 1; }
          { inherit digest; }
        ];
      })).manifests;
    expected = [
      null
      digest
    ];
  }
]
++ map (row: refuses row.name "test: the index ${row.throws}" (readIndex row.given)) [
  {
    name = "a web page";
    given = "<html>";
    throws = "is not an index: the text does not begin with `{`";
  }
  {
    name = "a list";
    given = [ ];
    throws = "must be the text of an index, as the registry has it";
  }
  {
    name = "a manifest";
    given = builtins.toJSON {
      config = { };
      layers = [ ];
    };
    throws = "is not an index: it has no list of `manifests`";
  }
  {
    name = "manifests that are an object";
    given = index { manifests = { }; };
    throws = "is not an index: it has no list of `manifests`";
  }
  {
    name = "a manifest and an index at once";
    given = index { layers = [ ]; };
    throws = "is ambiguous: it has fields of a manifest and of an index";
  }
  {
    name = "a second list of manifests for clients in Go";
    given = index { Manifests = [ ]; };
    throws = "has the ambiguous key `Manifests`: clients written in Go ignore the case of keys, and other clients do not";
  }
  {
    name = "a second digest for clients in Go";
    given = index {
      manifests = [
        {
          inherit digest;
          Digest = digest;
        }
      ];
    };
    throws = "has the ambiguous key `Digest`: clients written in Go ignore the case of keys, and other clients do not";
  }
]
