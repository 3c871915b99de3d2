echo "hello from @prefix@"
