{
  load,
  casesOf,
  escaped,
  repeat,
  ...
}:
casesOf (load "printable.nix") [
  {
    given = "ghcr.io/a/b:1";
    gives = "ghcr.io/a/b:1";
  }
  {
    given = "a\nb\r\tc";
    gives = "a?b?c";
  }
  {
    name = "an escape sequence, and a character that turns the direction of text";
    given = escaped "a\\u001b[2Jb\\u202ec";
    gives = "a?[2Jb?c";
  }
  {
    name = "a long text";
    given = repeat 300 "a";
    gives = repeat 200 "a";
  }
  {
    name = "no text";
    given = {
      outPath = "/x";
    };
    gives = "a value that is not a string";
  }
]
