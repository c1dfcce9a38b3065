{
  layerHex,
  load,
  refuses,
  ...
}:
let
  inherit (load "blob-kinds.nix") config layer;
in
[
  {
    name = "names in the store";
    seen = map (kind: kind.nameOf layerHex) [
      layer
      config
    ];
    expected = [
      "docker-layer-${layerHex}.tar.gz"
      "docker-config-${layerHex}.json"
    ];
  }
  {
    name = "sizes within the limits";
    seen = [
      (layer.sizeOf 1099511627776)
      (config.sizeOf 4194304)
    ];
    expected = [
      1099511627776
      4194304
    ];
  }
  (refuses "a config beyond the limit"
    "fetchDockerConfig: `size` is 4194305 bytes, but the limit is 4194304 bytes"
    (config.sizeOf 4194305)
  )
]
