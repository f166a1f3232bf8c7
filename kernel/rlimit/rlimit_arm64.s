#include "textflag.h"

// func getOpenFiles(limit *Limit)
TEXT ·getOpenFiles(SB), NOSPLIT|NOFRAME, $0-8
	MOVD $0, R0              // this process
	MOVD $7, R1              // RLIMIT_NOFILE
	MOVD $0, R2              // no new limit
	MOVD limit+0(FP), R3
	MOVD $261, R8            // prlimit64
	SVC
	RET
