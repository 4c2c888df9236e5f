#!/usr/bin/env bash
# Installs the proxies that tests run behind, where that can be done without asking anybody. Their tests are skipped, and
# say so, where it cannot.
set -euo pipefail

command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo 'HAProxy is not installed, and cannot be from here: needs root and apt-get'
  exit 0
fi
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends haproxy; } >/dev/null 2>&1 ||
  echo 'HAProxy could not be installed'
