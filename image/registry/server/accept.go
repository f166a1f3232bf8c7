package server

import (
	"net/http"
	"strings"
)

// accepted are the media types in a request's Accept headers. What does not say anything takes everything.
type accepted []string

func acceptOf(r *http.Request) accepted {
	var list accepted
	for _, line := range r.Header.Values("Accept") {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, _, _ := strings.Cut(item, ";") // quality is not looked at: there is one form of each manifest
			if mediaType = strings.ToLower(strings.TrimSpace(mediaType)); mediaType != "" {
				list = append(list, mediaType)
			}
		}
	}
	return list
}

func (a accepted) takes(mediaType string) bool {
	for _, item := range a {
		if item == mediaType || item == "*/*" || item == "application/*" {
			return true
		}
	}
	return len(a) == 0
}
