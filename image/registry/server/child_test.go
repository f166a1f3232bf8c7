package server

func childMain(role string) int { return 1 }
