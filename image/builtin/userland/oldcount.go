package userland

// dashNumber turns the old `head -5` into `head -n5`, which the options parser knows. It counts as the first argument only:
// later on, -5 may be what another flag is given.
func (p *Process) dashNumber(flag string) {
	if len(p.Args) < 2 || len(p.Args[1]) < 2 || p.Args[1][0] != '-' || p.Args[1][1] < '0' || p.Args[1][1] > '9' {
		return
	}
	p.Args = append([]string{p.Args[0], "-" + flag + p.Args[1][1:]}, p.Args[2:]...)
}
