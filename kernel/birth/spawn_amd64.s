#include "textflag.h"

// The layout of Row, see birth.go.
#define ROW_NUMBER 0
#define ROW_ARGS   8
#define ROW_FROM   56
#define ROW_FLAGS  64
#define ROW_RESULT 72
#define ROW_TICKS  80
#define ROW_SIZE   88

#define SYS_exit_group 231

// func spawn(number uintptr, args [5]uintptr, rows *Row, count uintptr) uintptr
//
// The child runs on the parent's stack pointer, which it never uses: it jumps, it does not call, and no signal
// can reach it. The system call instruction destroys only AX, CX and R11.
TEXT ·spawn(SB), NOSPLIT, $0-72
	MOVQ number+0(FP), AX
	MOVQ args_0+8(FP), DI
	MOVQ args_1+16(FP), SI
	MOVQ args_2+24(FP), DX
	MOVQ args_3+32(FP), R10
	MOVQ args_4+40(FP), R8
	MOVQ rows+48(FP), R12
	MOVQ count+56(FP), R13
	SYSCALL
	TESTQ AX, AX
	JEQ  child
	MOVQ AX, ret+64(FP)
	RET

child:
	TESTQ R13, R13
	JEQ  done
	MOVQ (ROW_ARGS+0)(R12), DI
	MOVQ ROW_FROM(R12), AX
	TESTQ AX, AX
	JEQ  arguments
	MOVQ (AX), DI              // the first argument is what an earlier row returned

arguments:
	MOVQ (ROW_ARGS+8)(R12), SI
	MOVQ (ROW_ARGS+16)(R12), DX
	MOVQ (ROW_ARGS+24)(R12), R10
	MOVQ (ROW_ARGS+32)(R12), R8
	MOVQ (ROW_ARGS+40)(R12), R9
	MOVQ ROW_NUMBER(R12), AX
	SYSCALL
	MOVQ AX, ROW_RESULT(R12)
	MOVQ AX, BX
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ROW_TICKS(R12)
	CMPQ BX, $-4095
	JCS  succeeded             // below -4095 as an unsigned number: not an error
	TESTQ $1, ROW_FLAGS(R12)   // Ignore
	JEQ  failed
	JMP  next

succeeded:
	TESTQ $4, ROW_FLAGS(R12)   // Fork
	JEQ  next
	TESTQ BX, BX               // a pid: we are the parent, the rest of the table is the child's
	JNE  done

next:
	ADDQ $ROW_SIZE, R12
	DECQ R13
	JMP  child

failed:
	MOVQ $1, DI
	MOVQ $SYS_exit_group, AX
	SYSCALL

done:
	MOVQ $0, DI
	MOVQ $SYS_exit_group, AX
	SYSCALL
	INT  $3

// func ticks() uint64
TEXT ·ticks(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET
