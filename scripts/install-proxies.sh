#!/usr/bin/env bash
# Installs the proxies that tests run behind, where that can be done without asking anybody. Their tests are skipped, and
# say so, where it cannot.
set -euo pipefail

for proxy in haproxy nginx; do
  if command -v "$proxy" >/dev/null || [ -x "/usr/sbin/$proxy" ]; then continue; fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "$proxy is not installed, and cannot be from here: needs root and apt-get"
    continue
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$proxy"; } >/dev/null 2>&1 ||
    echo "$proxy could not be installed"
done
