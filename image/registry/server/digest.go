package server

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Digest names content by its hash: "sha256:" and 64 hexadecimal digits (OCI image-spec, descriptor.md, "Digests").
type Digest struct{ Algorithm, Hex string }

func (d Digest) String() string { return d.Algorithm + ":" + d.Hex }

// errAlgorithm is a digest that is well formed, of an algorithm that this registry does not have: there can be no
// content of that name here, which is not the same as a name that nothing can ever have.
var errAlgorithm = errors.New("unsupported digest algorithm")

// ParseDigest reads a digest. It may become part of a path afterwards: nothing but the two algorithms that the
// specification registers, in lower case and of their length, gets through.
func ParseDigest(s string) (Digest, error) {
	algorithm, encoded, _ := strings.Cut(s, ":")
	if !isAlgorithm(algorithm) || encoded == "" || strings.Trim(encoded, alphanumeric+"=_-") != "" {
		return Digest{}, fmt.Errorf("invalid digest %q: algorithm:hex is expected", s)
	}
	sum := newHash(algorithm)
	if sum == nil {
		return Digest{}, fmt.Errorf("%w %q: sha256 and sha512 are known", errAlgorithm, algorithm)
	}
	if len(encoded) != hex.EncodedLen(sum.Size()) || strings.Trim(encoded, "0123456789abcdef") != "" {
		return Digest{}, fmt.Errorf("invalid digest %q: %d hexadecimal digits in lower case are expected", s, hex.EncodedLen(sum.Size()))
	}
	return Digest{algorithm, encoded}, nil
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// isAlgorithm is loose about separators: what it lets through is held against the known ones.
func isAlgorithm(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+._-") == ""
}

// newHash is nil for an algorithm that is not known.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// digestOf is the digest of what went through a hash.
func digestOf(algorithm string, sum hash.Hash) Digest {
	return Digest{algorithm, hex.EncodeToString(sum.Sum(nil))}
}
