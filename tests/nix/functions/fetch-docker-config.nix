{
  config,
  config32,
  configHex,
  refuses,
  refusesCredentials,
  ...
}:
let
  drvPathOf = changes: (config changes).drvPath;
  oneHash = "fetchDockerConfig: give exactly one of `hash` and `sha256`";
  noSize = "fetchDockerConfig: `size` is a whole number of bytes, at most 1 TiB";
in
[
  {
    name = "a configuration is named by its hash, whatever the tag";
    seen = [
      (config { }).name
      ((config { }).outPath == (config { tag = "other"; }).outPath)
      (config { }).outputHash
    ];
    expected = [
      "docker-config-${configHex}.json"
      true
      configHex
    ];
  }
  {
    name = "a name is taken, and so `testers.invalidateFetcherByDrvHash` of nixpkgs does what it should";
    seen = (config { name = "salted"; }).name;
    expected = "salted";
  }
  {
    name = "meta and passthru are attributes, and no part of a derivation";
    seen =
      let
        described = config {
          meta.description = "x";
          passthru.tests = [ ];
        };
      in
      {
        inherit (described) meta tests;
        same = described.drvPath == drvPathOf { };
      };
    expected = {
      meta.description = "x";
      tests = [ ];
      same = true;
    };
  }
  {
    name = "a size bounds what is fetched, and without one the limit is that of documents";
    seen =
      map
        (changes: {
          size = (config changes).size or null;
          maxSize = (config changes).maxSize or null;
        })
        [
          { }
          { size = 97; }
          { size = 4194304; }
        ];
    expected = [
      {
        size = null;
        maxSize = 4194304;
      }
      {
        size = 97;
        maxSize = null;
      }
      {
        size = 4194304;
        maxSize = null;
      }
    ];
  }
  {
    name = "other places of a configuration are in its derivation, and change no path";
    seen =
      let
        drv = config { alternatives = [ { imageName = "nginx"; } ]; };
      in
      [
        drv.alternatives
        (drv.outPath == (config { }).outPath)
        (config { alternatives = [ ]; } == config { })
      ];
    expected = [
      [
        {
          registry = "https://registry-1.docker.io/v2/";
          repository = "library/nginx";
        }
      ]
      true
      true
    ];
  }

  (refuses "no hash" oneHash (drvPathOf {
    sha256 = null;
  }))
  (refuses "two hashes" oneHash (drvPathOf {
    hash = config32;
  }))
  (refuses "a configuration that is larger than documents may be"
    "fetchDockerConfig: a size of 4194305 bytes is too much; the limit is 4194304"
    (drvPathOf {
      size = 4194305;
    })
  )
]
++
  map
    (
      size:
      refuses "a size of ${builtins.toJSON size}" noSize (drvPathOf {
        inherit size;
      })
    )
    [
      (-1)
      1.0
      "97"
      1099511627777
    ]
++ refusesCredentials config
