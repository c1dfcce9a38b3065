/**
  What the builder may know of the machine: how to reach the network, whom to trust, and who we are.
*/
[
  "http_proxy"
  "https_proxy"
  "ftp_proxy"
  "all_proxy"
  "no_proxy"
  "HTTP_PROXY"
  "HTTPS_PROXY"
  "FTP_PROXY"
  "ALL_PROXY"
  "NO_PROXY"

  "NIX_SSL_CERT_FILE"
  "SSL_CERT_FILE"

  "DOCKER_USER"
  "DOCKER_PASS"
  "DOCKER_TOKEN"

  "HOCKER_BLOBS_FROM"
  "HOCKER_MIRRORS"
  "HOCKER_RETRIES"
  "HOCKER_RETRY_DELAY"
  "HOCKER_STALL_TIMEOUT"

  "DOCKER_AUTH_CONFIG"
  "REGISTRY_AUTH_FILE"
  "DOCKER_CONFIG"
  "NETRC"
]
