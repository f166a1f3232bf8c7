package userland

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
)

// runPgrep prints the numbers of the processes whose name matches a pattern.
func runPgrep(p *Process) int {
	opts, words, err := p.options("lafxnovcd:u:P:", map[string]string{
		"list-name": "l", "list-full": "a", "full": "f", "exact": "x", "newest": "n", "oldest": "o", "inverse": "v", "count": "c",
		"delimiter": "d", "euid": "u", "parent": "P",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := matchTasks(opts, words)
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	if opts.has('c') {
		fmt.Fprintln(p.Stdout, len(tasks))
	} else {
		p.printMatches(tasks, opts)
	}
	if len(tasks) == 0 {
		return 1
	}
	return 0
}

func (p *Process) printMatches(tasks []*task, opts *options) {
	delimiter := "\n"
	if opts.has('d') {
		delimiter = opts.value('d')
	}
	for i, t := range tasks {
		if i > 0 {
			fmt.Fprint(p.Stdout, delimiter)
		}
		fmt.Fprint(p.Stdout, t.pid)
		switch {
		case opts.has('a'):
			fmt.Fprint(p.Stdout, " ", t.commandLine())
		case opts.has('l'):
			fmt.Fprint(p.Stdout, " ", printable(t.comm))
		}
	}
	if len(tasks) > 0 {
		fmt.Fprintln(p.Stdout)
	}
}

// runPkill sends a signal to the processes that pgrep would print.
func runPkill(p *Process) int {
	args, signal, err := takeSignal(p.Args)
	if err != nil {
		return p.Fail("%v", err)
	}
	opts, words, err := (&Process{Args: args}).options("efxnovcu:P:S:", map[string]string{
		"echo": "e", "full": "f", "exact": "x", "newest": "n", "oldest": "o", "inverse": "v", "count": "c", "euid": "u", "parent": "P",
		"signal": "S",
	})
	if err == nil && opts.has('S') {
		signal, err = parseSignal(opts.value('S'))
	}
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := matchTasks(opts, words)
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	code := 1
	for _, t := range tasks {
		if err := syscall.Kill(t.pid, signal); err != nil {
			p.Fail("killing pid %d failed: %s", t.pid, causeText(err))
			continue
		}
		code = 0
		if opts.has('e') {
			fmt.Fprintf(p.Stdout, "%s killed (pid %d)\n", t.comm, t.pid)
		}
	}
	return code
}

// takeSignal finds `-9` or `-HUP` among the arguments and takes it out. The default is SIGTERM.
func takeSignal(args []string) ([]string, syscall.Signal, error) {
	for i, arg := range args {
		if len(arg) < 2 || arg[0] != '-' || !(arg[1] >= '0' && arg[1] <= '9' || len(arg) > 2 && arg[1] >= 'A' && arg[1] <= 'Z') {
			continue
		}
		signal, err := parseSignal(arg[1:])
		return slices.Concat(args[:i], args[i+1:]), signal, err
	}
	return args, syscall.SIGTERM, nil
}

// matchTasks chooses processes in pgrep's way: by a regular expression, user, parent. It never finds itself.
func matchTasks(opts *options, words []string) ([]*task, error) {
	if len(words) > 1 || len(words) == 0 && !opts.has('u') && !opts.has('P') {
		return nil, fmt.Errorf("one pattern is needed")
	}
	pattern := regexp.MustCompile("")
	if len(words) == 1 {
		expression := words[0]
		if opts.has('x') {
			expression = "^(?:" + expression + ")$"
		}
		var err error
		if pattern, err = regexp.Compile(expression); err != nil {
			return nil, err
		}
	}
	parents, err := splitNumbers(opts.values('P'))
	if err != nil {
		return nil, err
	}
	users := accounts{file: "/etc/passwd"}
	owners := splitLists(opts.values('u'))
	all, err := readTasks()
	if err != nil {
		return nil, err
	}
	var found []*task
	for _, t := range all {
		text := t.comm
		if opts.has('f') {
			text = t.commandLine()
		}
		matches := pattern.MatchString(text) && (len(parents) == 0 || slices.Contains(parents, t.ppid)) &&
			(len(owners) == 0 || slices.Contains(owners, strconv.Itoa(t.uid)) || slices.Contains(owners, users.name(t.uid)))
		if matches != opts.has('v') && t.pid != os.Getpid() {
			found = append(found, t)
		}
	}
	return extreme(found, opts), nil
}

// extreme keeps the newest (-n) or the oldest (-o) only.
func extreme(tasks []*task, opts *options) []*task {
	if len(tasks) < 2 || !opts.has('n') && !opts.has('o') {
		return tasks
	}
	byStart := func(a, b *task) int {
		if a.startTicks != b.startTicks {
			return int(int64(a.startTicks) - int64(b.startTicks))
		}
		return a.pid - b.pid
	}
	if opts.has('n') {
		return []*task{slices.MaxFunc(tasks, byStart)}
	}
	return []*task{slices.MinFunc(tasks, byStart)}
}
