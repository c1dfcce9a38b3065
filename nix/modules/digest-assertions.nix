/**
  Returns the assertions about a container that names its image by a digest. Each message contains a remedy.

  Docker's own image store keeps no digests of loaded images. Containerd's store finds the digest of the index if the image
  has one, and otherwise that of the manifest. Podman finds both (seen with Docker 20.10 and 26.1, and with Podman 4.3 and
  5.4).

  # Type

  ```
  digestAssertions :: { lib, backend, keepsDigests, byName } -> String -> Container -> Image | Null -> [ Assertion ]
  ```
*/
{
  lib,
  backend,
  # Whether Docker uses containerd's image store.
  keepsDigests ? false,
  byName,
}:
option: container: image:
let
  canonicalName = import ./canonical-name.nix;

  # `image` has no value if `hockerImage` names no image.
  hasImage = container.hockerImage == null || (image != null && image.names != [ ]);
  parts = if hasImage then builtins.match "([^@]*)@(.*)" container.image else null;
  canonical = canonicalName container.image;
  isOf = what: lib.elem canonical (image.canonicalDigests.${what} or [ ]);

  notFoundBy = if image.foundByDocker == "index" then "manifest" else "index";

  # The declared image with the same name and tag, if the container names one.
  hasTag = parts != null && builtins.match ".*:[^/:]+" (lib.head parts) != null;
  tagged = if hasTag then byName.${toString (canonicalName (lib.head parts))} or null else null;
  digestsOf =
    declared:
    lib.concatMapStringsSep " and " (name: "`${lib.last (lib.splitString "@" name)}`") (
      lib.concatMap (lib.take 1) (lib.attrValues declared.canonicalDigests)
    );
  withoutDigest =
    if container.hockerImage != null then
      "Remove `image`"
    else
      "Set `image` to a name of the image without the digest, or set `hockerImage`";
in
lib.optionals (parts != null && image != null && backend == "docker") [
  {
    assertion = (isOf "manifest" || isOf "index") -> keepsDigests;
    message = "${option}: Docker's own image store does not keep the registry's digests, so it does not find `${container.image}`. ${withoutDigest}: ${image.unit} verifies the content. Or use containerd's image store: set `virtualisation.docker.daemon.settings.features.containerd-snapshotter = true`, or `services.hocker.docker.keepsDigests = true` if Docker uses it by default.";
  }
  {
    assertion = keepsDigests && (isOf "manifest" || isOf "index") -> isOf image.foundByDocker;
    message = "${option}: `${container.image}` has the digest of the ${notFoundBy}, but Docker finds this image only by the digest of its ${image.foundByDocker}. ${withoutDigest}: ${image.unit} verifies the content.";
  }
]
++ lib.optional (image == null && tagged != null) {
  assertion = false;
  message = "${option}: `${container.image}` does not have a digest of the declared image with this name, which has ${digestsOf tagged}, so the container would ask a registry. Correct the digest. If it is the digest of the index, set `imageIndex` of fetchdocker to the text that `hocker manifest --index ${lib.head parts}` prints.";
}
