/**
  The arguments of `dockerTools.pullImage` of nixpkgs, of `pullImage` of nix2container and of other fetchers that
  hocker's functions do not have, with what replaces them.

  # Type

  ```
  replacedArguments :: { fetchdocker, fetchDockerLayer, fetchDockerConfig :: { ${name} :: String } }
  ```
*/
let
  tlsVerify = "hocker always verifies certificates; `registry = \"http://…/v2/\"` is plain HTTP";
  platform = "`imageManifest` selects the platform: `hocker manifest --platform linux/arm64 IMAGE` prints it";
  noHash = "`imageManifest` contains the hashes";
  pinned = "`imageManifest` replaces it: the text that `hocker manifest IMAGE@sha256:…` prints";
  tag = "write the tag into `image`, or use `tag`";
  credentials = "derivations contain no credentials; see docs/private-registries.md";

  outputHash = "use `hash` or `sha256`";
  ofImage = "only `fetchdocker` has this argument";
  ofBlob = {
    inherit tlsVerify credentials outputHash;
    digest = outputHash;
    outputHashAlgo = outputHash;
    username = credentials;
    password = credentials;
    token = credentials;
    url = "use `registry`, `repository` and `imageName`";
    image = ofImage;
    imageManifest = ofImage;
    imageIndex = ofImage;
    imageDigest = ofImage;
    finalImageName = ofImage;
    finalImageTag = ofImage;
  };
in
{
  fetchdocker = {
    inherit tlsVerify credentials;
    imageDigest = pinned;
    manifest = pinned;
    digest = pinned;
    finalImageName = "`hocker load --tag NAME` and `services.hocker.images.<name>.tags` add names";
    finalImageTag = tag;
    imageTag = tag;
    sha256 = noHash;
    hash = noHash;
    outputHash = noHash;
    outputHashAlgo = noHash;
    arch = platform;
    os = platform;
    variant = platform;
    platform = platform;
    imageUrl = "use `registry`";
    registryUrl = "use `registry`";
    username = credentials;
    password = credentials;
    token = credentials;
  };
  fetchDockerLayer = ofBlob;
  fetchDockerConfig = ofBlob;
}
