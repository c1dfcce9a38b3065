/**
  Makes the systemd unit that the config of an image means, in `lib/systemd/system` of its output. So the config is read
  when the unit is built, and evaluation needs no import from derivation.

  # Inputs

  `image`
  : the result of `fetchdocker`

  `users`
  : the output `users` of the image's `rootfs`, in which the builder looks for names of users

  `name`
  : the name of the service, without `.service`

  `entrypoint`, `command`, `user`, `workingDirectory`
  : what replaces the values of the image's config, or null
*/
{
  program,
  system,
  image,
}:
{
  users,
  name,
  entrypoint ? null,
  command ? null,
  user ? null,
  workingDirectory ? null,
}:
derivation {
  name = import ./store-name.nix "unit-${name}";
  inherit system;
  preferLocalBuild = true;
  builder = program;
  args = [ "builder" ];
  __structuredAttrs = true;
  imageService = {
    inherit
      name
      entrypoint
      command
      user
      workingDirectory
      ;
    image = "${image}";
    users = "${users}";
  };
}
