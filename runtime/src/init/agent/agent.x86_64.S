# The agent, for x86-64: it executes system calls for its parent.
#
# It reads a message, a program of system calls, from its channel into BUF, performs the program, sends BUF back, and reads the next.
# It decides nothing. Whoever holds the other end of the channel decides everything, and is trusted with everything this process may do;
# nobody else has a way in: there is no other input, no allocation, no signal handler, no library. README.md has the protocol.
#
# Registers. The kernel preserves all but rax (result), rcx and r11 (clobbered by the syscall instruction); there are no functions, no stack use.
#   rbx  BUF                      rbp  the channel's descriptor
#   r12  reading: bytes wanted    r13  address of the current op
#        performing: op index     r14  flags of the current op
#   r15  bytes read, or bytes sent
#   rdi rsi rdx r10 r8 r9  the six arguments, rax number and result: the kernel's convention

        .include "agent.inc"

        .set SYS_read, 0
        .set SYS_madvise, 28
        .set SYS_sendto, 44
        .set SYS_exit_group, 231

        .bss
        .skip SIZE

        .text
        .globl _start

# The kernel starts a program with argc on top of the stack. It is the one number a program can be told without parsing text,
# so the parent passes the channel's descriptor as argc: as many arguments as the descriptor's number.
_start: mov     (%rsp), %ebp
        mov     $BUF, %ebx

# One small page for the first message, not a huge page of 2 MiB, where the system gives those to everybody. An error does not matter.
        mov     $SYS_madvise, %eax
        mov     %ebx, %edi
        mov     $SIZE, %esi
        mov     $MADV_NOHUGEPAGE, %edx
        syscall

# Read one message. First the header is wanted, then, since it names the length, the whole message.
# Never a byte more: the next message may follow directly when no reply was asked for.
message:
        xor     %r15d, %r15d
        mov     $HEADER_SIZE, %r12d
fill:   mov     $SYS_read, %eax
        mov     %ebp, %edi
        lea     (%rbx,%r15), %rsi
        mov     %r12d, %edx
        sub     %r15d, %edx
        syscall
        cmp     $-EINTR, %rax
        je      fill
        test    %rax, %rax                      # 0: the other end is closed; negative: an error
        jle     gone
        add     %eax, %r15d
        cmp     %r12d, %r15d
        jb      fill                            # a stream gives what it has

# What was wanted is there, so the header is. Refuse a length that is less than a header or does not fit BUF (one unsigned comparison
# does both), and more ops than the message has room for: those would be leftovers of an earlier message.
        mov     HEADER_LENGTH(%rbx), %r12d
        lea     -HEADER_SIZE(%r12), %ecx        # bytes after the header
        cmp     $SIZE - HEADER_SIZE, %ecx
        ja      refuse
        mov     HEADER_OP_COUNT(%rbx), %eax
        imul    $OP_SIZE, %rax, %rax            # 64 bits: 2^32 ops of 80 bytes do not overflow
        cmp     %rcx, %rax
        ja      refuse
        cmp     %r12d, %r15d
        jb      fill                            # only the header was there: now the rest

# Perform the program, from op 0. An index at or past opCount is the end; opCount is read each time, since a program may change it.
        xor     %r12d, %r12d
next:   cmp     HEADER_OP_COUNT(%rbx), %r12d
        jae     end
perform:
        imul    $OP_SIZE, %r12, %r13
        lea     HEADER_SIZE(%rbx,%r13), %r13
        mov     OP_FLAGS(%r13), %r14d

# Load argument i into its register, through one indirection when flag bit i is set.
        .macro  argument i, register
        mov     OP_ARGS + 8 * \i(%r13), \register
        test    $1 << \i, %r14b
        jz      1f
        mov     (\register), \register
1:
        .endm
        argument 0, %rdi
        argument 1, %rsi
        argument 2, %rdx
        argument 3, %r10
        argument 4, %r8
        argument 5, %r9

# STORE and STORE32 write memory instead of calling; the value is the result.
        test    $STORE, %r14d
        jz      1f
        mov     %rsi, (%rdi)
        jmp     2f
1:      test    $STORE32, %r14d
        jz      call
        mov     %esi, (%rdi)
2:      mov     %rsi, %rax
        jmp     result

# The system call. After a clone or fork two processes come out of here, each with its own copy of BUF and of every register.
call:   mov     OP_NR(%r13), %eax
        syscall
        cmp     $-EINTR, %rax
        jne     1f
        test    $RESTART, %r14d
        jnz     perform                         # same index: loads the arguments again
1:      cmp     $-EAGAIN, %rax
        jne     result
        test    $RETRY, %r14d
        jnz     perform

# Note the result, and tell errors from the rest: as unsigned numbers, -4095 to -1 are the greatest.
result: mov     %rax, OP_RESULT(%r13)
        cmp     $-MAX_ERRNO, %rax
        jae     error

# No error.
        test    $SET_CHANNEL, %r14d
        jz      1f
        mov     %eax, %ebp
1:      test    $JUMP | JUMP_IF_OK, %r14d
        jnz     jump
        test    %rax, %rax
        jnz     following
        test    $JUMP_IF_ZERO, %r14d
        jz      following

# Go on at the op that the current op names.
jump:   mov     OP_JUMP(%r13), %r12d
        jmp     next

# An error: jump, go on, or stop the program with done = this op's index + 1.
error:  test    $JUMP | JUMP_IF_ERROR, %r14d
        jnz     jump
        test    $IGNORE_ALL, %r14d
        jnz     following
        mov     OP_IGNORED_ERRNO(%r13), %ecx
        add     %rax, %rcx                      # errno + (-errno); never 0 when ignoredErrno is 0
        jz      following
        inc     %r12d
        jmp     reply

following:
        inc     %r12d
        jmp     next

# The program came to its end: done = opCount, also after a jump past the last op.
end:    mov     HEADER_OP_COUNT(%rbx), %r12d

# Send replyLength bytes of BUF, in as many pieces as it takes; none when it is 0. MSG_NOSIGNAL: a parent that went away is an error
# to see here, not a SIGPIPE.
reply:  mov     %r12d, HEADER_DONE(%rbx)
        xor     %r15d, %r15d
send:   mov     HEADER_REPLY_LENGTH(%rbx), %edx
        sub     %r15d, %edx
        jz      message
        mov     $SYS_sendto, %eax
        mov     %ebp, %edi
        lea     (%rbx,%r15), %rsi
        mov     $MSG_NOSIGNAL, %r10d
        xor     %r8d, %r8d                      # no address: the channel is connected
        xor     %r9d, %r9d
        syscall
        cmp     $-EINTR, %rax
        je      send
        test    %rax, %rax
        jle     gone
        add     %eax, %r15d
        jmp     send

# The end. A seccomp filter may forbid even exit_group; then an undefined instruction ends the process, as pid 1 too.
refuse: mov     $EXIT_REFUSED, %edi
        jmp     exit
gone:   mov     $EXIT_GONE, %edi
exit:   mov     $SYS_exit_group, %eax
        syscall
        ud2

        .section .note.GNU-stack, "", %progbits
