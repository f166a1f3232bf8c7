package seccomp

// native is the machine that this binary is for.
var native = &amd64
