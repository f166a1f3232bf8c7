package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// parsePS reads ps's command line: flags with a dash in the Unix way, letters without one in BSD's.
func (p *Process) parsePS() (*psRequest, error) {
	args := psDialect(p.Args)
	opts, words, err := (&Process{Args: args}).options("eAafFjlHwdo:p:q:C:u:U:t:P:s:h", map[string]string{
		"pid": "p", "ppid": "P", "sort": "s", "forest": "H", "no-headers": "h", "no-headings": "h", "user": "u", "tty": "t",
		"format": "o",
	})
	if err != nil {
		return nil, err
	}
	bsd, err := parseBSD(words)
	if err != nil {
		return nil, err
	}
	r := &psRequest{headers: !opts.has('h') && !bsd.has('h'), forest: opts.has('H') || bsd.has('f')}
	r.choose, err = choosePS(opts, bsd)
	if err != nil {
		return nil, err
	}
	for _, keys := range opts.values('s') {
		r.sortBy = append(r.sortBy, strings.Split(keys, ",")...)
	}
	r.columns, err = psLayout(opts, bsd)
	if columns, _, ok := terminalSize(p.Stdout); ok && !bsd.has('w') && !opts.has('w') {
		r.width = columns
	}
	return r, err
}

// psDialect takes the dash from `ps -aux`, which everyone means as `ps aux`. Literally it is all of the user named x.
func psDialect(args []string) []string {
	if len(args) > 1 && strings.HasPrefix(args[1], "-aux") {
		return slices.Concat(args[:1], []string{args[1][1:]}, args[2:])
	}
	return args
}

// parseBSD reads words such as `aux`, `o pid,comm` and bare process numbers.
func parseBSD(words []string) (*options, error) {
	bsd := &options{}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word[0] >= '0' && word[0] <= '9' {
			bsd.add('p', word)
			continue
		}
		for i, letter := range word {
			_, takes := describeFlag("axufwehjlo:p:", letter)
			switch {
			case !strings.ContainsRune("axufwehjlop", letter):
				return nil, fmt.Errorf("unsupported option %q (try ps -ef or ps aux)", word)
			case takes == noValue:
				bsd.add(letter, "")
				continue
			}
			value := word[i+1:]
			if value == "" && len(words) > 0 {
				value, words = words[0], words[1:]
			}
			bsd.add(letter, value)
			break
		}
	}
	return bsd, nil
}

// choosePS makes the test of which processes to list. Several selections add up, as in procps.
func choosePS(opts, bsd *options) (func(t *task) bool, error) {
	all := opts.has('e') || opts.has('A') || bsd.has('a') && bsd.has('x')
	pids, err := splitNumbers(slices.Concat(opts.values('p'), opts.values('q'), bsd.values('p')))
	if err != nil {
		return nil, err
	}
	parents, err := splitNumbers(opts.values('P'))
	if err != nil {
		return nil, err
	}
	users := accounts{file: "/etc/passwd"}
	var uids []int
	for _, name := range splitLists(slices.Concat(opts.values('u'), opts.values('U'))) {
		uid, ok := users.id(name)
		if !ok {
			return nil, fmt.Errorf("user name does not exist: %s", name)
		}
		uids = append(uids, uid)
	}
	names, terminals := splitLists(opts.values('C')), splitLists(opts.values('t'))
	explicit := len(pids)+len(parents)+len(uids)+len(names)+len(terminals) > 0
	self, err := readTask(os.Getpid())
	if err != nil {
		return nil, err
	}
	return func(t *task) bool {
		switch {
		case all:
			return true
		case explicit:
			return slices.Contains(pids, t.pid) || slices.Contains(parents, t.ppid) || slices.Contains(uids, t.uid) ||
				slices.Contains(names, t.comm) || slices.Contains(terminals, t.terminal())
		case opts.has('d'):
			return t.session != t.pid
		case opts.has('a') || bsd.has('a'):
			return t.tty != 0 && (bsd.has('a') || t.session != t.pid)
		case bsd.has('x'):
			return t.uid == self.uid
		}
		return t.tty == self.tty && t.uid == self.uid
	}, nil
}

// splitLists takes apart lists such as 1,2 or "1 2".
func splitLists(lists []string) []string {
	var items []string
	for _, list := range lists {
		items = append(items, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return items
}

func splitNumbers(lists []string) ([]int, error) {
	var numbers []int
	for _, item := range splitLists(lists) {
		n, err := strconv.Atoi(item)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("not a process number: %q", item)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// psLayout chooses the columns: those of -o, or the set that goes with -f, -l, u …
func psLayout(opts, bsd *options) ([]shownColumn, error) {
	if asked := slices.Concat(opts.values('o'), bsd.values('o')); len(asked) > 0 {
		return askedColumns(asked)
	}
	var names string
	long, full := opts.has('l'), opts.has('f') || opts.has('F')
	switch {
	case bsd.has('u'):
		names = "user pid %cpu %mem vsz rss tty stat start_time bsdtime args"
	case bsd.has('l'):
		names = "f uid pid ppid priority ni vsz rss wchan stat tty bsdtime args"
	case bsd.has('j'):
		names = "ppid pid pgid sid tty tpgid stat uid bsdtime args"
	case long && full:
		names = "f s uid_name pid ppid c opri ni addr_sz wchan stime tty time cmd"
	case long:
		names = "f s uid pid ppid c opri ni addr_sz wchan tty time cmd_short"
	case opts.has('F'):
		names = "uid_name pid ppid c sz rss psr stime tty time cmd"
	case full && opts.has('j'):
		names = "uid_name pid ppid pgid sid c stime tty time cmd"
	case full:
		names = "uid_name pid ppid c stime tty time cmd"
	case opts.has('j'):
		names = "pid pgid sid tty time cmd_short"
	case bsd.has('a') || bsd.has('x') || bsd.has('f'):
		names = "pid tty stat bsdtime args"
	default:
		names = "pid tty time cmd_short"
	}
	return askedColumns([]string{names})
}

// askedColumns reads -o: names separated by commas, each with =header where it should have another one.
func askedColumns(lists []string) ([]shownColumn, error) {
	var columns []shownColumn
	for _, item := range splitLists(lists) {
		name, header, renamed := strings.Cut(item, "=")
		column, ok := findPSColumn(name)
		if !ok {
			return nil, fmt.Errorf("unknown format specifier %q", name)
		}
		if renamed {
			column.header = header
		}
		columns = append(columns, column)
	}
	return columns, nil
}
