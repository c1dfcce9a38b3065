/**
  Makes the derivation of the store from which podman runs an image, an *additional image store*. It is small: it contains
  the manifest, the index and the config, and links to the layers as file system images. It does not refer to the layers
  of the registry.

  # Inputs

  `imageSpec`
  : the image, as `fetchdocker` describes it for its builder

  `tags`
  : further names for the image

  # Output

  A derivation with the attribute `mounts`: a list with one `{ what, where }` for each distinct layer. Podman runs the image
  while each `what`, a file, is mounted at its `where`.
*/
{
  system,
  program,
  erofsLayer,
}:
{
  imageSpec,
  tags ? [ ],
}:
let
  # Mount points are not in the store, because the garbage collector and `nix-store --verify` would read what is mounted.
  # The name is the hash of the file, so another version of the file gets another mount point.
  mountPoint =
    image:
    let
      file = baseNameOf (builtins.unsafeDiscardStringContext image.outPath);
    in
    "/run/hocker/layers/${builtins.substring 0 32 file}";

  layers = map (
    layer:
    let
      image = erofsLayer layer.path;
    in
    {
      image = "${image}";
      mount = mountPoint image;
    }
  ) imageSpec.layers;
in
derivation {
  name = "podman-store";
  inherit system;
  builder = program;
  args = [ "builder" ];
  __structuredAttrs = true;
  podmanStore = {
    image = imageSpec // {
      repoTags = imageSpec.repoTags ++ tags;
      # The layers themselves are needed only if a manifest has to be made of them.
      layers = if imageSpec.manifest == null then imageSpec.layers else [ ];
    };
    inherit layers;
  };
}
// {
  mounts = builtins.attrValues (
    builtins.listToAttrs (
      map (layer: {
        name = layer.mount;
        value = {
          what = layer.image;
          where = layer.mount;
        };
      }) layers
    )
  );
}
