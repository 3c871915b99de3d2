#!/bin/sh
echo "$NGINX_VERSION" "$@" $(ls /etc/nginx/conf.d) "$(cat $DOCROOT/index.html)"
