#include "textflag.h"

// The layout of Row, see birth.go.
#define ROW_NUMBER 0
#define ROW_ARGS   8
#define ROW_FROM   56
#define ROW_FLAGS  64
#define ROW_RESULT 72
#define ROW_TICKS  80
#define ROW_SIZE   88

#define SYS_exit_group 94

// func spawn(number uintptr, args [5]uintptr, rows *Row, count uintptr) uintptr
//
// The child runs on the parent's stack pointer, which it never uses: it jumps, it does not call, and no signal
// can reach it. The system call destroys only R0.
TEXT ·spawn(SB), NOSPLIT|NOFRAME, $0-72
	MOVD number+0(FP), R8
	MOVD args_0+8(FP), R0
	MOVD args_1+16(FP), R1
	MOVD args_2+24(FP), R2
	MOVD args_3+32(FP), R3
	MOVD args_4+40(FP), R4
	MOVD rows+48(FP), R19
	MOVD count+56(FP), R20
	SVC
	CBZ  R0, child
	MOVD R0, ret+64(FP)
	RET

child:
	CBZ  R20, done
	MOVD (ROW_ARGS+0)(R19), R0
	MOVD ROW_FROM(R19), R9
	CBZ  R9, arguments
	MOVD (R9), R0              // the first argument is what an earlier row returned

arguments:
	MOVD (ROW_ARGS+8)(R19), R1
	MOVD (ROW_ARGS+16)(R19), R2
	MOVD (ROW_ARGS+24)(R19), R3
	MOVD (ROW_ARGS+32)(R19), R4
	MOVD (ROW_ARGS+40)(R19), R5
	MOVD ROW_NUMBER(R19), R8
	SVC
	MOVD R0, ROW_RESULT(R19)
	MRS  CNTVCT_EL0, R9
	MOVD R9, ROW_TICKS(R19)
	MOVD $-4095, R10
	CMP  R10, R0
	MOVD ROW_FLAGS(R19), R9
	BLO  succeeded             // below -4095 as an unsigned number: not an error
	TBZ  $0, R9, failed        // bit 0: Ignore
	B    next

succeeded:
	TBZ  $2, R9, next          // bit 2: Fork
	CBNZ R0, done              // a pid: we are the parent, the rest of the table is the child's

next:
	ADD  $ROW_SIZE, R19
	SUB  $1, R20
	B    child

failed:
	MOVD $1, R0
	MOVD $SYS_exit_group, R8
	SVC

done:
	MOVD $0, R0
	MOVD $SYS_exit_group, R8
	SVC
	BRK

// func ticks() uint64
TEXT ·ticks(SB), NOSPLIT|NOFRAME, $0-8
	MRS  CNTVCT_EL0, R0
	MOVD R0, ret+0(FP)
	RET
