for name in flask gunicorn; do set -- "$@" "$name" "$(cat /opt/venv/lib/$name)"; done; echo "$@"
