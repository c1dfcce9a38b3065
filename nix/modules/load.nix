/**
  What all units that load an image have in common, and the arguments of their command.

  # Type

  ```
  load :: { lib } -> { unitConfig, serviceConfig :: AttrSet, arguments :: Image -> [ String ] }
  ```
*/
{ lib }:
{
  unitConfig = {
    # Each start of a container starts this unit, and some containers start often.
    StartLimitIntervalSec = 0;
    # Units that require this one fail after this time.
    JobRunningTimeoutSec = 300;
  };

  serviceConfig = {
    # The daemon may be starting or restarting. Units that require this one wait until a retry succeeds.
    Restart = "on-failure";
    RestartMode = "direct";
    RestartSec = 5;
    # A retry does not help after usage, not found, denied, integrity and unsupported.
    RestartPreventExitStatus = [
      2
      3
      4
      5
      7
    ];
  };

  arguments =
    image:
    lib.concatMap (tag: [
      "--tag"
      tag
    ]) image.tags
    ++ lib.optionals (image.platform != null) [
      "--platform"
      image.platform
    ]
    ++ [ image.path ];
}
