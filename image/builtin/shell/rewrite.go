package shell

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// The interpreter calls our builtins when a command's first word is one of these. The prefix keeps them out of the
// way of programs; a person who types them gets what they do.
const (
	prefix = "shell:"

	callBackground = prefix + "start"   // shell:start sleep 100
	callForkScript = prefix + "fork"    // shell:fork 'while …' "$-" "$@"
	callLastPID    = prefix + "lastpid" // $(shell:lastpid)
	callExec       = prefix + "exec"    // shell:exec sleep 100, which becomes this process
	callAgain      = prefix + "again"   // what a trap has come before
	callPlain      = prefix + "plain"   // the interpreter's own builtin
	callTimerStart = prefix + "time"
	callTimerStop  = prefix + "elapsed" // shell:elapsed bash, or posix
)

const (
	subshellVariable = "_subshell"   // set in goroutines that play a process of their own
	nameVariable     = "_shell_name" // $0
	pidVariable      = "_shell_pid"  // $$
)

// rewrite changes a parsed statement so that what the interpreter lacks becomes calls of our own:
//
//	sleep 100 &          shell:start sleep 100                  a real process, with a real process id
//	while …; done &      shell:fork 'while …; done' "$-" "$@"   likewise: another shell, which is given this one's state
//	$!                   $(shell:lastpid)
//	$0  $$               $_shell_name  $_shell_pid              which shells started for `… &` inherit
//	a | b                a | (b)                                so that b's exit and read stay in b, as in every shell
//	(a)  $(a)  a |       (declare _subshell=1; a)               so that exec and traps know where they are
//	time a               { shell:time; a; shell:elapsed; }
func rewrite(node syntax.Node) {
	syntax.Walk(node, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Stmt:
			if n.Background || n.Disown {
				rewriteBackground(n)
			}
			if timed, ok := n.Cmd.(*syntax.TimeClause); ok && timed.Stmt != nil {
				n.Cmd = timedBlock(timed)
			}
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				n.X = subshell(n.X)
				n.Y = subshell(n.Y)
			}
		case *syntax.Subshell:
			n.Stmts = markSubshell(n.Stmts)
		case *syntax.CmdSubst:
			if !readsFile(n.Stmts) {
				n.Stmts = markSubshell(n.Stmts)
			}
		case *syntax.ProcSubst:
			n.Stmts = markSubshell(n.Stmts)
		case *syntax.Word:
			rewriteParts(n.Parts)
		case *syntax.DblQuoted:
			rewriteParts(n.Parts)
		case *syntax.ParamExp:
			if n.Param != nil {
				rewriteParam(n)
			}
		}
		return true
	})
}

func rewriteParam(param *syntax.ParamExp) {
	switch param.Param.Value {
	case "0":
		param.Param.Value = nameVariable
	case "$":
		param.Param.Value = pidVariable
	default:
		return
	}
	param.Short = false // for `$0x`
}

// rewriteBackground makes `cmd &` a call that returns at once. A plain command has its words expanded here and is
// started directly; anything else is handed, as text, to a new shell.
func rewriteBackground(stmt *syntax.Stmt) {
	if call, ok := stmt.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && !stmt.Negated && !substitutes(call) {
		stmt.Background, stmt.Disown = false, false
		call.Args = append([]*syntax.Word{literal(callBackground)}, call.Args...)
		return
	}
	text := printed(&syntax.Stmt{Cmd: stmt.Cmd, Redirs: stmt.Redirs, Negated: stmt.Negated, Position: stmt.Position})
	*stmt = syntax.Stmt{Position: stmt.Position, Cmd: &syntax.CallExpr{Args: []*syntax.Word{
		literal(callForkScript), quotedWord(text), doubleQuoted("-"), doubleQuoted("@"),
	}}}
}

// substitutes tells whether expanding a command's words runs commands, which must not hold up the shell.
func substitutes(call *syntax.CallExpr) bool {
	found := false
	syntax.Walk(call, func(node syntax.Node) bool {
		switch node.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			found = true
		}
		return !found
	})
	return found
}

func timedBlock(timed *syntax.TimeClause) syntax.Command {
	format := "bash"
	if timed.PosixFormat {
		format = "posix"
	}
	return &syntax.Block{Stmts: []*syntax.Stmt{
		command(callTimerStart), timed.Stmt, command(callTimerStop, format),
	}}
}

// subshell is ( stmt ), unless it is that already. Walk comes to it next, and marks it.
func subshell(stmt *syntax.Stmt) *syntax.Stmt {
	if _, ok := stmt.Cmd.(*syntax.Subshell); ok {
		return stmt
	}
	if pipe, ok := stmt.Cmd.(*syntax.BinaryCmd); ok && (pipe.Op == syntax.Pipe || pipe.Op == syntax.PipeAll) {
		return stmt // the left side of a | b | c, whose parts become subshells each
	}
	return &syntax.Stmt{Position: stmt.Position, Cmd: &syntax.Subshell{Stmts: []*syntax.Stmt{stmt}}}
}

// markSubshell uses `declare`, which alone among assignments `set -x` does not show.
func markSubshell(stmts []*syntax.Stmt) []*syntax.Stmt {
	if len(stmts) == 0 {
		return stmts
	}
	mark := &syntax.Stmt{Cmd: &syntax.DeclClause{
		Variant: &syntax.Lit{Value: "declare"},
		Args: []*syntax.Assign{{
			Name:  &syntax.Lit{Value: subshellVariable},
			Value: literal("1"),
		}},
	}}
	return append([]*syntax.Stmt{mark}, stmts...)
}

// readsFile recognises $(<file), which the interpreter does itself.
func readsFile(stmts []*syntax.Stmt) bool {
	return len(stmts) == 1 && stmts[0].Cmd == nil && len(stmts[0].Redirs) == 1
}

func rewriteParts(parts []syntax.WordPart) {
	for i, part := range parts {
		param, ok := part.(*syntax.ParamExp)
		if ok && param.Param != nil && param.Param.Value == "!" && param.Exp == nil && !param.Length {
			parts[i] = &syntax.CmdSubst{Stmts: []*syntax.Stmt{command(callLastPID)}}
		}
	}
}

func command(words ...string) *syntax.Stmt {
	call := &syntax.CallExpr{}
	for _, word := range words {
		call.Args = append(call.Args, literal(word))
	}
	return &syntax.Stmt{Cmd: call}
}

func literal(text string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: text}}}
}

// quotedWord is 'text', with the quotes inside text outside the quotes: 'it'\”s'.
func quotedWord(text string) *syntax.Word {
	word := &syntax.Word{}
	for i, piece := range strings.Split(text, "'") {
		if i > 0 {
			word.Parts = append(word.Parts, &syntax.Lit{Value: `\'`})
		}
		word.Parts = append(word.Parts, &syntax.SglQuoted{Value: piece})
	}
	return word
}

func doubleQuoted(param string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: []syntax.WordPart{
		&syntax.ParamExp{Short: true, Param: &syntax.Lit{Value: param}},
	}}}}
}

// printed is a piece of program as text.
func printed(node syntax.Node) string {
	var text bytes.Buffer
	syntax.NewPrinter().Print(&text, node)
	return strings.TrimRight(text.String(), "\n")
}

// rewriteText does the same to text that the interpreter will parse by itself: eval, source and traps.
func rewriteText(text string) string {
	file, err := newParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return text // the interpreter will find the error too, and report it
	}
	rewrite(file)
	return printed(file)
}
