package container

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"sandbox/kernel"
)

// newID makes a container's id: 64 hexadecimal digits.
func newID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// checkName holds a name to Docker's rule: two characters or more, the first a letter or a digit.
func checkName(name string) error {
	if !validName(name) {
		return kernel.Advise(fmt.Errorf("invalid container name %q", name),
			"use two or more of a-z A-Z 0-9 _ . - and begin with a letter or a digit")
	}
	return nil
}

// reserveName takes a name for an id, or tells who has it. The name is a symbolic link to the id: making one either
// succeeds or finds the name taken, whoever else tries at the same time.
func (e *Engine) reserveName(name, id string) error {
	reserve := kernel.Step{
		Effect:  kernel.Symlink{Target: id, Path: e.Paths.nameOf(name)},
		Section: "3.1",
		Why:     kernel.Why{EN: "the name leads to the id; nobody else can take it now", ZH: "名字指向容器 ID，别人不能再用"},
	}
	err := e.Door.Do(reserve)
	if err != nil && e.freeDangling(name) {
		err = e.Door.Do(reserve)
	}
	if err == nil {
		return nil
	}
	owner, linkErr := os.Readlink(e.Paths.nameOf(name))
	if linkErr != nil {
		return err
	}
	return kernel.Advise(fmt.Errorf("the name %q is in use by container %.12s", name, owner),
		"sandbox rm %s   (or choose another with --name)", name)
}

// inventName reserves a name made of two words, as silly_goldberg.
func (e *Engine) inventName(id string) (string, error) {
	var b [3]byte
	for try := 0; ; try++ {
		rand.Read(b[:])
		name := adjectives[int(b[0])%len(adjectives)] + "_" + surnames[int(b[1])%len(surnames)]
		if try > 3 {
			name += fmt.Sprint(b[2])
		}
		err := e.reserveName(name, id)
		if err == nil {
			return name, nil
		}
		if try > 20 {
			return "", err
		}
	}
}

var adjectives = strings.Fields(`able agile amber ample bold brave brisk calm candid clever cosy crisp curious daring deft
	eager early easy fair fancy fleet fond frank fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively
	lucid lucky merry mild modest neat nimble noble patient placid plucky polite proud quick quiet ready robust silly sincere
	smart snug sober spry steady stoic sunny swift tidy trusty upbeat vivid warm wise witty zesty`)

// surnames of people whom computing owes something.
var surnames = strings.Fields(`allen babbage backus bartik bernerslee boole cerf church clarke codd conway dahl diffie dijkstra
	easley engelbart floyd gauss goldberg goldwasser gosling hamilton hamming hellman hoare holberton hopper huffman iverson
	johnson kay kernighan kildall knuth lamport lamarr lampson liskov lovelace mccarthy mclick mcilroy milner minsky moore naur
	neumann newell noyce nygaard pascal perlis perlman postel rabin ritchie rivest sammet shamir shannon simon spark stallman
	stroustrup sutherland tarjan thompson torvalds turing ullman wilkes wing wirth wozniak yao zuse`)

// ErrNotFound is a container that does not exist.
type ErrNotFound struct{ Ref string }

func (e *ErrNotFound) Error() string { return "no such container: " + e.Ref }

// resolve finds a container's id by its name, its id, or the beginning of its id if no other has it.
func (p Paths) resolve(ref string) (string, error) {
	ref = strings.TrimPrefix(ref, "/")
	if ref == "" || strings.Contains(ref, "/") || ref == "." || ref == ".." {
		return "", &ErrNotFound{ref}
	}
	if id, err := os.Readlink(p.nameOf(ref)); err == nil {
		return id, nil
	}
	if strings.Trim(ref, "0123456789abcdef") != "" {
		return "", &ErrNotFound{ref}
	}
	found := ""
	entries, _ := os.ReadDir(p.containers())
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ref) {
			if found != "" {
				return "", kernel.Advise(fmt.Errorf("the id %s is the beginning of more than one container's", ref),
					"type more of its digits: sandbox ps -a --no-trunc")
			}
			found = e.Name()
		}
	}
	if found == "" {
		return "", &ErrNotFound{ref}
	}
	return found, nil
}
