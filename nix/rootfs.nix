/**
  Makes one EROFS file system of all layers of an image: for `RootImage=` of a systemd service, for
  `systemd-nspawn --image` and for virtual machines.

  # Inputs

  `image`
  : the result of `fetchdocker`

  `storeName`
  : the name of the image in the store

  `mountPoints`
  : whether to add the directories and files that systemd and containers mount on, where they are missing: `/dev`,
    `/proc`, `/run`, `/sys`, `/tmp`, `/var/tmp`, and `hostname`, `hosts`, `machine-id` and `resolv.conf` in `/etc`

  `directories`, `files`
  : paths of further mount points: empty directories and empty files that are added where there is nothing

  # Output

  A derivation with the file as `out`. Its second output, `users`, is a directory with the image's `passwd` and `group`,
  as far as it has them.
*/
{
  program,
  system,
  preferLocalBuild,
  image,
  storeName,
}:
{
  mountPoints ? true,
  directories ? [ ],
  files ? [ ],
}:
derivation (
  {
    name = "${storeName}.erofs";
    inherit system preferLocalBuild;
    builder = program;
    args = [ "builder" ];
    outputs = [
      "out"
      "users"
    ];
    __structuredAttrs = true;
    imageRootfs = {
      image = "${image}";
      inherit mountPoints directories files;
    };
  }
  # The file holds the whole image, so it refers to no other store path.
  // (
    if import ./can-discard-references.nix then
      {
        unsafeDiscardReferences = {
          out = true;
          users = true;
        };
      }
    else
      { }
  )
)
