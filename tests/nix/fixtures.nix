# What the tables share.
{
  load,
  loadWith,
  hocker,
}:
rec {
  inherit load loadWith hocker;

  repeat = count: text: builtins.concatStringsSep "" (builtins.genList (_: text) count);

  # A key that Nix's own strings can only hold by way of JSON.
  escaped = text: builtins.fromJSON "\"${text}\"";

  # The same vectors as in the tests of the program.
  vectors = file: builtins.fromJSON (builtins.readFile (../vectors + "/${file}"));

  # The cases of a function of one argument: each row has what is `given`, and what it `gives` or `throws`.
  casesOf =
    function:
    map (
      row:
      {
        name = row.name or (builtins.toJSON row.given);
        seen = function row.given;
      }
      // (if row ? throws then { inherit (row) throws; } else { expected = row.gives; })
    );

  # The case that a function refuses something.
  refuses = name: throws: seen: { inherit name throws seen; };

  layerHex = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
  layer32 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
  configHex = "054abe38b1e6f863befa4258cbfaf127b1cc9440d2e2e349b15d22e676b591e7";
  config32 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";

  # The text of a manifest of one layer, with changes.
  manifest =
    changes:
    builtins.toJSON (
      {
        schemaVersion = 2;
        mediaType = "application/vnd.docker.distribution.manifest.v2+json";
        config = configOf;
        layers = [ layerOf ];
      }
      // changes
    );
  configOf = {
    mediaType = "application/vnd.docker.container.image.v1+json";
    size = 1;
    digest = "sha256:${configHex}";
  };
  layerOf = {
    mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    size = 1;
    digest = "sha256:${layerHex}";
  };
  manifestDigest = "sha256:${builtins.hashString "sha256" (manifest { })}";
  manifestFile = ./manifest.json;

  # The text of an index that names these manifests.
  indexOf =
    digests:
    builtins.toJSON {
      schemaVersion = 2;
      mediaType = "application/vnd.oci.image.index.v1+json";
      manifests = map (digest: {
        mediaType = "application/vnd.oci.image.manifest.v1+json";
        inherit digest;
        size = 1;
      }) digests;
    };
  index = indexOf [
    "sha256:${layerHex}"
    manifestDigest
  ];
  indexDigest = "sha256:${builtins.hashString "sha256" index}";

  # The same layer and configuration from the fetchers, with further arguments.
  layer =
    changes:
    hocker.fetchDockerLayer (
      {
        imageName = "debian";
        layerDigest = layerHex;
        sha256 = layer32;
      }
      // changes
    );
  config =
    changes:
    hocker.fetchDockerConfig (
      {
        imageName = "debian";
        tag = "jessie";
        sha256 = config32;
      }
      // changes
    );

  # Registries and mirrors with credentials in them.
  withCredentials = [
    { registry = "https://me:hunter2@r.example/v2/"; }
    { registry = "me:hunter2@r.example"; }
    { registry = "https://me:hunt/er2@r.example/v2/"; }
    { mirrors = [ "https://me:hunter2@r.example" ]; }
    {
      mirrors = [
        "https://r.example"
        "https://token@r.example/v2/"
      ];
    }
  ];
  noCredentials = "hocker: the registry's URL contains credentials or a query, which must not be in the store";
  # The cases that none of them becomes part of a derivation.
  refusesCredentials =
    fetch:
    map (
      changes: refuses (builtins.toJSON changes) noCredentials (fetch changes).drvPath
    ) withCredentials;

  # The cases of both fetchers of blobs.
  casesOfFetcher =
    caller: fetch:
    let
      drvPathOf = changes: (fetch changes).drvPath;
      oneHash = "${caller}: give exactly one of `hash` and `sha256`";
      noSize = "${caller}: `size` must be a whole number of bytes, at most 1 TiB";
    in
    [
      {
        name = "a name is taken, and so `testers.invalidateFetcherByDrvHash` of nixpkgs does what it should";
        seen = (fetch { name = "salted"; }).name;
        expected = "salted";
      }
      {
        name = "meta and passthru are attributes, and no part of a derivation";
        seen =
          let
            described = fetch {
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
        name = "other places of a blob are in its derivation, and change no path";
        seen =
          let
            drv = fetch {
              alternatives = [
                {
                  registry = "ghcr.io";
                  repository = "";
                  imageName = "debian";
                }
                { imageName = "nginx"; }
              ];
            };
          in
          [
            drv.alternatives
            (drv.outPath == (fetch { }).outPath)
            (fetch { } ? alternatives)
            (fetch { alternatives = [ ]; } == fetch { })
          ];
        expected = [
          [
            {
              registry = "ghcr.io";
              repository = "debian";
            }
            {
              registry = "https://registry-1.docker.io/v2/";
              repository = "library/nginx";
            }
          ]
          true
          false
          true
        ];
      }
      (refuses "no hash" oneHash (drvPathOf {
        sha256 = null;
      }))
      (refuses "two hashes" oneHash (drvPathOf {
        hash = layer32;
        sha256 = layer32;
      }))
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
    ++
      map
        (
          row:
          refuses "${caller}: ${builtins.toJSON row.given}" "${caller}: ${row.throws}" (drvPathOf row.given)
        )
        [
          {
            given.mirror = [ ];
            throws = "unknown argument `mirror`; the most similar one is `mirrors`";
          }
          {
            given.tlsVerify = false;
            throws = "unknown argument `tlsVerify`: hocker always verifies certificates; `registry = \"http://…/v2/\"` is plain HTTP";
          }
          {
            given.digest = layerHex;
            throws = "unknown argument `digest`: use `hash` or `sha256`";
          }
          {
            given.imageDigest = layerHex;
            throws = "unknown argument `imageDigest`: only `fetchdocker` has this argument";
          }
          {
            given.imageName = "Debian";
            throws = "`library/Debian` is not a repository: `repository` and `imageName` must be lowercase";
          }
          {
            given.alternatives = [ { imageName = "a b"; } ];
            throws = "`library/a b`, from `repository` and `imageName`, is not a repository";
          }
        ]
    ++ refusesCredentials fetch;
}
