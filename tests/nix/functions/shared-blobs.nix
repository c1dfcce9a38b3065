{
  load,
  refuses,
  repeat,
  ...
}:
let
  sharedBlobs = load "shared-blobs.nix";
  base = repeat 64 "a";

  # What a fetcher would be called with.
  callOf =
    images: digest:
    (sharedBlobs {
      fetchDockerLayer = given: given;
      fetchDockerConfig = given: given;
    } { mirrors = [ ]; } images).fetchDockerLayer
      { sha256 = digest; };
  sizeOf = images: (callOf images base).size;
  placesOf =
    images: digest:
    let
      called = callOf images digest;
    in
    map (one: "${one.registry or "-"} ${one.repository or "-"} ${one.imageName or "-"}") (
      [ called ] ++ called.alternatives or [ ]
    )
    ++ called.urls or [ ];

  # An image that has the layer.
  at = registry: repository: imageName: urls: {
    where = { inherit registry repository imageName; };
    blobs = [
      {
        digest = "sha256:${base}";
        size = 1;
      }
    ];
    urls = if urls == [ ] then { } else { "sha256:${base}" = urls; };
  };
  first = at "ghcr.io" "team" "web" [ ];
  larger = first // {
    blobs = [
      {
        digest = "sha256:${base}";
        size = 2;
      }
    ];
  };
  several = [
    first
    (at "https://registry-1.docker.io/v2/" "library" "web" [ "https://b.example/x" ])
    (at "ghcr.io" "" "web" [ ])
    (at "ghcr.io" "team" "web" [
      "https://a.example/x"
      "https://b.example/x"
    ])
  ];
in
[
  {
    name = "all places, each once, by registry and repository";
    seen = placesOf several base;
    expected = [
      "ghcr.io  web"
      "ghcr.io team web"
      "https://registry-1.docker.io/v2/ library web"
      "https://b.example/x"
      "https://a.example/x"
    ];
  }
  {
    name = "one place alone";
    seen = placesOf [ first ] base;
    expected = [ "ghcr.io team web" ];
  }
  {
    name = "a layer of no image is fetched as it is asked for";
    seen = placesOf several (repeat 64 "0");
    expected = [ "- - -" ];
  }
  {
    name = "the size on which images agree";
    seen = sizeOf several;
    expected = 1;
  }
  (refuses "images that disagree about the size of a layer"
    "hocker: the images give different sizes for sha256:${base}: 1 and 2 bytes"
    (sizeOf (several ++ [ larger ]))
  )
]
