// The agent, for aarch64: it executes system calls for its parent.
//
// It reads a message, a program of system calls, from its channel into BUF, performs the program, sends BUF back, and reads the next.
// It decides nothing. Whoever holds the other end of the channel decides everything, and is trusted with everything this process may do;
// nobody else has a way in: there is no other input, no allocation, no signal handler, no library. README.md has the protocol.
//
// This is agent.x86_64.S block by block, with the same labels.
//
// Registers. The kernel preserves all but x0 (result); there are no functions, no stack use. Writing w<n> clears the upper half of x<n>.
//   x19  BUF                      w20  the channel's descriptor
//   w21  reading: bytes wanted    x22  address of the current op
//        performing: op index     w23  flags of the current op
//   w24  bytes read, or bytes sent
//   x0 to x5  the six arguments, x0 the result, w8 the number: the kernel's convention

        .include "agent.inc"

        .set SYS_read, 63
        .set SYS_exit_group, 94
        .set SYS_sendto, 206
        .set SYS_madvise, 233

        .bss
        .skip SIZE

        .text
        .globl _start

// The kernel starts a program with argc on top of the stack. It is the one number a program can be told without parsing text,
// so the parent passes the channel's descriptor as argc: as many arguments as the descriptor's number.
_start: ldr     w20, [sp]
        mov     x19, #BUF

// One small page for the first message, not a huge page of 2 MiB, where the system gives those to everybody. An error does not matter.
        mov     w8, #SYS_madvise
        mov     x0, x19
        mov     x1, #SIZE
        mov     w2, #MADV_NOHUGEPAGE
        svc     #0

// Read one message. First the header is wanted, then, since it names the length, the whole message.
// Never a byte more: the next message may follow directly when no reply was asked for.
message:
        mov     w24, wzr
        mov     w21, #HEADER_SIZE
fill:   mov     w8, #SYS_read
        mov     w0, w20
        add     x1, x19, x24
        sub     w2, w21, w24
        svc     #0
        cmn     x0, #EINTR
        b.eq    fill
        cmp     x0, #0                          // 0: the other end is closed; negative: an error
        b.le    gone
        add     w24, w24, w0
        cmp     w24, w21
        b.lo    fill                            // a stream gives what it has

// What was wanted is there, so the header is. Refuse a length that is less than a header or does not fit BUF (one unsigned comparison
// does both), and more ops than the message has room for: those would be leftovers of an earlier message.
        ldr     w21, [x19, #HEADER_LENGTH]
        sub     w1, w21, #HEADER_SIZE           // bytes after the header
        mov     w2, #SIZE
        sub     w2, w2, #HEADER_SIZE
        cmp     w1, w2
        b.hi    refuse
        ldr     w0, [x19, #HEADER_OP_COUNT]
        mov     w2, #OP_SIZE
        umull   x0, w0, w2                      // 64 bits: 2^32 ops of 80 bytes do not overflow
        cmp     x0, x1
        b.hi    refuse
        cmp     w24, w21
        b.lo    fill                            // only the header was there: now the rest

// Perform the program, from op 0. An index at or past opCount is the end; opCount is read each time, since a program may change it.
        mov     w21, wzr
next:   ldr     w0, [x19, #HEADER_OP_COUNT]
        cmp     w21, w0
        b.hs    end
perform:
        mov     w0, #OP_SIZE
        umaddl  x22, w21, w0, x19
        add     x22, x22, #HEADER_SIZE
        ldr     w23, [x22, #OP_FLAGS]

// Load argument i into its register, through one indirection when flag bit i is set.
        .macro  argument i
        ldr     x\i, [x22, #OP_ARGS + 8 * \i]
        tbz     w23, #\i, 1f
        ldr     x\i, [x\i]
1:
        .endm
        argument 0
        argument 1
        argument 2
        argument 3
        argument 4
        argument 5

// STORE and STORE32 write memory instead of calling; the value is the result.
        tst     w23, #STORE
        b.eq    1f
        str     x1, [x0]
        b       2f
1:      tst     w23, #STORE32
        b.eq    call
        str     w1, [x0]
2:      mov     x0, x1
        b       result

// The system call. After a clone or fork two processes come out of here, each with its own copy of BUF and of every register.
call:   ldr     w8, [x22, #OP_NR]
        svc     #0
        cmn     x0, #EINTR
        b.ne    1f
        tst     w23, #RESTART
        b.ne    perform                         // same index: loads the arguments again
1:      cmn     x0, #EAGAIN
        b.ne    result
        tst     w23, #RETRY
        b.ne    perform

// Note the result, and tell errors from the rest: as unsigned numbers, -4095 to -1 are the greatest.
result: str     x0, [x22, #OP_RESULT]
        cmn     x0, #MAX_ERRNO
        b.hs    error

// No error.
        tst     w23, #SET_CHANNEL
        b.eq    1f
        mov     w20, w0
1:      mov     w1, #JUMP | JUMP_IF_OK          // two bits apart do not fit an immediate of tst
        tst     w23, w1
        b.ne    jump
        cbnz    x0, following
        tst     w23, #JUMP_IF_ZERO
        b.eq    following

// Go on at the op that the current op names.
jump:   ldr     w21, [x22, #OP_JUMP]
        b       next

// An error: jump, go on, or stop the program with done = this op's index + 1.
error:  mov     w1, #JUMP | JUMP_IF_ERROR
        tst     w23, w1
        b.ne    jump
        tst     w23, #IGNORE_ALL
        b.ne    following
        ldr     w1, [x22, #OP_IGNORED_ERRNO]
        cmn     x0, x1                          // errno + (-errno); never 0 when ignoredErrno is 0
        b.eq    following
        add     w21, w21, #1
        b       reply

following:
        add     w21, w21, #1
        b       next

// The program came to its end: done = opCount, also after a jump past the last op.
end:    ldr     w21, [x19, #HEADER_OP_COUNT]

// Send replyLength bytes of BUF, in as many pieces as it takes; none when it is 0. MSG_NOSIGNAL: a parent that went away is an error
// to see here, not a SIGPIPE.
reply:  str     w21, [x19, #HEADER_DONE]
        mov     w24, wzr
send:   ldr     w2, [x19, #HEADER_REPLY_LENGTH]
        subs    w2, w2, w24
        b.eq    message
        mov     w8, #SYS_sendto
        mov     w0, w20
        add     x1, x19, x24
        mov     w3, #MSG_NOSIGNAL
        mov     x4, xzr                         // no address: the channel is connected
        mov     w5, wzr
        svc     #0
        cmn     x0, #EINTR
        b.eq    send
        cmp     x0, #0
        b.le    gone
        add     w24, w24, w0
        b       send

// The end. A seccomp filter may forbid even exit_group; then an undefined instruction ends the process, as pid 1 too.
refuse: mov     w0, #EXIT_REFUSED
        b       exit
gone:   mov     w0, #EXIT_GONE
exit:   mov     w8, #SYS_exit_group
        svc     #0
        udf     #0

        .section .note.GNU-stack, "", %progbits
