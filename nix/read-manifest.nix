/**
  Parses the manifest of an image. Returns its digest, the digests (in hex) and sizes of the config and the layers, and
  further URLs of layers. It reads only the text.

  Source: OCI image specification, `manifest.md` and `descriptor.md`.

  # Inputs

  `context`
  : a description of the manifest, for error messages

  `manifest`
  : the text of the manifest

  # Type

  ```
  readManifest :: String -> String -> {
    text, digest :: String,
    config :: { sha256 :: String, size :: Int },
    layers :: [ { sha256 :: String, size :: Int, urls :: [ String ] } ]
  }
  ```
*/
let
  printable = import ./printable.nix;
  isSize = import ./is-size.nix;
  ambiguityOf = import ./ambiguity.nix [
    "mediaType"
    "digest"
    "size"
    "platform"
    "urls"
    "annotations"
    "artifactType"
    "data"
  ];

  # Programs in Go may write null for an absent or empty value.
  given = default: value: if value == null then default else value;
in
context: manifest:
let
  text =
    if builtins.isString manifest then
      builtins.unsafeDiscardStringContext manifest
    else
      fail "must be the text that `hocker manifest IMAGE` prints";
  parsed = builtins.fromJSON text;

  fail = reason: throw "${context} ${reason}";
  onePlatform = "`hocker manifest --platform linux/amd64 IMAGE` prints the manifest for one platform";

  blob =
    what: descriptor:
    let
      digest = descriptor.digest or "";
      digits = if builtins.isString digest then builtins.match "sha256:([0-9a-f]{64})" digest else null;
      size = descriptor.size or null;
    in
    if digest == "" then
      fail "has ${what} without a digest"
    else if digits == null then
      fail "has ${what} with the digest `${printable digest}`; hocker supports only sha256"
    else if !isSize size then
      fail "has ${what} with a wrong size: a size is a whole number of bytes, at most 1 TiB"
    else
      {
        sha256 = builtins.head digits;
        inherit size;
        urls = given [ ] (descriptor.urls or null);
      };

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
    # Docker's clients wrote these types for years, and some registries changed them.
    || (
      mediaType == docker
      && builtins.elem configType [
        ""
        "application/octet-stream"
        "application/json"
        "text/html"
      ]
    );

  ambiguity = ambiguityOf parsed ([ (parsed.config or null) ] ++ layers);
in
if builtins.match "[[:space:]]*\\{.*" (builtins.substring 0 64 text) == null then
  fail "is not a manifest: the text does not begin with `{`"
else if ambiguity != null then
  fail ambiguity
else if has "manifests" then
  fail "is an index; ${onePlatform}"
else if has "fsLayers" || parsed.schemaVersion or null == 1 then
  fail "has Docker's schema 1, which contains no config; fetch the manifest again: ${onePlatform}"
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
  fail "is the manifest of an artifact, not of a container image (the type of its config is `${printable configType}`)"
else
  {
    inherit text;
    digest = "sha256:${builtins.hashString "sha256" text}";
    config = removeAttrs (blob "a config" parsed.config) [ "urls" ];
    layers = map (blob "a layer") layers;
  }
