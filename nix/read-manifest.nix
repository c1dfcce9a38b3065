/**
  Reads an image's manifest from its own text, or from the file of it: its digest, and the digests of
  configuration and layers, as hex, and where else layers may be.

  Source: OCI image specification, `manifest.md`.

  # Type

  ```
  readManifest :: String | Path -> {
    text, digest, config :: String, layers :: [ { sha256 :: String, urls :: [ String ] } ]
  }
  ```
*/
manifest:
let
  isFile =
    builtins.isPath manifest || (builtins.isString manifest && builtins.substring 0 1 manifest == "/");
  text = builtins.unsafeDiscardStringContext (
    if isFile then
      builtins.readFile manifest
    else if builtins.isString manifest then
      manifest
    else
      fail "must be the manifest's text, or the path of a file of it (as `hocker manifest IMAGE` prints it)"
  );
  parsed = builtins.fromJSON text;

  fail = reason: throw "fetchdocker: `imageManifest` ${reason}";
  onePlatform = "`hocker manifest --platform linux/amd64 IMAGE` prints the manifest of one image";

  hexOf =
    what: descriptor:
    let
      digits = builtins.match "sha256:([0-9a-f]{64})" (descriptor.digest or "");
    in
    if digits == null then
      fail "has ${what} whose digest is `${descriptor.digest or ""}`; only sha256 can be fetched"
    else
      builtins.head digits;

  # What Go leaves out or empty, it may write as null.
  given = default: value: if value == null then default else value;
  has = key: parsed.${key} or null != null;
  layers = given [ ] (parsed.layers or null);

  mediaType = given "" (parsed.mediaType or null);
  configType = given "" (parsed.config.mediaType or null);
  docker = "application/vnd.docker.distribution.manifest.v2+json";
  isImageConfig =
    builtins.elem configType [
      "application/vnd.docker.container.image.v1+json"
      "application/vnd.oci.image.config.v1+json"
    ]
    # What Docker's own clients wrote for years, or registries made of it.
    || (
      mediaType == docker
      && builtins.elem configType [
        ""
        "application/octet-stream"
        "application/json"
        "text/html"
      ]
    );

  ambiguousKey = import ./ambiguous-key.nix;
  descriptorKeys = [
    "mediaType"
    "digest"
    "size"
    "platform"
    "urls"
    "annotations"
    "artifactType"
    "data"
  ];
  ambiguous = builtins.filter (key: key != null) (
    [
      (ambiguousKey [
        "schemaVersion"
        "mediaType"
        "artifactType"
        "config"
        "layers"
        "manifests"
        "fsLayers"
        "subject"
        "annotations"
      ] parsed)
    ]
    ++ map (ambiguousKey descriptorKeys) (
      builtins.filter builtins.isAttrs ([ (parsed.config or null) ] ++ layers)
    )
  );
in
if builtins.match "[[:space:]]*\\{.*" (builtins.substring 0 64 text) == null then
  fail "is not a manifest: it does not begin with a brace"
else if ambiguous != [ ] then
  fail "has the key `${builtins.head ambiguous}`, which clients that are written in Go take for one in another case, and others for an unknown one"
else if has "manifests" && (has "layers" || has "config") then
  fail "is a manifest and an index at once, which nobody should believe"
else if has "manifests" then
  fail "is an index of images for several platforms; ${onePlatform}"
else if has "fsLayers" || parsed.schemaVersion or null == 1 then
  fail "is of Docker's schema 1, which names no configuration; ask the registry for a newer form: ${onePlatform}"
else if
  !(has "config")
  || !builtins.elem (parsed.schemaVersion or null) [
    null
    0
    2
  ]
  || !builtins.elem mediaType [
    ""
    docker
    "application/vnd.oci.image.manifest.v1+json"
  ]
then
  fail "is not an image manifest; ${onePlatform}"
else if !isImageConfig then
  fail "is not of a container image but of an artifact (its configuration is `${configType}`)"
else
  {
    inherit text;
    digest = "sha256:${builtins.hashString "sha256" text}";
    config = hexOf "a configuration" parsed.config;
    layers = map (layer: {
      sha256 = hexOf "a layer" layer;
      urls = given [ ] (layer.urls or null);
    }) layers;
  }
