set -e
. ./config.mk
case "$1" in
  all) { echo '#!/bin/sh'; cat main.c.sh; } | sed "s|@prefix@|$prefix|" > hello ;;
  install) mkdir -p "$DESTDIR$prefix/bin" && cp hello "$DESTDIR$prefix/bin/" && chmod 755 "$DESTDIR$prefix/bin/hello" ;;
esac
