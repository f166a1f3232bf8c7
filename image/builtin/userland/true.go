package userland

func runTrue(*Process) int { return 0 }

func runFalse(*Process) int { return 1 }
