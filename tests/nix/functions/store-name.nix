{
  load,
  casesOf,
  repeat,
  ...
}:
casesOf (load "store-name.nix") [
  {
    given = "debian";
    gives = "debian";
  }
  {
    given = "team/app b";
    gives = "team-app-b";
  }
  {
    given = ".x";
    gives = "image.x";
  }
  {
    given = "";
    gives = "image";
  }
  {
    given = "é\${x}";
    gives = "-x-";
  }
  {
    name = "a long name";
    given = repeat 300 "a";
    gives = repeat 180 "a";
  }
]
