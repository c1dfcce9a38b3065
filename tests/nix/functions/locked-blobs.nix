{
  load,
  refuses,
  repeat,
  ...
}:
let
  lockedBlobs = load "locked-blobs.nix";
  base = repeat 64 "a";

  # The attributes of the derivation of a blob.
  blobsOf =
    mirrors: images:
    lockedBlobs {
      blobDerivation = attributes: attributes;
      inherit mirrors;
    } images;
  layerOf = images: digest: (blobsOf [ ] images).fetchDockerLayer { sha256 = digest; };
  configOf = images: digest: (blobsOf [ ] images).fetchDockerConfig { sha256 = digest; };
  placesOf =
    images:
    let
      layer = layerOf images base;
    in
    map (place: "${place.registry} ${place.repository}") ([ layer ] ++ layer.alternatives or [ ]);

  # An image that has the layer.
  at = registry: repository: urls: {
    place = {
      name = "${registry} ${repository}";
      value = { inherit registry repository; };
    };
    isPlainHttp = false;
    blobs = [
      {
        digest = "sha256:${base}";
        size = 1;
      }
    ];
    urls = if urls == [ ] then { } else { "sha256:${base}" = urls; };
  };
  ofSize = size: {
    blobs = [
      {
        digest = "sha256:${base}";
        inherit size;
      }
    ];
  };
  first = at "ghcr.io" "team/web" [ ];
  plain = at "http://ghcr.io/v2/" "team/app" [ ] // {
    isPlainHttp = true;
  };
  several = [
    first
    (at "https://registry-1.docker.io/v2/" "library/web" [ "https://b.example/x" ])
    (at "ghcr.io" "/web" [ ])
    (at "ghcr.io" "team/web" [
      "https://a.example/x"
      "https://b.example/x"
    ])
  ];
in
[
  {
    name = "all places, each once, by registry and repository";
    seen = placesOf several;
    expected = [
      "ghcr.io /web"
      "ghcr.io team/web"
      "https://registry-1.docker.io/v2/ library/web"
    ];
  }
  {
    name = "all further URLs of a layer, each once";
    seen = (layerOf several base).urls;
    expected = "https://b.example/x https://a.example/x";
  }
  {
    name = "one place alone";
    seen = placesOf [ first ];
    expected = [ "ghcr.io team/web" ];
  }
  {
    name = "a layer of one image has what it needs and no more";
    seen = layerOf [ first ] base;
    expected = {
      name = "docker-layer-${base}.tar.gz";
      registry = "ghcr.io";
      repository = "team/web";
      size = 1;
      preferLocalBuild = true;
      outputHash = base;
      layerDigest = base;
    };
  }
  {
    name = "a config of one image has what it needs and no more";
    seen = configOf [ first ] base;
    expected = {
      name = "docker-config-${base}.json";
      registry = "ghcr.io";
      repository = "team/web";
      size = 1;
      preferLocalBuild = true;
      outputHash = base;
    };
  }
  {
    name = "mirrors are those of all blobs";
    seen =
      let
        blobs = blobsOf [ "https://a.example" "b.example" ] [ first ];
      in
      map (fetch: (fetch { sha256 = base; }).mirrors) [
        blobs.fetchDockerLayer
        blobs.fetchDockerConfig
      ];
    expected = [
      "https://a.example b.example"
      "https://a.example b.example"
    ];
  }
  {
    name = "plain http of one place marks the derivation";
    seen = map (images: (layerOf images base).registryFrom or null) [
      [ first ]
      [ plain ]
      [
        first
        plain
      ]
    ];
    expected = [
      null
      "lock file"
      "lock file"
    ];
  }
  {
    name = "the size on which images agree";
    seen = (layerOf several base).size;
    expected = 1;
  }
  (refuses "images that disagree about the size of a layer"
    "hocker: the images give different sizes for sha256:${base}: 1 and 2 bytes"
    (layerOf (several ++ [ (first // ofSize 2) ]) base).size
  )
  (refuses "a config that is larger than any document"
    "fetchDockerConfig: `size` is 4194305 bytes, but the limit is 4194304 bytes"
    (configOf [ (first // ofSize 4194305) ] base).size
  )
  (refuses "credentials in a further URL of a layer"
    "fetchDockerLayer: one of the `urls` contains credentials, which must not be in the store"
    (layerOf [ (at "ghcr.io" "team/web" [ "https://me:pw@a.example/x" ]) ] base).urls
  )
  (refuses "credentials in a mirror"
    "hocker: the registry's URL contains credentials or a query, which must not be in the store"
    ((blobsOf [ "https://me:pw@a.example" ] [ first ]).fetchDockerLayer { sha256 = base; }).mirrors
  )
]
