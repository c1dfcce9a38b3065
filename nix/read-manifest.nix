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

  # Docker's type and OCI's.
  isImageConfig = builtins.elem (parsed.config.mediaType or "") [
    "application/vnd.docker.container.image.v1+json"
    "application/vnd.oci.image.config.v1+json"
  ];
in
if builtins.match "[[:space:]]*\\{.*" (builtins.substring 0 64 text) == null then
  fail "is not a manifest: it does not begin with a brace"
else if parsed ? manifests && (parsed ? layers || parsed ? config) then
  fail "is a manifest and an index at once, which nobody should believe"
else if parsed ? manifests then
  fail "is an index of images for several platforms; ${onePlatform}"
else if parsed ? fsLayers || parsed.schemaVersion or null == 1 then
  fail "is of Docker's schema 1, which names no configuration; ask the registry for a newer form: ${onePlatform}"
else if parsed.schemaVersion or null != 2 || !(parsed ? config && parsed ? layers) then
  fail "is not an image manifest; ${onePlatform}"
else if !isImageConfig then
  fail "is not of a container image but of an artifact (its configuration is `${parsed.config.mediaType or ""}`)"
else
  {
    inherit text;
    digest = "sha256:${builtins.hashString "sha256" text}";
    config = hexOf "a configuration" parsed.config;
    layers = map (layer: {
      sha256 = hexOf "a layer" layer;
      urls = if layer.urls or null == null then [ ] else layer.urls;
    }) parsed.layers;
  }
