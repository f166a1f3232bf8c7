package userland

// commands is sorted by name; a test holds it to that.
var commands = []entry{}
