package doctor

import ("os";"testing")

func TestShow(t *testing.T){ m:=ThisMachine(); Print(os.Stdout, Examine(m), nil, os.Getenv("L"), "") }
