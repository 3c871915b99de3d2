/* Starts a Node command: an absolute Node, a fixed script, and an environment that cannot change what they do. Everything else is passed on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_for_node(const char *variable) {
  return strncmp(variable, "NODE_OPTIONS=", 13) == 0 || strncmp(variable, "NODE_PATH=", 10) == 0;
}

int main(int argc, char **argv, char **environment) {
  char *words[argc + 4];
  int count = 0;
  words[count++] = NODE;
  words[count++] = "--no-warnings";
  words[count++] = SCRIPT;
  for (int i = 1; i < argc; i++) words[count++] = argv[i];
  words[count] = NULL;

  char **kept = environment;
  for (char **variable = environment; *variable; variable++) {
    if (!is_for_node(*variable)) *kept++ = *variable;
  }
  *kept = NULL;
  execve(NODE, words, environment);
  fprintf(stderr, "cannot start %s: %s; run 'npm run build' again if Node has moved\n", NODE, strerror(errno));
  return 127;
}
