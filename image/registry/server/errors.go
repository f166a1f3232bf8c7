package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// The codes of the specification's table "Error Codes".
const (
	codeBlobUnknown         = "BLOB_UNKNOWN"
	codeUploadInvalid       = "BLOB_UPLOAD_INVALID"
	codeUploadUnknown       = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid       = "DIGEST_INVALID"
	codeManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid     = "MANIFEST_INVALID"
	codeManifestUnknown     = "MANIFEST_UNKNOWN"
	codeNameInvalid         = "NAME_INVALID"
	codeNameUnknown         = "NAME_UNKNOWN"
	codeSizeInvalid         = "SIZE_INVALID"
	codeUnauthorized        = "UNAUTHORIZED"
	codeUnsupported         = "UNSUPPORTED"
	codeUnknown             = "UNKNOWN" // Docker's, for failures of the registry itself (5xx), which the specification leaves open
)

// failure is an error as the client gets it: a status, and one or more problems in the body.
type failure struct {
	status   int
	problems []problem
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

func (f *failure) Error() string {
	return fmt.Sprintf("%d %s: %s", f.status, f.problems[0].Code, f.problems[0].Message)
}

// fail makes a failure of one problem.
func fail(status int, code, message string, args ...any) *failure {
	return &failure{status, []problem{{Code: code, Message: fmt.Sprintf(message, args...)}}}
}

// about adds what the failure is about.
func (f *failure) about(key string, value any) *failure {
	f.problems[0].Detail = map[string]any{key: value}
	return f
}

// asFailure turns what went wrong into what the client may know of it: a full disk, but no paths of this machine.
func asFailure(err error) *failure {
	var known *failure
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooLarge):
		return fail(http.StatusRequestEntityTooLarge, codeManifestInvalid, "a manifest may have %d bytes here", tooLarge.Limit)
	case errors.Is(err, errHungUp):
		return fail(http.StatusBadRequest, codeUploadInvalid, "the request's body ended early: an upload can go on from there")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fail(http.StatusInsufficientStorage, codeUnknown, "the registry's disk is full: an upload can go on where it stopped once there is room")
	}
	return fail(http.StatusInternalServerError, codeUnknown, "the registry cannot do that now: its log says why")
}

// write sends it. Headers that the handler has set go with it.
func (f *failure) write(w http.ResponseWriter) {
	body, err := json.Marshal(map[string][]problem{"errors": f.problems})
	if err != nil {
		body = []byte(`{"errors":[]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Del("Etag")
	w.WriteHeader(f.status)
	_, _ = w.Write(append(body, '\n')) // to a client that is gone there is nothing more to say
}
