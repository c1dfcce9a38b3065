{
  load,
  vectors,
  casesOf,
  ...
}:
casesOf (load "platform.nix") (
  map (row: {
    given = row.system;
    gives = row.platform;
  }) (vectors "platforms.json")
)
