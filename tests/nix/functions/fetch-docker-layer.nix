{
  layer,
  layerHex,
  layer32,
  configHex,
  noCredentials,
  refuses,
  casesOfFetcher,
  escaped,
  repeat,
  ...
}:
let
  pathOf = changes: (layer changes).outPath;
  drvPathOf = changes: (layer changes).drvPath;
  urlWithCredentials = "fetchDockerLayer: one of the `urls` contains credentials, which must not be in the store";
  noUrl = "fetchDockerLayer: each of the `urls` must be a string of at most 4096 characters";
in
[
  {
    name = "a layer is named by its hash alone";
    seen = (layer { }).name;
    expected = "docker-layer-${layerHex}.tar.gz";
  }
  {
    name = "a layer has the path that caches of the classic fetcher have";
    # What the rule of `nix-store --print-fixed-path` for flat hashes gives.
    seen = pathOf { };
    expected =
      (derivation {
        name = "docker-layer-${layerHex}.tar.gz";
        system = "x";
        builder = "x";
        outputHashAlgo = "sha256";
        outputHashMode = "flat";
        outputHash = layer32;
      }).outPath;
  }
  {
    name = "registry, repository and spelling do not change the path of a layer";
    seen = map (changes: pathOf changes == pathOf { }) [
      {
        registry = "localhost:5000";
        repository = "";
      }
      { repository = "a/b/c"; }
      {
        sha256 = null;
        hash = "sha256:${layerHex}";
        layerDigest = "sha256:${layerHex}";
      }
      { tag = "unused"; }
      { size = 97; }
    ];
    expected = [
      true
      true
      true
      true
      true
    ];
  }
  {
    name = "a size bounds what is fetched, and without one the limit is the builder's";
    seen =
      map
        (changes: {
          size = (layer changes).size or null;
          maxSize = (layer changes).maxSize or null;
        })
        [
          { }
          { size = 97; }
        ];
    expected = [
      {
        size = null;
        maxSize = null;
      }
      {
        size = 97;
        maxSize = null;
      }
    ];
  }
  {
    name = "registries and mirrors become part of a derivation as they are";
    seen =
      let
        drv = layer {
          registry = "http://localhost:5000/v2/";
          mirrors = [
            "https://a.example"
            "b.example:5000"
          ];
        };
      in
      [
        drv.registry
        drv.mirrors
      ];
    expected = [
      "http://localhost:5000/v2/"
      "https://a.example b.example:5000"
    ];
  }
  {
    name = "the URLs of a foreign layer become part of its derivation";
    seen =
      (layer {
        urls = [
          "https://r.example/x"
          "https://r.example:8443/x@1?a=b@c"
          "https://r.example/x?signature=a@b"
        ];
      }).urls;
    expected = "https://r.example/x https://r.example:8443/x@1?a=b@c https://r.example/x?signature=a@b";
  }

  (refuses "an unknown algorithm"
    "fetchDockerLayer: `sha512:${layerHex}` is not a SHA-256 hash: the algorithm is sha512"
    (drvPathOf {
      sha256 = "sha512:${layerHex}";
    })
  )
  (refuses "a layerDigest that disagrees"
    "fetchDockerLayer: `layerDigest` is sha256:${configHex}, but the hash is sha256:${layerHex}; both must be the same digest"
    (drvPathOf {
      layerDigest = configHex;
    })
  )
  (refuses "a layerDigest that is no digest"
    "fetchDockerLayer: `layerDigest` is `../../x`, but must be sha256:<hex> or 64 hex digits"
    (drvPathOf {
      layerDigest = "../../x";
    })
  )
  (refuses "a layerDigest that a terminal could obey"
    "fetchDockerLayer: `layerDigest` is `?[2J`, but must be sha256:<hex> or 64 hex digits"
    (drvPathOf {
      layerDigest = escaped "\\u001b[2J";
    })
  )
  (refuses "a layerDigest that is no text"
    "fetchDockerLayer: `layerDigest` is `a value that is not a string`, but must be sha256:<hex> or 64 hex digits"
    (drvPathOf {
      layerDigest = 1;
    })
  )
  (refuses "credentials in the URL of another place" noCredentials (drvPathOf {
    alternatives = [
      {
        registry = "https://me:pw@ghcr.io/v2/";
        imageName = "debian";
      }
    ];
  }))
]
++ casesOfFetcher "fetchDockerLayer" layer
++
  map
    (
      url:
      refuses "the layer's URL ${url}" urlWithCredentials (drvPathOf {
        urls = [ url ];
      })
    )
    [
      "https://me:pw@r.example/x"
      "https://me@r.example/x"
      "https://me:p/w@r.example/x"
      "https:\\\\me:pw@r.example/x"
      "https:me:pw@r.example/x"
    ]
++ [
  (refuses "a layer's URL that is no text" noUrl (drvPathOf {
    urls = [ { outPath = "https://r.example/x"; } ];
  }))
  (refuses "a layer's URL that is too long" noUrl (drvPathOf {
    urls = [ (repeat 4097 "a") ];
  }))
]
