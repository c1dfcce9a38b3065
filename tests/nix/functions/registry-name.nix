{
  load,
  casesOf,
  noCredentials,
  repeat,
  ...
}:
let
  noRegistry =
    text:
    "hocker: `${text}` is not a registry: a registry is like https://registry-1.docker.io/v2/, ghcr.io or localhost:5000";
  noText = "hocker: a registry must be a string of at most 2048 characters";
in
casesOf (load "registry-name.nix") [
  {
    given = "https://registry-1.docker.io/v2/";
    gives = "docker.io";
  }
  {
    given = "https://index.docker.io/v1/";
    gives = "docker.io";
  }
  {
    given = "docker.io";
    gives = "docker.io";
  }
  {
    given = "http://localhost:5000/v2/";
    gives = "localhost:5000";
  }
  {
    given = "http://localhost:5000";
    gives = "localhost:5000";
  }
  {
    given = "localhost:5000";
    gives = "localhost:5000";
  }
  {
    given = "https://a.example/nexus/v2/";
    gives = "a.example";
  }
  {
    given = "https://a.example:443/v2/";
    gives = "a.example";
  }
  {
    given = "http://a.example:443/v2/";
    gives = "a.example:443";
  }
  {
    given = "http://a.example:80/v2/";
    gives = "a.example";
  }
  {
    given = "https://[::1]:5000/";
    gives = "[::1]:5000";
  }
  {
    given = "https://me:pw@a.example/v2/";
    throws = noCredentials;
  }
  {
    given = "https://me:p/w@a.example/v2/";
    throws = noCredentials;
  }
  {
    given = "https://a.example/v2/?token=pw";
    throws = noCredentials;
  }
  {
    given = "";
    throws = noRegistry "";
  }
  {
    given = "https://";
    throws = noRegistry "https://";
  }
  {
    given = "ftp://a.example/";
    throws = noRegistry "ftp://a.example/";
  }
  {
    given = null;
    throws = noText;
  }
  {
    name = "a long text";
    given = repeat 2049 "a";
    throws = noText;
  }
]
