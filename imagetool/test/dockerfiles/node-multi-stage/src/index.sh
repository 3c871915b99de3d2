echo "serving hello on node $NODE_VERSION with $(ls node_modules)"
