echo "server @VERSION@ $*"
