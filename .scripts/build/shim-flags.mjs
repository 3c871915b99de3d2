/**
 * What the shim's long-running process asks of V8: little memory, and no work of its own beside that of containers. The code runs a few times a second
 * at most, so optimizing it (by threads that take the processors from containers) never pays. Bytecode is made with the same flags, or V8 refuses it.
 */
export const SHIM_FLAGS = ['--no-opt', '--max-semi-space-size=1', '--v8-pool-size=1', '--expose-gc'];
